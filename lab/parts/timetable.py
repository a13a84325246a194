"""When things happen in the recorded day.

Leaves: the hours of a day of `HOURS` hours that begins at `BEGIN`; `stretch.py` scales it to other
lengths. The figures are a choice, not a measurement: people work less at noon, devices do not care,
and the intruder takes the time that published incident reports give to one working day.
"""

# The day of the staff, hours of the clock (UTC in the capture).
BEGIN, HOURS = 8.0, 8.0

# kind: (mean minutes between two, made by people). People follow `rhythm`, machines a clock.
BENIGN = {
    "mqtt_vitals": (1, False),
    "modbus_poll": (1, False),
    "supervision": (2, False),
    "hl7_adt": (2, True),
    "hl7_oru": (2.5, True),
    "dns_cdn": (3, True),
    "ldap_auth": (5, True),
    "ehr_fhir": (6, True),
    "smb_doc": (6, True),
    "dicomweb": (10, True),
    "dcm_worklist": (12, True),
    "mail_int": (12, True),
    "smb_write": (12, True),
    "snmp": (15, False),
    "ntp": (17, False),
    "cloud_claim": (20, True),
    "dcm_store": (27, True),
    "ssh_adm": (45, True),
    "web_drive": (60, True),
    "dcm_get": (110, True),
    "browser": (120, True),
}

# kind: hour of the clock. What happens once a day.
ONCE = {
    "dhcp": 8.03,
    "inventory_scan": 8.67,
    "update": 9.15,
    "smb_backup": 12.5,
}

# attack: hour of the clock. From the first foothold to the locked files: under six hours.
ATTACKS = {
    "cloud_malware_http": 9.97,
    "c2_beacon": 10.08,
    "recon_scan": 10.52,
    "recon_dicom": 10.57,
    "smb_spray": 11.03,
    "ssh_brute": 11.15,
    "ldap_dump": 11.25,
    "dicom_steal": 11.67,
    "cloud_malware_tls": 13.37,
    "dns_tunnel": 13.84,
    "dns_exfil": 14.09,
    "exfil_http": 14.34,
    "exfil_tls": 14.4,
    "exfil_mail": 14.75,
    "exfil_dicom": 14.97,
    "hl7_rogue": 15.09,
    "modbus_write": 15.2,
    "arp_spoof": 15.3,
    "ransomware_smb": 15.52,
}

# An attack that repeats: minutes between two, share of jitter, hour of the clock when it stops.
BEACON, BEACON_MINUTES, BEACON_JITTER, BEACON_UNTIL = "c2_beacon", 1.0, 0.1, 15.75

# Names that only one attack looks up: its resolver traffic runs beside that of others.
LOOKED_UP_BY = {
    "cdn7.analytics-js.example": "c2_beacon",
    "x.analytics-js.example": "dns_exfil",
    "t.cdn-sync.example": "dns_tunnel",
}


def rhythm(hour):
    """How busy people are at an hour of the clock, 1 = usual."""
    if 12.0 <= hour < 13.5:
        return 0.4
    return 1.2 if 9.0 <= hour < 11.5 else 0.9
