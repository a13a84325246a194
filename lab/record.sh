#!/bin/bash
# record.sh - records the day that `vigie demo` and the tests read: lab/recorded/day.*
#   ./record.sh           runs the hospital, then packs it
#   ./record.sh FOLDER    packs the result of an earlier run (hospital.pcap, .json, .keylog)
# The capture holds the EICAR test string on the wire, so it is stored compressed and with every octet
# XOR 0xA5: no scanner takes the repository for malware, and nothing in it can run.
# Environment: LAB_SEED=7   LAB_HOURS=8
set -euo pipefail
LAB=$(cd "$(dirname "$0")" && pwd)
RECORDED=$LAB/recorded
PACKED_BYTES_MAX=$((8 * 1024 * 1024))
RAW_BYTES_MAX=60000000

work=$(mktemp -d -t vigie-day.XXXXXX)
trap 'rm -rf "$work"' EXIT

if [ $# -gt 0 ]; then
    run=$1
else
    run=$work/run
    LAB_OUT=$run "$LAB/hospital.sh" all
fi

python3 "$LAB/stretch.py" "$run" "$work" --hours "${LAB_HOURS:-8}" --seed "${LAB_SEED:-7}"
raw=$(stat -c %s "$work/day.pcap")
[ "$raw" -le $RAW_BYTES_MAX ] || { echo "record: day.pcap has $raw octets, over $RAW_BYTES_MAX" >&2; exit 1; }

# A window of 128 MiB sees every copy of an exchange, and is what readers accept by default.
zstd --quiet -19 --long=27 --force "$work/day.pcap" -o "$work/day.pcap.zst"
packed=$(stat -c %s "$work/day.pcap.zst")
[ "$packed" -le $PACKED_BYTES_MAX ] ||
    { echo "record: packed to $packed octets, over $PACKED_BYTES_MAX" >&2; exit 1; }

mkdir -p "$RECORDED"
python3 - "$work/day.pcap.zst" "$RECORDED/day.pcap.zst.xor" <<'PY'
import sys
source, target = sys.argv[1:3]
with open(source, "rb") as file, open(target, "wb") as out:
    out.write(file.read().translate(bytes(octet ^ 0xA5 for octet in range(256))))
PY
cp "$work/day.truth.json" "$RECORDED/day.truth.json"
cp "$run/hospital.keylog" "$RECORDED/day.keylog"
echo "record: $raw octets of capture, $packed packed"
