# traffic.sh - the minute itself: capture, everybody's loops, the intruder, the ground truth.

traffic() {
    local job jobs=""
    prepare_homes
    start_capture
    start_observers
    END=$(($(date +%s) + SECS))
    lease_address
    log "traffic for $SECS s (ws2 = $WS2, intruder $INTRUDER)"
    while read -r name period; do
        [ -z "$name" ] || { repeat "$name" "$period" & jobs="$jobs $!"; }
    done <<<"$LOOPS"
    for job in once_retrieve once_inventory once_browser; do
        $job &
        jobs="$jobs $!"
    done
    [ "$ATTACKS" = 0 ] || { attacks & jobs="$jobs $!"; }
    # shellcheck disable=SC2086
    wait $jobs
    sleep 1  # late closes
    stop_observers
    stop_capture
    write_truth
}

# Who comes how often: name of a `visit_` function, seconds between two visits.
LOOPS="
ct 8
us 11
gap 2
lab 3
clinician 4
secretary 7
monitor 1
administrator 12
supervision 3
building 5
cdn 2
"

prepare_homes() {
    local host nss=$RUN/home-ws1/.pki/nssdb
    : >"$RUN/events.jsonl"
    touch "$RUN/keylog"
    for host in ws1 ws2 ws3 adm; do mkdir -p "$RUN/home-$host"; done
    mkdir -p "$nss"
    certutil -d "sql:$nss" -N --empty-password
    certutil -d "sql:$nss" -A -t C,, -n lab -i "$RUN/pki/ca.crt"
}

# -Z root: tcpdump drops its rights and could not write the result; -B: a ring that drops nothing.
start_capture() {
    ip netns exec $NS-sw tcpdump -Z root -i br0 -s 0 -B 32768 -w "$OUT/hospital.pcap" \
        >"$RUN/log/tcpdump.log" 2>&1 &
    TCPDUMP=$!
    for _ in $(seq 100); do
        grep -q 'listening on' "$RUN/log/tcpdump.log" && return
        sleep 0.1
    done
    die "tcpdump does not start: $(tail -1 "$RUN/log/tcpdump.log")"
}

stop_capture() {
    kill -INT $TCPDUMP
    wait $TCPDUMP 2>/dev/null
    cp "$RUN/keylog" "$OUT/hospital.keylog"
    cp -r "$RUN/log" "$OUT/" 2>/dev/null
}

# start_observers: the programs under test, if any.
start_observers() {
    [ -z "${LAB_GATEWAY:-}" ] || bg fw bash -c "$LAB_GATEWAY"
    SENSOR=
    [ -n "${LAB_SENSOR:-}" ] || return 0
    bg sw env LAB_IF=br0 bash -c "$LAB_SENSOR"
    SENSOR=$!
    [ -n "${LAB_SENSOR_READY:-}" ] || return 0
    for _ in $(seq 600); do
        bash -c "$LAB_SENSOR_READY" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    die "the sensor is not ready: $LAB_SENSOR_READY"
}

# stop_observers: the sensor ends in order, so that what it still holds is told.
stop_observers() {
    [ -n "$SENSOR" ] || return 0
    kill -TERM "$SENSOR" 2>/dev/null
    for _ in $(seq 300); do
        kill -0 "$SENSOR" 2>/dev/null || return 0
        sleep 0.1
    done
    log "WARNING the sensor does not end"
}

lease_address() {
    local begin
    begin=$(now)
    nsx ws2 env LAB_LEASE="$RUN/ws2.ip" udhcpc -q -n -t 5 -T 1 -i eth0 -x hostname:WS-SECRETARIAT \
        -s "$LAB/parts/programs/lease.sh" >>"$RUN/log/ws2.log" 2>&1
    WS2=$(address_of ws2)
    [ -n "$WS2" ] || die "ws2 got no address"
    note benign dhcp 0.0.0.0 255.255.255.255 67 "" "ws2 obtains $WS2" "$begin" "$(now)" 0
}

write_truth() {
    LAB_LAN_HOSTS=$(hosts_of_truth) LAB_WAN_HOSTS=$WAN_HOSTS LAB_WS2=$WS2 \
        python3 "$LAB/parts/truth.py" "$RUN" "$OUT"
}
