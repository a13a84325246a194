# hosts.sh - who lives in the hospital. The MAC addresses carry real prefixes of vendors.

# name, address, MAC, kind, role, software
LAN_HOSTS="
fw     10.20.0.1    00:0d:b4:20:00:01 infrastructure router_firewall       linux_forwarding
dns    10.20.10.53  00:05:69:20:10:53 server         dns_dhcp_ntp          dnsmasq,chronyd
pacs   10.20.10.10  00:05:69:20:10:10 server         pacs                  orthanc_1.10,dicomweb
ris    10.20.10.20  00:05:69:20:10:20 server         ris_eai_worklist      python-hl7_mllp,dcmtk_wlmscpfs,openssh
gap    10.20.10.21  00:05:69:20:10:21 server         patient_admin_adt     mllp_send
dpi    10.20.10.30  00:05:69:20:10:30 server         ehr_portal_fhir       nginx_https_h2
files  10.20.10.40  00:11:32:20:10:40 server         file_server           samba_4,openssh
ldap   10.20.10.50  00:05:69:20:10:50 server         directory             openldap_slapd
mail   10.20.10.60  00:05:69:20:10:60 server         mail_relay            postfix_smtp-sink
mqtt   10.20.10.70  00:05:69:20:10:70 server         iomt_broker           mosquitto
ct     10.20.20.11  44:4b:5d:20:20:11 medical_device modality_ct           dcmtk_storescu,findscu
us     10.20.20.12  00:09:fb:20:20:12 medical_device modality_ultrasound   dcmtk_storescu
lab    10.20.20.30  00:18:65:20:20:30 medical_device lab_analyser          mllp_send
mon1   10.20.20.40  00:a0:37:20:20:40 medical_device patient_monitor       mosquitto_pub
ws1    10.20.30.11  28:c8:25:20:30:11 workstation    clinician             chromium,curl,dcmtk_getscu,smbclient
ws2    dhcp         28:c8:25:20:30:12 workstation    secretary             udhcpc,smbclient,swaks,curl
ws3    10.20.30.13  28:c8:25:20:30:13 workstation    ward                  nmap,iodine,smbclient,curl
adm    10.20.30.50  28:c8:25:20:30:50 workstation    administrator         openssh,snmpwalk,nmap,smbclient
prn    10.20.40.30  00:04:00:20:40:30 iot            printer               snmpd
plc    10.20.40.20  00:00:54:20:40:20 iot            building_controller   pymodbus
"

# name, addresses, kind, role, software
WAN_HOSTS="
inet   203.0.113.10,203.0.113.20,203.0.113.53 internet legit_sites_and_dns nginx,dnsmasq
c2     203.0.113.66,203.0.113.67              internet attacker_server     nginx,iodined,storescp
"

# cast: who is the intruder (seed 7: ws3), and whose workstation is used beside it.
cast() {
    local stations=(ws1 ws2 ws3)
    INTRUDER=${stations[$(draw intruder 0 2)]}
    SECOND=ws2
    [ "$INTRUDER" != ws2 ] || SECOND=ws3
}

# address_of HOST: its first address; the leased one of a DHCP client.
address_of() {
    local ip
    ip=$(awk -v host="$1" '$1 == host { print $2 }' <<<"$LAN_HOSTS")
    [ "$ip" = dhcp ] && ip=$(cat "$RUN/$1.ip" 2>/dev/null)
    echo "$ip"
}

# hosts_of_truth: the LAN table, with the intruder's role said.
hosts_of_truth() {
    awk -v host="$INTRUDER" '$1 == host { $5 = "compromised" } NF { print }' <<<"$LAN_HOSTS"
}
