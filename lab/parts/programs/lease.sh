#!/bin/sh
# lease.sh - what udhcpc calls: takes the address and notes it in the file LAB_LEASE.
# shellcheck disable=SC2154
if [ "$1" = bound ]; then
    ip addr add "$ip/16" brd + dev "$interface"
    ip route add default via "$router"
    echo "$ip" >"$LAB_LEASE"
fi
