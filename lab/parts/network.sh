# network.sh - a flat LAN behind a firewall that only forwards, and a small "internet".
# The bridges live in namespaces of their own: this machine gets no address and no route.

make_run_folder() {
    RUN=$(realpath -m "${LAB_RUN:-$(mktemp -d -t vigie-lab.XXXXXX)}")
    [ -z "$(ls -A "$RUN" 2>/dev/null)" ] || [ -f "$RUN/.vigie-lab" ] || die "LAB_RUN=$RUN is not empty"
    mkdir -p "$RUN/log" "$RUN/pki"
    chmod 755 "$RUN"
    : >"$RUN/.vigie-lab"
    : >"$RUN/events.jsonl"
    echo "$RUN" >"$OUT/run-dir"
}

# offloads_off HOST IF: else captures hold frames of 64 KiB with wrong checksums.
offloads_off() {
    nsx "$1" ethtool -K "$2" tx off rx off tso off gso off gro off sg off >/dev/null 2>&1
}

# make_namespace HOST RESOLVER: `ip netns exec` binds /etc/netns/NAME over /etc.
make_namespace() {
    ip netns add "$NS-$1"
    ip -n "$NS-$1" link set lo up
    mkdir -p "/etc/netns/$NS-$1"
    echo "nameserver $2" >"/etc/netns/$NS-$1/resolv.conf"
}

make_switch() {
    local host ip mac _
    ip netns add $NS-sw
    ip -n $NS-sw link add br0 address 02:00:00:20:00:fe type bridge stp_state 0
    nsx sw sysctl -qw net.ipv6.conf.br0.disable_ipv6=1  # the bridge would speak for itself
    ip -n $NS-sw link set br0 up
    ip -n $NS-sw link set lo up
    while read -r host ip mac _; do
        [ -z "${host:-}" ] || plug_in "$host" "$ip" "$mac"
    done <<<"$LAN_HOSTS"
}

# plug_in HOST IP MAC: a host with a cable to the switch. veth and not dummy: some kernels have none.
plug_in() {
    make_namespace "$1" 10.20.10.53
    ip -n $NS-sw link add "p-$1" type veth peer name eth0 netns "$NS-$1"
    ip -n "$NS-$1" link set eth0 address "$3"
    ip -n $NS-sw link set "p-$1" master br0 up
    ip -n "$NS-$1" link set eth0 up
    offloads_off "$1" eth0
    offloads_off sw "p-$1"
    [ "$2" = dhcp ] && return
    ip -n "$NS-$1" addr add "$2/16" brd + dev eth0
    [ "$1" = fw ] || ip -n "$NS-$1" route add default via 10.20.0.1
}

make_outside() {
    local host ips _ ip
    ip netns add $NS-wan
    ip -n $NS-wan link add br1 type bridge
    ip -n $NS-wan link set br1 up
    connect_outside fw
    ip -n $NS-fw addr add 203.0.113.1/24 dev wan0
    nsx fw sysctl -qw net.ipv4.ip_forward=1
    while read -r host ips _; do
        [ -n "${host:-}" ] || continue
        make_namespace "$host" 203.0.113.53
        connect_outside "$host"
        for ip in ${ips//,/ }; do ip -n "$NS-$host" addr add "$ip/24" dev wan0; done
        ip -n "$NS-$host" route add 10.20.0.0/16 via 203.0.113.1
    done <<<"$WAN_HOSTS"
}

connect_outside() {
    ip -n $NS-wan link add "w-$1" type veth peer name wan0 netns "$NS-$1"
    ip -n $NS-wan link set "w-$1" master br1 up
    ip -n "$NS-$1" link set wan0 up
    offloads_off "$1" wan0
    offloads_off wan "w-$1"
}

namespaces() { ip netns list 2>/dev/null | awk -v prefix="$NS-" 'index($1, prefix) == 1 { print $1 }'; }

# down_namespaces: ends the processes inside our namespaces, and no other, then the namespaces.
down_namespaces() {
    local signal name pid
    [ -n "$(namespaces)" ] || return 0
    for signal in TERM KILL; do
        for name in $(namespaces); do
            for pid in $(ip netns pids "$name"); do kill -$signal "$pid" 2>/dev/null; done
        done
        sleep 0.3
    done
    for name in $(namespaces); do
        ip netns del "$name"
        rm -rf "/etc/netns/$name"
    done
    rmdir /etc/netns 2>/dev/null || true
}
