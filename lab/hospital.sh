#!/bin/bash
# hospital.sh - a small hospital of real programs in private network namespaces: no uplink, no address
# on this machine, nothing simulated at packet level.
#   ./hospital.sh all            build, a minute of mixed traffic, capture, ground truth, tear down
#   ./hospital.sh up|down        build and leave running; end every process of it (always safe)
#   ./hospital.sh traffic        the scripted minute, on a hospital that is up
#   ./hospital.sh exec HOST CMD  a command on one of its hosts
#   ./hospital.sh record         record the day of `vigie demo` (lab/record.sh)
# Environment:
#   LAB_OUT=lab/out      result: hospital.pcap, .json, .keylog, log/. No blanks in the path
#   LAB_RUN=             working files; default a new temporary folder, removed by `down`
#   LAB_SECONDS=60       length of the benign loops
#   LAB_ATTACKS=1        0 = a quiet minute; or a list of attacks, recon_scan,ransomware_smb
#   LAB_SEED=7           people, documents, order and times of what happens, who is the intruder
#   LAB_PY=              Python with lab/requirements.txt; default an environment that is made once
#   LAB_SENSOR='cmd'     run at the switch during the traffic, LAB_IF=br0: a live sensor under test;
#                        ended by SIGTERM (write 'exec ...') just before the capture ends
#   LAB_SENSOR_READY=    command that succeeds once the sensor captures; traffic waits for it
#   LAB_GATEWAY='cmd'    run on the firewall: eth0 = inside, wan0 = outside
# Exit: 0 clean; 1 ran, but a benign exchange failed or an event left no packet; 2 something is missing
# or another lab is alive. Needs root. docs/howto/run-the-lab.md says more.
set -u
LAB=$(cd "$(dirname "$0")" && pwd)
export PATH=$PATH:/usr/sbin:/sbin PYTHONDONTWRITEBYTECODE=1

for part in common hosts network checks services clinical benign attacks traffic; do
    # shellcheck source=/dev/null
    . "$LAB/parts/$part.sh"
done

usage() { sed -n '2,/^set -u/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2; }

settings() {
    OUT=${LAB_OUT:-$LAB/out}
    SECS=${LAB_SECONDS:-60}
    ATTACKS=${LAB_ATTACKS:-1}
    SEED=${LAB_SEED:-7}
    mkdir -p "$OUT" && OUT=$(cd "$OUT" && pwd) || exit 2
    RUN=${LAB_RUN:-$(cat "$OUT/run-dir" 2>/dev/null)}
    [ -z "$RUN" ] || RUN=$(realpath -m "$RUN")
    cast
}

up() {
    python_environment
    down_namespaces
    make_run_folder
    log "documents, images and certificates"
    "$PY" "$LAB/parts/documents.py" "$RUN" "$SEED" && "$PY" "$LAB/parts/images.py" "$RUN" "$SEED" ||
        die "the documents could not be generated"
    make_certificates
    log "switch and hosts"
    make_switch
    make_outside
    log "services"
    start_services
    wait_for_services
}

down() {
    down_namespaces
    [ -z "$RUN" ] || [ ! -f "$RUN/.vigie-lab" ] || rm -rf "$RUN"
    rm -f "$OUT/run-dir"
}

all() {
    local begin rc
    begin=$(date +%s)
    trap down EXIT
    up
    traffic
    rc=$?
    log "$(($(date +%s) - begin)) s before the tear-down, result in $OUT"
    return $rc
}

main() {
    local command=${1:-all}
    [ $# -eq 0 ] || shift
    case $command in
        all) settings; need_root; lock; need_programs; all ;;
        up) settings; need_root; lock; need_programs; up; log "up: $RUN" ;;
        traffic) settings; need_root; need_alive; python_environment; traffic ;;
        down) settings; need_root; down; log "down" ;;
        exec) settings; need_root; need_alive; [ $# -ge 2 ] || usage; nsx "$@" ;;
        record) exec "$LAB/record.sh" "$@" ;;
        *) usage ;;
    esac
}

# On one line: bash reads a script while it runs, and this one may be edited meanwhile.
main "$@"; exit
