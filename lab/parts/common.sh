# common.sh - words that every part uses: log, run on a host, draw from the seed, note an event.

NS=vl           # prefix of the namespaces: a lab kills processes of these and of no others
DOMAIN=chu-rivemont.test

log() { echo "[$(date +%T)] $*" >&2; }
die() { echo "hospital: $*" >&2; exit 2; }
now() { date +%s.%N; }

# nsx HOST CMD...: runs a command on a host.
nsx() {
    local host=$1
    shift
    ip netns exec "$NS-$host" "$@"
}

# bg HOST CMD...: starts a service on a host, its output in the host's log.
bg() {
    local host=$1
    shift
    setsid ip netns exec "$NS-$host" "$@" >>"$RUN/log/$host.log" 2>&1 </dev/null &
    disown
}

# draw NAME LOW HIGH: a number of LOW..HIGH that only the seed and NAME decide. Not $RANDOM: a
# subshell reseeds that, and the loops of this lab are subshells.
draw() {
    local hash
    hash=$(printf '%s:%s' "$SEED" "$1" | sha256sum | cut -c1-8)
    echo $(($2 + 16#$hash % ($3 - $2 + 1)))
}

# shuffled PHASE WORD...: the words in an order that the seed decides.
shuffled() {
    local phase=$1 word
    shift
    for word; do echo "$(draw "order:$phase:$word" 0 999999999) $word"; done | sort -n | cut -d' ' -f2
}

# pause NAME LOW HIGH: sleeps a drawn number of milliseconds.
pause() {
    local ms
    ms=$(draw "$1" "$2" "$3")
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# event CLASS ID SRC DST PORT TECHNIQUE TEXT -- CMD...: runs a command, notes start, end, exit code.
event() {
    local class=$1 id=$2 src=$3 dst=$4 port=$5 technique=$6 text=$7 begin rc
    shift 8
    begin=$(now)
    "$@" >>"$RUN/log/event-$id.log" 2>&1 </dev/null
    rc=$?
    note "$class" "$id" "$src" "$dst" "$port" "$technique" "$text" "$begin" "$(now)" $rc
}

# note: one line of ground truth. A line is shorter than a pipe buffer, so writers do not mix.
note() {
    printf '{"class":"%s","id":"%s","src":"%s","dst":"%s","port":"%s","technique":"%s","text":"%s",' \
        "${@:1:7}" >"$RUN/note.$BASHPID"
    printf '"start":%s,"end":%s,"rc":%d}\n' "${@:8:3}" >>"$RUN/note.$BASHPID"
    cat "$RUN/note.$BASHPID" >>"$RUN/events.jsonl"
    rm -f "$RUN/note.$BASHPID"
}

benign() { local id=$1 src=$2 dst=$3 port=$4 text=$5; shift 6
    event benign "$id" "$src" "$dst" "$port" "" "$text" -- "$@"; }
attack() { event attack "$@"; }
