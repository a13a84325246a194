# benign.sh - what staff, devices and partners do. Each function is one visit; `repeat` makes a working
# minute of it. VISIT counts the visits of a loop, N counts them from a start that the seed decides.

FILES=10.20.10.40 PACS=10.20.10.10 ENGINE=10.20.10.20 PORTAL=10.20.10.30

# repeat NAME SECONDS: visits until the end of the minute, its period varied by a fifth.
repeat() {
    local name=$1 period_ms=$(($2 * 1000))
    VISIT=0
    N=$(draw "first:$name" 0 39)
    pause "delay:$name" 0 $((period_ms / 2))
    while [ "$(date +%s)" -lt "$END" ]; do
        N=$((N + 1)) VISIT=$((VISIT + 1))
        "visit_$name"
        pause "period:$name:$VISIT" $((period_ms * 4 / 5)) $((period_ms * 6 / 5))
    done
}

# smb HOST USER COMMANDS
smb() {
    nsx "$1" smbclient "//$FILES/dossiers" -U "RIVEMONT\\$2%Rivemont-$2" -m SMB3 -t 20 -c "$3"
}

# smb_script HOST USER FILE
smb_script() {
    nsx "$1" smbclient "//$FILES/dossiers" -U "RIVEMONT\\$2%Rivemont-$2" -m SMB3 <"$3"
}

# web HOST ARGUMENT...: curl that trusts the hospital's authority and notes its TLS secrets.
web() {
    local host=$1
    shift
    nsx "$host" env SSLKEYLOGFILE="$RUN/keylog" HOME="$RUN/home-$host" \
        curl -sS -m 20 --cacert "$RUN/pki/ca.crt" -o /dev/null "$@"
}

# hl7 HOST FILE
hl7() { nsx "$1" "$BIN/mllp_send" --loose --file "$RUN/data/hl7/$2" --port 2575 $ENGINE; }

# The first series is study 1, which others fetch and steal later.
visit_ct() {
    benign dcm_worklist 10.20.20.11 $ENGINE 4243 "CT asks the worklist" -- \
        nsx ct findscu -W -aet CT1 -aec PACSCHU -k "0040,0100[0].0008,0060=CT" \
        -k 0010,0010 -k 0010,0020 $ENGINE 4243
    benign dcm_store 10.20.20.11 $PACS 4242 "CT stores a series" -- \
        nsx ct storescu -aet CT1 -aec PACSCHU $PACS 4242 "$RUN"/data/dcm/ct/ct$((VISIT % 3))_*.dcm
}

visit_us() { benign dcm_store 10.20.20.12 $PACS 4242 "ultrasound stores images" -- store_ultrasound; }

store_ultrasound() {
    nsx us echoscu -aet US1 -aec PACSCHU $PACS 4242 &&
        nsx us storescu -aet US1 -aec PACSCHU $PACS 4242 "$RUN"/data/dcm/us/us$((N % 2))_*.dcm
}

visit_gap() {
    benign hl7_adt 10.20.10.21 $ENGINE 2575 "ADT message" -- hl7 gap "adt$(printf %02d $((N % 40))).hl7"
}

visit_lab() {
    benign hl7_oru 10.20.20.30 $ENGINE 2575 "laboratory result" -- \
        hl7 lab "oru$(printf %02d $((N % 40))).hl7"
}

visit_clinician() {
    local document
    benign ehr_fhir 10.20.30.11 $PORTAL 443 "clinician reads FHIR" -- web ws1 \
        "https://fhir.$DOMAIN/fhir/Patient-$((80001000 + N % 60))" "https://dpi.$DOMAIN/" \
        "https://fhir.$DOMAIN/fhir/Bundle"
    benign dicomweb 10.20.30.11 $PACS 8042 "clinician QIDO over DICOMweb" -- \
        nsx ws1 curl -sS -u medecin:Medecin1 "http://pacs.$DOMAIN:8042/dicom-web/studies"
    document=$(ls "$RUN/data/share" | sed -n "$((N % 60 + 60))p")
    benign smb_doc 10.20.30.11 $FILES 445 "clinician opens documents" -- open_document "$document"
}

# open_document FILE: not a failure of the lab when the locker renamed it in between.
open_document() {
    smb ws1 m.durand "ls; get $1 /dev/null" || [ ! -e "$RUN/data/share/$1" ]
}

visit_secretary() {
    benign mail_int "$WS2" 10.20.10.60 25 "secretary sends internal mail" -- \
        nsx ws2 swaks --server 10.20.10.60 --from "secretariat@$DOMAIN" --to "cardio@$DOMAIN" \
        --h-Subject Planning --attach "$RUN/data/newdoc.txt"
    benign smb_write "$WS2" $FILES 445 "secretary saves a document" -- \
        smb ws2 secretaire "put $RUN/data/newdoc.txt courrier_$N.txt; allinfo courrier_$N.txt"
    benign web_drive "$WS2" 203.0.113.20 443 \
        "secretary downloads a clean document from the cloud drive" -- \
        web ws2 https://drive.cloudapp.example/doc.bin
    benign cloud_claim "$WS2" 203.0.113.10 443 \
        "AUTHORISED transfer of patient data to the insurer partner (FHIR over TLS)" -- \
        web ws2 -H 'Content-Type: application/fhir+json' --data-binary "@$RUN/data/claims.json" \
        https://api.assurance-sante.example/fhir
}

