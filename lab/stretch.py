#!/usr/bin/env python3
"""Spreads a lab capture of a minute over a working day.

Enters: FOLDER/hospital.pcap and hospital.json of a lab run. Leaves: OUT/day.pcap, sorted by time,
and OUT/day.truth.json with the moved times. The inner timing of each exchange stays as it was; benign
exchanges come again and again, each copy from fresh client ports. The same seed gives the same octets.
Refuses: captures that `pcapfile` refuses. Usage: stretch.py FOLDER OUT [--hours 8] [--seed 7]
"""

import argparse
import copy
import json
import os
import random
import socket
import sys
from dataclasses import dataclass, field

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "parts"))
import pcapfile  # noqa: E402
import timetable  # noqa: E402
import truth as ground  # noqa: E402

DAY_SECONDS = 86_400
# A pause longer than this inside a repeating attack separates two of its turns.
TURN_PAUSE_US = 600_000
# A resolver asks upstream this soon after the client asked it.
UPSTREAM_US = 2_000_000
# ARP answers and late closes come after the event they belong to.
TAIL_US = 6_000_000
EPHEMERAL = range(32768, 60999)


@dataclass
class Flow:
    """The frames of one conversation; `client` sent the first."""

    frames: list
    ends: object = None
    arp: tuple = None  # the two hosts of an ARP exchange
    name: str = ""

    @property
    def start(self):
        return self.frames[0].time

    def follows(self, event):
        """True when the source of an event caused this flow in passing, a look-up for instance."""
        # A beacon runs beside everything else of its host: only its own ends are its own.
        return self.ends.src == event["src"] and event["id"] != timetable.BEACON


@dataclass
class Episode:
    """One exchange of the ground truth with every flow that it caused."""

    event: dict
    flows: list = field(default_factory=list)
    start_us: int = 0


def main(arguments):
    options = parse(arguments)
    with open(os.path.join(options.folder, "hospital.json"), encoding="utf-8") as file:
        truth = json.load(file)
    frames = pcapfile.read(os.path.join(options.folder, truth["capture"]["file"]))
    owners = {host["mac"]: host["ip"] for host in truth["hosts"] if host["mac"]}
    episodes, background = episodes_of(truth, flows_of(frames, owners))
    day = Day(frames[0].time, options.hours, random.Random(options.seed), episodes)
    day.background(background, frames)
    day.attacks([e for e in episodes if e.event["class"] == "attack"])
    day.benign([e for e in episodes if e.event["class"] != "attack"])
    day.save(truth, options.out)
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="the result of a lab run")
    parser.add_argument("out", help="where day.pcap and day.truth.json go")
    parser.add_argument("--hours", type=float, default=timetable.HOURS)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(arguments)


def flows_of(frames, owners):
    """Conversations in order of their first frame; what is neither IPv4 nor ARP stands alone."""
    flows, order = {}, []
    for frame in sorted(frames, key=lambda f: f.time):
        ends, arp = frame.ends(), asker(frame, owners)
        key = ends.flow() if ends else ("arp", frozenset(arp)) if arp else id(frame)
        known = flows.get(key)
        # The same two hosts resolve each other many times; each time is a flow of its own.
        if known is None or (arp and frame.time - known.frames[-1].time > TURN_PAUSE_US):
            known = flows[key] = Flow([], ends, arp)
            order.append(known)
            if ends and ends.dport == 53 and ends.proto == pcapfile.UDP:
                known.name = question(frame.payload())
        known.frames.append(frame)
    return order


def asker(frame, owners):
    """The two hosts of an ARP frame; of a gratuitous one the true sender and what it claims."""
    if not frame.arp():
        return None
    mac, sender, target = frame.arp()
    return (owners.get(mac, "?") if sender == target else sender, target)


def question(message):
    """The name that a DNS message asks for, lower case."""
    labels, at = [], 12
    while at < len(message) and 0 < message[at] < 64:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(labels)


def episodes_of(truth, flows):
    """Gives each flow to the event that caused it; the rest is background."""
    events = truth["attacks"] + truth["benign"]
    episodes = [Episode(event, [], int(event["start"] * 1e6)) for event in events]
    background, asked = [], {}
    for flow in flows:
        owner = cause(flow, episodes, asked)
        if owner is None:
            background.append(flow)
            continue
        owner.flows.append(flow)
        if flow.name:
            asked[flow.name] = (flow.start, owner)
    for episode in episodes:
        if episode.flows:
            episode.start_us = min(episode.start_us, min(f.start for f in episode.flows))
    return episodes, background


