# checks.sh - what must be there before anything is built, and when a service is ready.

PROGRAMS="ip ethtool tcpdump storescu findscu getscu echoscu wlmscpfs storescp Orthanc smbd smbclient
 smbpasswd dnsmasq nginx nmap iodine iodined curl dig sshd ssh sshpass slapd slapadd ldapsearch mosquitto
 mosquitto_pub smtp-sink swaks snmpd snmpwalk chronyd udhcpc ping arping certutil openssl python3"
DEBIAN_PACKAGES="iproute2 ethtool tcpdump dcmtk orthanc orthanc-dicomweb samba smbclient dnsmasq
 nginx-light nmap iodine curl dnsutils openssh-server sshpass slapd ldap-utils mosquitto
 mosquitto-clients postfix swaks snmpd snmp chrony udhcpc iputils-ping iputils-arping chromium
 libnss3-tools openssl python3-venv"

need_root() { [ "$(id -u)" = 0 ] || die "root is needed for network namespaces"; }

need_programs() {
    local program missing=""
    for program in $PROGRAMS; do
        command -v "$program" >/dev/null || missing="$missing $program"
    done
    [ -z "$missing" ] || die "missing programs:$missing
on Debian: apt-get install --no-install-recommends" $DEBIAN_PACKAGES
    [ -c /dev/net/tun ] || log "WARNING no /dev/net/tun: the DNS tunnel will fail"
    command -v chromium >/dev/null || log "WARNING no chromium: the browser visit is left out"
}

need_alive() {
    ip netns list | grep -q "^$NS-sw" && [ -n "$RUN" ] ||
        die "no hospital is up for LAB_OUT=$OUT: run '$0 up' first"
}

# lock: one lab at a time. The services inherit the lock, so it lives as long as they do.
lock() {
    exec 9>/run/vigie-lab.lock
    flock -n 9 || die "another lab is alive on this machine; wait for it, or stop it: $0 down"
}

# python_environment: PY is a Python with lab/requirements.txt, and mllp_send beside it.
python_environment() {
    local venv
    PY=${LAB_PY:-}
    if [ -z "$PY" ]; then
        venv=${VIGIE_DEV_CACHE:-$LAB/../.dev/cache}/lab-venv
        PY=$venv/bin/python
        has_packages || make_venv "$venv"
    fi
    PY=$(realpath -s "$(command -v "$PY" || echo "$PY")")
    has_packages || die "$PY lacks what lab/requirements.txt names, or mllp_send beside it: set LAB_PY"
    BIN=$(dirname "$PY")
}

has_packages() {
    "$PY" -c 'import pydicom, hl7.mllp, pymodbus' 2>/dev/null && [ -x "$(dirname "$PY")/mllp_send" ]
}

make_venv() {
    log "python environment in $1"
    python3 -m venv "$1" && "$1/bin/pip" install --quiet -r "$LAB/requirements.txt" >&2 ||
        die "the python environment could not be made; set LAB_PY to a Python with lab/requirements.txt"
}

# wait_port HOST IP PORT: up to 15 s, on the port and not on the clock.
wait_port() {
    local _
    for _ in $(seq 100); do
        nsx "$1" bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null && return 0
        sleep 0.15
    done
    log "WARNING $2:$3 does not answer"
    return 1
}

wait_for_services() {
    wait_port pacs 10.20.10.10 4242
    wait_port ris 10.20.10.20 2575
    wait_port ris 10.20.10.20 4243
    wait_port ris 10.20.10.20 22
    wait_port files 10.20.10.40 445
    wait_port ldap 10.20.10.50 389
    wait_port dpi 10.20.10.30 443
    wait_port plc 10.20.40.20 502
    wait_port mqtt 10.20.10.70 1883
    wait_port mail 10.20.10.60 25
    wait_port inet 203.0.113.20 443
    wait_port c2 203.0.113.66 443
    wait_port c2 203.0.113.66 11112
}
