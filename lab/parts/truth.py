#!/usr/bin/env python3
"""Ground truth of a lab capture: what really happened, and how many packets each event left.

Enters: `events.jsonl` of a run, the host tables (environment LAB_LAN_HOSTS, LAB_WAN_HOSTS, LAB_WS2)
and the capture. Leaves: a JSON file of format 1 and a summary on standard output.
Exit: 0; 1 when a benign exchange failed or an event left no packet.
"""

import bisect
import collections
import ipaddress
import json
import os
import sys

import pcapfile

# Packets this long before or after an event still belong to it: clocks are read around processes.
SLACK_SECONDS = 0.2


def main(run, out):
    """Writes OUT/hospital.json for OUT/hospital.pcap."""
    with open(f"{run}/events.jsonl", encoding="utf-8") as lines:
        events = sorted((json.loads(line) for line in lines), key=lambda e: e["start"])
    hosts = lan_hosts() + wan_hosts()
    frames = pcapfile.read(f"{out}/hospital.pcap")
    seen = observed(frames, hosts)
    count(events, seen)
    truth = {
        "format": 1,
        "capture": {
            "file": "hospital.pcap",
            "packets": len(seen),
            "bytes": sum(frame.wire_len for frame in frames),
            "first": seen[0][0],
            "last": seen[-1][0],
            "where": "bridge br0 of the hospital switch; each unicast frame once; offloads off",
        },
        "hosts": hosts,
        "policy": policy(),
    }
    fill(truth, events)
    save(f"{out}/hospital.json", truth)
    return report(truth, events)


def lan_hosts():
    """The hosts of the hospital, from the table that built them."""
    hosts = []
    for name, ip, mac, kind, role, software in rows("LAB_LAN_HOSTS"):
        dhcp = ip == "dhcp"
        hosts.append({
            "name": name,
            "ip": os.environ["LAB_WS2"] if dhcp else ip,
            "mac": mac,
            "kind": kind,
            "role": role,
            "software": software.split(","),
            "zone": "hospital",
            "addressing": "dhcp" if dhcp else "static",
        })
    return hosts


def wan_hosts():
    """The hosts of the outside, each with several addresses."""
    return [
        {
            "name": name,
            "ip": ips.split(","),
            "mac": None,
            "kind": kind,
            "role": role,
            "software": software.split(","),
            "zone": "internet",
        }
        for name, ips, kind, role, software in rows("LAB_WAN_HOSTS")
    ]


def rows(variable):
    """The lines of a table as lists of words."""
    return [line.split() for line in os.environ[variable].splitlines() if line.split()]


def policy():
    """What the hospital allows."""
    return {
        "authorised_partners": ["api.assurance-sante.example"],
        "sanctioned_cloud": ["drive.cloudapp.example", "maj.editeur.example"],
        "dicom_sources": {"CT1": "10.20.20.11", "US1": "10.20.20.12", "WS1": "10.20.30.11"},
        "hl7_sources": ["10.20.10.21", "10.20.20.30"],
        "admins": ["10.20.30.50"],
        "modbus_masters": ["10.20.30.50"],
    }


def observed(frames, hosts):
    """(seconds, source, destination, ports, octets) of IPv4 and ARP frames, by time."""
    owner = {host["mac"]: host["ip"] for host in hosts if host["mac"]}
    seen = []
    for frame in frames:
        ends, arp = frame.ends(), frame.arp()
        seconds = frame.time / 1e6
        if ends:
            row = (seconds, ends.src, ends.dst, ends.sport, ends.dport, frame.wire_len)
        elif arp:
            mac, sender, target = arp
            # A gratuitous ARP names an address that may be a lie; the MAC says who sent it.
            source = owner.get(mac, "?") if sender == target else sender
            row = (seconds, source, target, -1, -1, frame.wire_len)
        else:
            continue
        seen.append(row)
    return sorted(seen)


def count(events, seen):
    """Sets `packets` and `bytes` of each event: its two ends, its port, its time."""
    times = [row[0] for row in seen]
    for event in events:
        first = bisect.bisect_left(times, event["start"] - SLACK_SECONDS)
        last = bisect.bisect_right(times, event["end"] + SLACK_SECONDS)
        mine = [row[5] for row in seen[first:last] if belongs(event, row)]
        event["packets"], event["bytes"] = len(mine), sum(mine)


def belongs(event, row):
    """True when a packet runs between the two ends of an event, on its port if it has one."""
    _, src, dst, sport, dport, _ = row
    if src == event["src"] and inside(dst, event["dst"]):
        port = dport
    elif dst == event["src"] and inside(src, event["dst"]):
        port = sport
    else:
        return False
    return not event["port"].isdigit() or port == int(event["port"])


_networks = {}


def inside(ip, network):
    """True when the address lies in the address or CIDR."""
    key = (ip, network)
    if key not in _networks:
        try:
            _networks[key] = ipaddress.ip_address(ip) in ipaddress.ip_network(network)
        except ValueError:
            _networks[key] = False
    return _networks[key]


def fill(truth, events):
    """Sorts the events into the truth."""
    truth["attacks"] = [e for e in events if e["class"] == "attack"]
    truth["benign"] = [e for e in events if e["class"] != "attack"]
    truth["benign_summary"] = dict(collections.Counter(e["id"] for e in truth["benign"]))


def save(path, truth):
    """Writes the truth with one host or event a line, so that two of them can be compared."""
    parts = []
    for key, value in truth.items():
        if isinstance(value, list):
            lines = ",\n".join("  " + json.dumps(v, ensure_ascii=False) for v in value)
            parts.append(f' "{key}": [\n{lines}\n ]')
        else:
            parts.append(f' "{key}": {json.dumps(value, ensure_ascii=False)}')
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")


def report(truth, events):
    """Prints the summary; the exit code."""
    capture = truth["capture"]
    failed = sorted({e["id"] for e in truth["benign"] if e["rc"]})
    silent = [e["id"] for e in events if not e["packets"] and e["id"] != "dhcp"]
    for e in truth["attacks"]:
        print(f'{e["id"]:20} {e["src"]:14} -> {e["dst"]:16} {e["port"]:7} rc={e["rc"]:<3}'
              f' {e["end"] - e["start"]:5.1f}s {e["packets"]:6} packets {e["bytes"]:9} B')
    print(f'packets {capture["packets"]}, MB {capture["bytes"] / 1e6:.2f},'
          f' seconds {capture["last"] - capture["first"]:.1f},'
          f' benign {len(truth["benign"])}, attacks {len(truth["attacks"])}')
    print("failed benign:", ", ".join(failed) or "none")
    print("events without packets:", ", ".join(sorted(set(silent))) or "none")
    return 1 if failed or silent else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
