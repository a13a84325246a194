"""Classic capture files of Ethernet frames: read, write, and change a port in a frame.

Enters: a little-endian microsecond pcap, as tcpdump writes it. Leaves: `Frame`s, and the same file
format again. Refuses: other formats, link types other than Ethernet (ValueError).
Source: draft-ietf-opsawg-pcap, RFC 791, RFC 768, RFC 9293, RFC 826, RFC 1624 (checksum update).
"""

import ipaddress
import struct
from dataclasses import dataclass

MAGIC = 0xA1B2C3D4
ETHERNET = 1
SNAP_BYTES = 262144
ICMP, TCP, UDP = 1, 6, 17


@dataclass(frozen=True)
class Ends:
    """Who speaks to whom: addresses as text, protocol number, ports (0 where there are none)."""

    proto: int
    src: str
    dst: str
    sport: int
    dport: int

    def flow(self):
        """The same value for both directions of a conversation."""
        a, b = (self.src, self.sport), (self.dst, self.dport)
        return (self.proto, min(a, b), max(a, b))


@dataclass
class Frame:
    """One frame; `time` in microseconds since 1970."""

    time: int
    data: bytes
    wire_len: int

    def ends(self):
        """The IPv4 conversation this frame belongs to, or None."""
        d = self.data
        if len(d) < 34 or d[12:14] != b"\x08\x00":
            return None
        at = 14 + (d[14] & 15) * 4
        proto = d[23]
        ports = (0, 0)
        if proto in (TCP, UDP) and len(d) >= at + 4:
            ports = struct.unpack_from(">HH", d, at)
        return Ends(proto, address(d[26:30]), address(d[30:34]), *ports)

    def arp(self):
        """(sender MAC, sender address, target address) of an ARP frame, or None."""
        d = self.data
        if len(d) < 42 or d[12:14] != b"\x08\x06":
            return None
        return d[6:12].hex(":"), address(d[28:32]), address(d[38:42])

    def payload(self):
        """What TCP or UDP carries, empty for everything else."""
        d = self.data
        at = 14 + (d[14] & 15) * 4
        end = 14 + int.from_bytes(d[16:18], "big")
        if d[23] == UDP:
            return d[at + 8:end]
        return d[at + (d[at + 12] >> 4) * 4:end] if d[23] == TCP else b""


_names = {}


def address(octets):
    """An IPv4 address as text; the few of a lab are remembered."""
    if octets not in _names:
        _names[octets] = str(ipaddress.IPv4Address(octets))
    return _names[octets]


def read(path):
    """All frames of a file, in file order."""
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) < 24:
        raise ValueError(f"{path}: shorter than a pcap header")
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", raw)
    if magic != MAGIC or link != ETHERNET:
        raise ValueError(f"{path}: not a little-endian Ethernet pcap with microseconds")
    frames, at = [], 24
    while at + 16 <= len(raw):
        seconds, micro, kept, wire = struct.unpack_from("<IIII", raw, at)
        frames.append(Frame(seconds * 1_000_000 + micro, raw[at + 16:at + 16 + kept], wire))
        at += 16 + kept
    return frames


def write(path, frames):
    """Writes frames in the order given."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", MAGIC, 2, 4, 0, 0, SNAP_BYTES, ETHERNET))
        for frame in frames:
            head = (*divmod(frame.time, 1_000_000), len(frame.data), frame.wire_len)
            file.write(struct.pack("<IIII", *head) + frame.data)


def with_port(data, address_octets, old, new):
    """The frame with port `old` of the host `address_octets` changed to `new`, checksum too."""
    at = 14 + (data[14] & 15) * 4
    src, dst = data[26:30], data[30:34]
    if src == address_octets and data[at:at + 2] == old.to_bytes(2, "big"):
        place = at
    elif dst == address_octets and data[at + 2:at + 4] == old.to_bytes(2, "big"):
        place = at + 2
    else:
        return data
    sum_at = at + (16 if data[23] == TCP else 6)
    out = bytearray(data)
    out[place:place + 2] = new.to_bytes(2, "big")
    before = int.from_bytes(data[sum_at:sum_at + 2], "big")
    if before or data[23] == TCP:
        out[sum_at:sum_at + 2] = updated_sum(before, old, new).to_bytes(2, "big")
    return bytes(out)


def updated_sum(before, old, new):
    """A checksum after one 16-bit word changed: equation 3 of RFC 1624."""
    total = (~before & 0xFFFF) + (~old & 0xFFFF) + new
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
