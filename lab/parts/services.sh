# services.sh - certificates, the outside, and the services every enterprise has.
# All configuration is written into the run folder; nothing of the machine is read but the packages.

start_services() {
    outside_names
    web_sites
    intruder_servers
    names_addresses_time
    accounts
    remote_shells
    file_server
    directory
    mail_broker_printer
    clinical_services
}

make_certificates() {
    local pki=$RUN/pki
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$pki/ca.key" -out "$pki/ca.crt" -days 400 \
        -subj "/O=CHU Rivemont/CN=AC de test" 2>/dev/null
    certificate dpi "dpi.$DOMAIN" "DNS:dpi.$DOMAIN,DNS:fhir.$DOMAIN"
    certificate inet cloudapp.example "DNS:drive.cloudapp.example,DNS:api.assurance-sante.example,\
DNS:maj.editeur.example,DNS:depot.filedrop.example,DNS:*.akam-cdn.example"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$pki/c2.key" -out "$pki/c2.crt" -days 90 \
        -subj "/C=XX/O=Default/CN=localhost" 2>/dev/null
}

# certificate FILE NAME ALTERNATIVES: signed by the hospital's own authority.
certificate() {
    local base=$RUN/pki/$1 ca=$RUN/pki/ca
    openssl req -newkey rsa:2048 -nodes -keyout "$base.key" -out "$base.csr" -subj "/CN=$2" 2>/dev/null
    echo "subjectAltName=$3" >"$base.ext"
    openssl x509 -req -in "$base.csr" -CA "$ca.crt" -CAkey "$ca.key" -CAcreateserial \
        -out "$base.crt" -days 390 -extfile "$base.ext" 2>/dev/null
}

outside_names() {
    cat >"$RUN/outside-dns.conf" <<EOF
no-resolv
no-hosts
listen-address=203.0.113.53
bind-interfaces
address=/drive.cloudapp.example/203.0.113.20
address=/depot.filedrop.example/203.0.113.20
address=/cloudapp.example/203.0.113.20
address=/assurance-sante.example/203.0.113.10
address=/editeur.example/203.0.113.10
address=/akam-cdn.example/203.0.113.10
address=/analytics-js.example/203.0.113.66
server=/t.cdn-sync.example/203.0.113.67
EOF
    bg inet dnsmasq -k -C "$RUN/outside-dns.conf" -u root -x "$RUN/outside-dns.pid"
}

# nginx_on HOST TOKENS SERVERS: a second nginx needs its own folder for each kind of temporary file.
nginx_on() {
    local home=$RUN/nginx-$1 kind paths=""
    mkdir -p "$home"
    for kind in client_body proxy fastcgi uwsgi scgi; do paths="$paths ${kind}_temp_path $home/$kind;"; done
    cat >"$home.conf" <<EOF
daemon off; worker_processes 1; user root; pid $home/pid; error_log $RUN/log/nginx-$1.log;
events { worker_connections 256; }
http {
  $paths
  access_log off; server_tokens $2; client_max_body_size 50m;
  include /etc/nginx/mime.types; types { application/fhir+json fhir; }
  $3
}
EOF
    bg "$1" nginx -p "$home" -e "$RUN/log/nginx-$1.log" -c "$home.conf"
}

# tls NAME: nginx 1.22 of Debian leaves TLS 1.3 out unless told.
tls() {
    echo "ssl_protocols ${2:-TLSv1.2 TLSv1.3}; ssl_certificate $RUN/pki/$1.crt;
        ssl_certificate_key $RUN/pki/$1.key;"
}

web_sites() {
    nginx_on inet on "server { listen 80; listen 443 ssl http2; $(tls inet) root $RUN/data/inet;
        location /upload { return 201 recu; }
        location /fhir { default_type application/fhir+json;
            return 201 '{\"resourceType\":\"OperationOutcome\"}'; } }"
    nginx_on dpi on "server { listen 80; return 301 https://\$host\$request_uri; }
        server { listen 443 ssl http2; $(tls dpi) root $RUN/data/www;
            location /fhir/ { default_type application/fhir+json; types {}
                try_files \$uri.json \$uri =404; }
            location / { root $RUN/data/www/portail; index index.html; } }"
}

intruder_servers() {
    nginx_on c2 off "server { listen 80; listen 203.0.113.66:443 ssl; $(tls c2 TLSv1.2)
        root $RUN/data/inet; location /submit { return 200 ok; } }"
    bg c2 iodined -f -c -P Exercice1 -l 203.0.113.67 172.31.99.1/27 t.cdn-sync.example
    mkdir -p "$RUN/leaked"
    bg c2 storescp -od "$RUN/leaked" -aet LEAK 11112
}