def cause(flow, episodes, asked):
    """The episode a flow belongs to: by name, by both ends, by its client, by being near."""
    for suffix, attack in timetable.LOOKED_UP_BY.items():
        if flow.name.endswith(suffix):
            return next((e for e in episodes if e.event["id"] == attack), None)
    if flow.ends and {flow.ends.sport, flow.ends.dport} == {67, 68}:
        return next((e for e in episodes if e.event["id"] == "dhcp"), None)
    if flow.name in asked and flow.start - asked[flow.name][0] < UPSTREAM_US:
        return asked[flow.name][1]
    if flow.ends and flow.ends.proto == pcapfile.ICMP and is_error(flow.frames[0]):
        return None
    slack = ground.SLACK_SECONDS * 1e6
    best = {}
    for episode in episodes:
        event = episode.event
        after = TAIL_US if flow.arp else slack
        if not event["start"] * 1e6 - slack <= flow.start <= event["end"] * 1e6 + after:
            continue
        rank = kinship(flow, event)
        length = event["end"] - event["start"]
        if rank and (rank not in best or length < best[rank][0]):
            best[rank] = (length, episode)
    return best[min(best)][1] if best else None


def is_error(frame):
    """True for an ICMP error: it quotes another flow, so a copy of it would quote a wrong port."""
    return frame.data[14 + (frame.data[14] & 15) * 4] not in (0, 8)


def kinship(flow, event):
    """1 = both ends and the port of an event, 2 and 3 = started by one of them, 0 = a stranger."""
    if flow.arp:
        both = event["src"] in flow.arp and any(ground.inside(h, event["dst"]) for h in flow.arp)
        return 1 if both else 0
    if not flow.ends:
        return 0
    ends = flow.ends
    if ground.belongs(event, (0, ends.src, ends.dst, ends.sport, ends.dport, 0)):
        return 1
    if flow.follows(event):
        return 2
    return 3 if ends.src == event["dst"] else 0