visit_monitor() {
    benign mqtt_vitals 10.20.20.40 10.20.10.70 1883 "patient monitor publishes vitals" -- \
        nsx mon1 mosquitto_pub -h 10.20.10.70 -t chu/rea/lit3/spo2 -q 1 \
        -m "{\"spo2\":$((94 + N % 5)),\"fc\":$((70 + N % 20))}"
}

visit_administrator() {
    local agent=$((10 + N % 60))
    benign snmp 10.20.30.50 10.20.40.30 161 "administrator polls the printer" -- \
        nsx adm snmpwalk -v2c -c public -t 2 10.20.40.30 1.3.6.1.2.1.1
    benign ntp 10.20.30.50 10.20.10.53 123 "NTP query" -- \
        nsx adm timeout 6 chronyd -Q -t 5 -f /dev/null "server 10.20.10.53 iburst maxsamples 1"
    benign ssh_adm 10.20.30.50 $ENGINE 22 "administrator logs in" -- \
        nsx adm sshpass -p Rivemont-sysadm ssh -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null sysadm@$ENGINE "id; uptime"
    benign ldap_auth $PORTAL 10.20.10.50 389 "EHR binds one user" -- \
        nsx dpi ldapsearch -x -H ldap://10.20.10.50 -D "uid=a0$agent,ou=agents,dc=chu-rivemont,dc=test" \
        -w "Secret-0$agent" -b ou=agents,dc=chu-rivemont,dc=test "uid=a0$agent" mail
}

visit_supervision() {
    benign supervision 10.20.30.50 $PORTAL 443 \
        "periodic health check (regular interval, legitimate)" -- web adm -I "https://dpi.$DOMAIN/"
}

visit_building() {
    benign modbus_poll 10.20.30.50 10.20.40.20 502 "building management polls the controller" -- \
        nsx adm "$PY" "$LAB/parts/programs/modbus_client.py" 10.20.40.20 read
}

visit_cdn() {
    local name
    name=e$N-a1b2c3d4e5f6.dscb.$(printf %x $((N * 7919))).eu-west-3.edge.akam-cdn.example
    benign dns_cdn 10.20.30.11 10.20.10.53 53 "long but legitimate CDN host names" -- \
        nsx ws1 dig +short +time=2 "$name" A
}

# once_retrieve: a study is looked up and fetched; then the nightly backup, early.
once_retrieve() {
    mkdir -p "$RUN/fetched"
    pause once:retrieve 9000 15000
    benign dcm_get 10.20.30.11 $PACS 4242 "clinician C-FIND and C-GET of one study" -- fetch_study
    pause once:backup 12000 18000
    benign smb_backup 10.20.30.50 $FILES 445 \
        "authorised backup job: 60 reads, 6 temporary files renamed" -- \
        smb_script adm sysadm "$RUN/smb_backup.txt"
}

fetch_study() {
    nsx ws1 findscu -S -aet WS1 -aec PACSCHU -k 0008,0052=STUDY -k 0008,0050=ACCct1 \
        -k 0020,000D $PACS 4242 &&
        nsx ws1 getscu -od "$RUN/fetched" -S -aet WS1 -aec PACSCHU -k 0008,0052=STUDY \
            -k "0020,000D=$(cat "$RUN/study-uid")" $PACS 4242
}

once_inventory() {
    pause once:inventory 2000 5000
    benign inventory_scan 10.20.30.50 10.20.10.0/26 icmp \
        "authorised inventory (ping scan) by the administrator" -- \
        nsx adm timeout 15 nmap -n -sn -T4 10.20.10.0/26
    benign update 10.20.30.50 203.0.113.10 443 "software update download" -- \
        web adm https://maj.editeur.example/maj.bin
}

# Chromium reads a private authority from the NSS store of its home only.
once_browser() {
    command -v chromium >/dev/null || return 0
    pause once:browser 3000 6000
    benign browser 10.20.30.11 $PORTAL 443 "Chromium loads the EHR portal (private CA in NSS)" -- \
        nsx ws1 env HOME="$RUN/home-ws1" SSLKEYLOGFILE="$RUN/keylog" timeout 25 chromium \
        --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --disable-background-networking --disable-component-update --no-first-run \
        --user-data-dir="$RUN/home-ws1/c" --virtual-time-budget=3000 --dump-dom "https://dpi.$DOMAIN/"
}