names_addresses_time() {
    local host ip _
    cat >"$RUN/dns.conf" <<EOF
no-resolv
no-hosts
server=203.0.113.53
local=/$DOMAIN/
domain=$DOMAIN
listen-address=10.20.10.53
bind-interfaces
interface=eth0
dhcp-range=10.20.30.100,10.20.30.150,255.255.0.0,1h
dhcp-option=option:router,10.20.0.1
dhcp-option=option:dns-server,10.20.10.53
dhcp-option=option:ntp-server,10.20.10.53
dhcp-leasefile=$RUN/leases
dhcp-authoritative
cname=fhir.$DOMAIN,dpi.$DOMAIN
EOF
    while read -r host ip _; do
        [ -z "${host:-}" ] || [ "$ip" = dhcp ] || echo "host-record=$host.$DOMAIN,$ip"
    done <<<"$LAN_HOSTS" >>"$RUN/dns.conf"
    bg dns dnsmasq -k -C "$RUN/dns.conf" -u root -x "$RUN/dns.pid"
    # -x: never touch the clock of the machine.
    printf '%s\n' 'local stratum 3' 'allow 10.20.0.0/16' 'port 123' 'cmdport 0' \
        "driftfile $RUN/drift" "pidfile $RUN/chronyd.pid" >"$RUN/chrony.conf"
    bg dns chronyd -x -d -u root -f "$RUN/chrony.conf"
}

# accounts: people who log in to `files` and `ris`. The files are seen in those namespaces only, and
# the copied shadow file holds no hash of this machine.
accounts() {
    local host user etc
    for host in files ris; do
        etc=/etc/netns/$NS-$host
        cp /etc/passwd /etc/group "$etc/"
        awk -F: '{ print $1 ":*:20000:0:99999:7:::" }' /etc/shadow >"$etc/shadow"
        for user in m.durand sysadm secretaire; do
            echo "$user:x:$((1500 + ${#user})):100::$RUN:/bin/sh" >>"$etc/passwd"
            echo "$user:$(openssl passwd -6 "Rivemont-$user"):20000:0:99999:7:::" >>"$etc/shadow"
        done
    done
}

remote_shells() {
    local host home
    mkdir -p /run/sshd
    for host in files ris; do
        home=$RUN/ssh-$host
        mkdir -p "$home"
        ssh-keygen -q -t ed25519 -N '' -f "$home/key"
        printf '%s\n' 'Port 22' 'ListenAddress 0.0.0.0' "HostKey $home/key" 'PidFile none' 'UsePAM no' \
            'MaxAuthTries 6' 'MaxStartups 50' 'StrictModes no' >"$home/conf"
        bg $host /usr/sbin/sshd -D -f "$home/conf"
    done
}

file_server() {
    local user home=$RUN/smb
    mkdir -p "$home/ncalrpc" /run/samba
    cat >"$RUN/smb.conf" <<EOF
[global]
 workgroup = RIVEMONT
 server string = Serveur de fichiers
 netbios name = FILES
 server min protocol = SMB2_10
 smb ports = 445
 bind interfaces only = yes
 interfaces = 10.20.10.40
 private dir = $home
 lock directory = $home
 state directory = $home
 cache directory = $home
 pid directory = $home
 ncalrpc dir = $home/ncalrpc
 log file = $RUN/log/smbd.log
 disable spoolss = yes
 load printers = no
 passdb backend = tdbsam:$home/passdb.tdb
[dossiers]
 path = $RUN/data/share
 read only = no
 force user = root
[confidentiel]
 path = $RUN/data/share2
 valid users = root
EOF
    # A private /run/samba: a winbindd of the machine must not answer for this server.
    for user in m.durand secretaire sysadm; do
        printf 'Rivemont-%s\nRivemont-%s\n' $user $user | nsx files sh -c \
            "mount -t tmpfs none /run/samba; exec smbpasswd -c $RUN/smb.conf -s -a $user" \
            >>"$RUN/log/files.log" 2>&1
    done
    # smbd ends its process group when it ends, hence --no-process-group.
    bg files sh -c "mount -t tmpfs none /run/samba; exec smbd -F --no-process-group -s $RUN/smb.conf"
}

directory() {
    local schema
    mkdir -p "$RUN/ldap"
    for schema in core cosine inetorgperson; do echo "include /etc/ldap/schema/$schema.schema"; done \
        >"$RUN/slapd.conf"
    cat >>"$RUN/slapd.conf" <<EOF
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $RUN/ldap/pid
sizelimit 2000
database mdb
suffix "dc=chu-rivemont,dc=test"
rootdn "cn=admin,dc=chu-rivemont,dc=test"
rootpw Admin1
directory $RUN/ldap
EOF
    slapadd -f "$RUN/slapd.conf" -l "$RUN/base.ldif" >>"$RUN/log/ldap.log" 2>&1
    bg ldap slapd -d 0 -f "$RUN/slapd.conf" -h ldap://10.20.10.50:389/
}

mail_broker_printer() {
    bg mail smtp-sink -u root -h "mail.$DOMAIN" 10.20.10.60:25 100
    printf '%s\n' 'listener 1883 10.20.10.70' 'allow_anonymous true' 'user root' >"$RUN/broker.conf"
    bg mqtt mosquitto -c "$RUN/broker.conf"
    printf '%s\n' 'rocommunity public' 'sysLocation Radiologie' \
        'sysDescr Lexmark CX725 version CXTAT.230' 'agentaddress udp:10.20.40.30:161' >"$RUN/snmpd.conf"
    bg prn snmpd -f -C -c "$RUN/snmpd.conf" -p "$RUN/snmpd.pid" -Lo -I -smux,mteTrigger,mteTriggerConf
}