class Day:
    """The day being filled."""

    def __init__(self, origin_us, hours, rnd, episodes):
        self.hours, self.rnd = hours, rnd
        midnight = origin_us // 1_000_000 // DAY_SECONDS * DAY_SECONDS
        self.midnight_us = midnight * 1_000_000
        self.begin_us = self.clock(timetable.BEGIN)
        self.end_us = self.clock(timetable.BEGIN + timetable.HOURS)
        self.frames, self.events = [], []
        self.used = set()
        for flow in (flow for episode in episodes for flow in episode.flows if flow.ends):
            self.used.add((flow.ends.src, flow.ends.proto, flow.ends.sport))

    def clock(self, hour):
        """Microseconds of an hour of the timetable, scaled to the length of this day."""
        scaled = timetable.BEGIN + (hour - timetable.BEGIN) * self.hours / timetable.HOURS
        return self.midnight_us + int(scaled * 3_600_000_000)

    def background(self, flows, frames):
        """Spreads what no event explains evenly over the day."""
        first, last = frames[0].time, max(frame.time for frame in frames)
        scale = (self.end_us - self.begin_us) / max(1, last - first)
        for flow in flows:
            moved = self.begin_us + int((flow.start - first) * scale)
            self.place(flow.frames, moved - flow.start)

    def attacks(self, episodes):
        """Each attack at its hour; the repeating one in turns until its end."""
        for episode in episodes:
            at = self.clock(timetable.ATTACKS[episode.event["id"]])
            at += int(self.rnd.uniform(0, 90e6))
            if episode.event["id"] == timetable.BEACON:
                self.turns(episode, at)
            else:
                self.put(episode, at, fresh=False)

    def turns(self, episode, at):
        """Repeats the turns of an attack with its period."""
        pool = turns_of(episode)
        start, until, n = at, self.clock(timetable.BEACON_UNTIL), 0
        while at < until:
            self.copy(pool[n % len(pool)], at, fresh=n >= len(pool))
            end, n = at, n + 1
            share = self.rnd.uniform(1 - timetable.BEACON_JITTER, 1 + timetable.BEACON_JITTER)
            at += int(timetable.BEACON_MINUTES * 60e6 * share)
        self.note(episode, start, end)

    def benign(self, episodes):
        """Draws from the recorded exchanges of each kind, again and again over the day."""
        pools = {}
        for episode in episodes:
            pools.setdefault(episode.event["id"], []).append(episode)
        for kind in sorted(pools):
            pool = sorted(pools[kind], key=lambda e: e.start_us)
            if kind in timetable.ONCE:
                self.put(pool[0], self.clock(timetable.ONCE[kind]), fresh=False)
            else:
                self.repeat(pool, *timetable.BENIGN[kind])

    def repeat(self, pool, minutes, people):
        """One kind over the day; the first turn through the pool keeps the recorded ports."""
        at = self.begin_us + int(self.rnd.uniform(0.1, 1.0) * minutes * 60e6)
        n = 0
        while at < self.end_us:
            self.put(pool[n % len(pool)], at, fresh=n >= len(pool))
            n += 1
            hour = (at - self.midnight_us) / 3.6e9
            pause = self.rnd.uniform(0.6, 1.4) / timetable.rhythm(hour) if people else (
                self.rnd.uniform(0.985, 1.015))
            at += int(minutes * 60e6 * pause)

    def put(self, episode, at, fresh):
        """Places an exchange at a time and notes it in the ground truth."""
        self.copy(episode, at, fresh)
        event = episode.event
        start = at + int(event["start"] * 1e6) - episode.start_us
        self.note(episode, start, start + int((event["end"] - event["start"]) * 1e6))

    def note(self, episode, start, end):
        event = dict(episode.event)
        event["start"], event["end"] = start / 1e6, end / 1e6
        self.events.append(event)

    def copy(self, episode, at, fresh):
        shift = at - episode.start_us
        for flow in episode.flows:
            frames = self.renewed(flow) if fresh else flow.frames
            self.place(frames, shift)

    def renewed(self, flow):
        """The frames of a flow as if its client had taken another port."""
        ends = flow.ends
        if not ends or ends.proto not in (pcapfile.TCP, pcapfile.UDP) or ends.sport < 1024:
            return flow.frames
        new = self.port(ends)
        client = socket.inet_aton(ends.src)
        return [
            pcapfile.Frame(f.time, pcapfile.with_port(f.data, client, ends.sport, new), f.wire_len)
            for f in flow.frames
        ]

    def port(self, ends):
        """A client port that this host did not use before, or any once all are used."""
        for _ in range(len(EPHEMERAL)):
            new = self.rnd.choice(EPHEMERAL)
            if (ends.src, ends.proto, new) not in self.used:
                break
        self.used.add((ends.src, ends.proto, new))
        return new

    def place(self, frames, shift):
        self.frames.extend(pcapfile.Frame(f.time + shift, f.data, f.wire_len) for f in frames)

    def save(self, truth, out):
        """Writes the capture and its ground truth."""
        # Sorting by time alone is stable: frames of one microsecond keep their order.
        self.frames.sort(key=lambda frame: frame.time)
        os.makedirs(out, exist_ok=True)
        pcapfile.write(os.path.join(out, "day.pcap"), self.frames)
        day = copy.deepcopy(truth)
        self.events.sort(key=lambda event: event["start"])
        seen = ground.observed(self.frames, truth["hosts"])
        ground.count(self.events, seen)
        day["capture"] |= {
            "file": "day.pcap",
            "packets": len(seen),
            "bytes": sum(frame.wire_len for frame in self.frames),
            "first": seen[0][0],
            "last": seen[-1][0],
        }
        ground.fill(day, self.events)
        ground.save(os.path.join(out, "day.truth.json"), day)
        ground.report(day, self.events)


def turns_of(episode):
    """The turns of a repeating attack as episodes of their own."""
    turns, last = [], None
    for flow in sorted(episode.flows, key=lambda f: f.start):
        if last is None or flow.start - last > TURN_PAUSE_US:
            turns.append(Episode(episode.event, [], flow.start))
        turns[-1].flows.append(flow)
        last = flow.start
    return turns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
