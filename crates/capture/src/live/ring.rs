//! A packet ring shared with the kernel (TPACKET_V3).
//!
//! Enters: blocks that the kernel filled. Leaves: borrowed frames, valid during the call that gets
//! them. Refuses: records that point outside their block (counted). When the ring is full the
//! kernel drops the newest packets and counts them: [`Ring::stats`]. Frames longer than the MTU
//! (offloads) and with checksums not yet computed are given as they are.
//! Source: kernel `Documentation/networking/packet_mmap.rst`, `net/packet/af_packet.c`.

#![expect(unsafe_code, reason = "the ring is memory that the kernel writes")]

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{c_int, tpacket_hdr_v1, tpacket3_hdr};
use model::Nanos;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use wire::{Frame, LinkType};

use super::{LiveConfig, LiveError, RingStats, sys};

/// One queue of one interface, for one thread.
pub struct Ring {
    fd: OwnedFd,
    map: Map,
    blocks: usize,
    block_bytes: usize,
    /// The block that the kernel fills next.
    next: usize,
    config: LiveConfig,
    link: LinkType,
    loopback: bool,
    down: bool,
    frames: u64,
    stats: RingStats,
}

impl Ring {
    /// Opens a ring on an interface.
    ///
    /// # Errors
    /// Any [`LiveError`].
    pub fn open(config: &LiveConfig) -> Result<Self, LiveError> {
        let (blocks, block_bytes) = geometry(config)?;
        let fail = |step: &'static str| move |source: io::Error| failure(config, step, source);
        // No protocol: nothing is received until the ring is ready and the socket bound.
        let flags = SocketFlags::CLOEXEC;
        let fd = rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)
            .map_err(|errno| failure(config, "opening a packet socket", errno.into()))?;
        let index = rustix::net::netdevice::name_to_index(&fd, &config.interface)
            .map_err(|errno| failure(config, "finding the interface", errno.into()))?;
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        sys::set_option(fd.as_fd(), libc::PACKET_VERSION, &version)
            .map_err(fail("choosing TPACKET_V3"))?;
        let request = request(config, blocks, block_bytes);
        sys::set_option(fd.as_fd(), libc::PACKET_RX_RING, &request)
            .map_err(fail("making the ring"))?;
        let map =
            Map::new(&fd, blocks.saturating_mul(block_bytes)).map_err(fail("mapping the ring"))?;
        sys::bind(fd.as_fd(), index).map_err(fail("binding to the interface"))?;
        let hardware = sys::hardware(fd.as_fd()).map_err(fail("asking for the hardware type"))?;
        let ring = Self {
            link: link_of(config, hardware)?,
            loopback: hardware == libc::ARPHRD_LOOPBACK,
            fd,
            map,
            blocks,
            block_bytes,
            next: 0,
            config: config.clone(),
            down: false,
            frames: 0,
            stats: RingStats::default(),
        };
        ring.socket_error()?;
        ring.join(index)?;
        Ok(ring)
    }

    /// Gives every frame that is ready, at most one ring full; when none is, waits up to
    /// `timeout_ms` for one. Gives the number of frames: 0 is an idle tick.
    ///
    /// # Errors
    /// [`LiveError::Down`], again at each call, when the interface went down, after its last
    /// frames were given; [`LiveError::System`].
    pub fn poll(
        &mut self,
        timeout_ms: u32,
        each: &mut dyn FnMut(Frame<'_>),
    ) -> Result<usize, LiveError> {
        if self.down {
            let interface = self.config.interface.clone();
            return Err(LiveError::Down { interface });
        }
        let frames = self.drain(each);
        if frames > 0 {
            return Ok(frames);
        }
        self.wait(timeout_ms)?;
        match self.socket_error() {
            Ok(()) => Ok(self.drain(each)),
            Err(LiveError::Down { interface }) => {
                // The block that was being filled comes when its time is over.
                self.down = true;
                self.wait(self.config.block_timeout_ms.saturating_mul(2))?;
                match self.drain(each) {
                    0 => Err(LiveError::Down { interface }),
                    frames => Ok(frames),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The counters since the ring was opened, up to now.
    ///
    /// # Errors
    /// [`LiveError::System`].
    pub fn stats(&mut self) -> Result<RingStats, LiveError> {
        let new = sys::statistics(self.fd.as_fd())
            .map_err(|source| failure(&self.config, "asking for the counters", source))?;
        let stats = &mut self.stats;
        stats.packets = stats.packets.saturating_add(new.tp_packets.into());
        stats.dropped = stats.dropped.saturating_add(new.tp_drops.into());
        stats.freezes = stats.freezes.saturating_add(new.tp_freeze_q_cnt.into());
        Ok(*stats)
    }

    /// What the frames start with.
    #[must_use]
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// How the ring was opened.
    #[must_use]
    pub const fn config(&self) -> &LiveConfig {
        &self.config
    }

    fn join(&self, index: u32) -> Result<(), LiveError> {
        let fail =
            |step: &'static str| move |source: io::Error| failure(&self.config, step, source);
        if self.loopback {
            // Each packet passes a loopback interface twice, going out and coming in. Kernels
            // before 4.20 do not know this option: there `block` leaves the first one out.
            let on: c_int = 1;
            let _ = sys::set_option(self.fd.as_fd(), libc::PACKET_IGNORE_OUTGOING, &on);
        }
        if self.config.promiscuous && !self.loopback {
            let request = libc::packet_mreq {
                mr_ifindex: c_int::try_from(index).unwrap_or(0),
                mr_type: PACKET_MR_PROMISC,
                mr_alen: 0,
                mr_address: [0; 8],
            };
            sys::set_option(self.fd.as_fd(), libc::PACKET_ADD_MEMBERSHIP, &request)
                .map_err(fail("entering promiscuous mode"))?;
        }
        if let Some(group) = self.config.fanout_group {
            let kind = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG;
            let argument = kind << 16 | u32::from(group);
            sys::set_option(self.fd.as_fd(), libc::PACKET_FANOUT, &argument)
                .map_err(fail("joining the fanout group"))?;
        }
        Ok(())
    }

    /// The error that waits on the socket.
    fn socket_error(&self) -> Result<(), LiveError> {
        match rustix::net::sockopt::socket_error(&self.fd) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(errno)) | Err(errno) => Err(failure(&self.config, "capturing", errno.into())),
        }
    }

    fn wait(&self, timeout_ms: u32) -> Result<(), LiveError> {
        let timeout = Timespec {
            tv_sec: i64::from(timeout_ms / 1000),
            tv_nsec: i64::from(timeout_ms % 1000).saturating_mul(1_000_000),
        };
        let interest = PollFlags::IN | PollFlags::ERR;
        match rustix::event::poll(&mut [PollFd::new(&self.fd, interest)], Some(&timeout)) {
            // A signal ends the wait, so that the caller looks at its stop flag.
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(failure(&self.config, "waiting for packets", errno.into())),
        }
    }

    /// Gives the frames of all ready blocks, each block once at most.
    fn drain(&mut self, each: &mut dyn FnMut(Frame<'_>)) -> usize {
        let before = self.frames;
        for _ in 0..self.blocks {
            let at = self.next.saturating_mul(self.block_bytes);
            let Some(block) = self.map.block(at, self.block_bytes) else {
                break;
            };
            let walk = Walk {
                link: self.link,
                loopback: self.loopback,
                frames: &mut self.frames,
                stats: &mut self.stats,
            };
            walk.block(block.octets(), each);
            block.release();
            self.next = self.next.saturating_add(1);
            if self.next >= self.blocks {
                self.next = 0;
            }
        }
        usize::try_from(self.frames.saturating_sub(before)).unwrap_or(usize::MAX)
    }
}

/// What walking over a block needs of the ring.
struct Walk<'r> {
    link: LinkType,
    loopback: bool,
    frames: &'r mut u64,
    stats: &'r mut RingStats,
}

impl Walk<'_> {
    /// Gives the frames of one block, whose octets begin after its status word.
    fn block(self, octets: &[u8], each: &mut dyn FnMut(Frame<'_>)) {
        let field = |at: usize| u32_at(octets, at.saturating_sub(AFTER_STATUS));
        let count = field(HEADER + offset_of!(tpacket_hdr_v1, num_pkts)).unwrap_or(0);
        let first = field(HEADER + offset_of!(tpacket_hdr_v1, offset_to_first_pkt)).unwrap_or(0);
        let mut rest = octets
            .get((first as usize).saturating_sub(AFTER_STATUS)..)
            .unwrap_or(&[]);
        for _ in 0..count {
            let Some(record) = Record::of(rest) else {
                self.stats.malformed = self.stats.malformed.saturating_add(1);
                return;
            };
            if self.loopback && record.outgoing {
                self.stats.duplicates = self.stats.duplicates.saturating_add(1);
            } else {
                *self.frames = self.frames.saturating_add(1);
                each(Frame {
                    time: record.time,
                    number: *self.frames,
                    link: self.link,
                    wire_len: record.wire_len,
                    bytes: record.bytes,
                    vlan: record.vlan,
                });
            }
            if record.next == 0 {
                return;
            }
            rest = rest.get(record.next..).unwrap_or(&[]);
        }
    }
}

/// One record of a block.
struct Record<'b> {
    next: usize,
    time: Nanos,
    wire_len: u32,
    bytes: &'b [u8],
    vlan: Option<u16>,
    outgoing: bool,
}

impl<'b> Record<'b> {
    /// The record at the front of `rest`; `None` when it leads outside.
    fn of(rest: &'b [u8]) -> Option<Self> {
        let field = |at: usize| u32_at(rest, at);
        let seconds = field(offset_of!(tpacket3_hdr, tp_sec))?;
        let nanos = field(offset_of!(tpacket3_hdr, tp_nsec))?;
        let status = field(offset_of!(tpacket3_hdr, tp_status))?;
        let len = field(offset_of!(tpacket3_hdr, tp_snaplen))? as usize;
        let mac = rest.get(offset_of!(tpacket3_hdr, tp_mac)..)?;
        let start = usize::from(u16::from_ne_bytes(*mac.first_chunk()?));
        let tag = field(TAG)?;
        let kind = *rest.get(KIND)?;
        let [tag_low, tag_high, ..] = tag.to_le_bytes();
        let tagged = status & libc::TP_STATUS_VLAN_VALID != 0;
        Some(Self {
            next: field(offset_of!(tpacket3_hdr, tp_next_offset))? as usize,
            time: Nanos(
                i64::from(seconds)
                    .saturating_mul(1_000_000_000)
                    .saturating_add(i64::from(nanos)),
            ),
            wire_len: field(offset_of!(tpacket3_hdr, tp_len))?,
            bytes: rest.get(start..start.checked_add(len)?)?,
            vlan: tagged.then_some(u16::from_le_bytes([tag_low, tag_high]) & 0x0fff),
            outgoing: kind == libc::PACKET_OUTGOING,
        })
    }
}

/// The memory of a ring.
struct Map {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and `Map` is its only owner.
unsafe impl Send for Map {}

impl Map {
    fn new(fd: &OwnedFd, bytes: usize) -> io::Result<Self> {
        let base = sys::map(fd.as_fd(), bytes)?;
        Ok(Self { base, bytes })
    }

    /// The block of `bytes` octets at `at`, when the kernel has handed it over. It takes the ring
    /// exclusively: one block is out at a time.
    fn block(&mut self, at: usize, bytes: usize) -> Option<Ready<'_>> {
        let end = at.checked_add(bytes)?;
        if end > self.bytes || bytes < AFTER_STATUS || !at.is_multiple_of(size_of::<u64>()) {
            return None;
        }
        // SAFETY: `at + STATUS` lies inside the mapping (checked above), which lives as long as
        // `self`.
        let status = unsafe { self.base.add(at.saturating_add(STATUS)) };
        // SAFETY: the pointer is aligned to four (the mapping to a page, `at` to eight, `STATUS`
        // to four), valid while `self` is borrowed, and only accessed atomically from here: the
        // octets below begin after it.
        let status = unsafe { AtomicU32::from_ptr(status.as_ptr().cast()) };
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: `at + AFTER_STATUS` lies inside the mapping (checked above).
        let start = unsafe { self.base.add(at.saturating_add(AFTER_STATUS)) };
        // SAFETY: the range lies inside the mapping and was read from it as initialised octets;
        // after `TP_STATUS_USER` was seen (acquire) the kernel does not write the block until
        // its status is set back, which only `Ready::release` does, consuming this borrow.
        let octets = unsafe { slice::from_raw_parts(start.as_ptr(), bytes - AFTER_STATUS) };
        Some(Ready { status, octets })
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: `base` and `bytes` are those of one `mmap`, unmapped once; every borrow of the
        // memory borrows `self`, so none is left.
        let outcome = unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
        debug_assert_eq!(outcome, 0);
    }
}

/// A block that belongs to us.
struct Ready<'m> {
    status: &'m AtomicU32,
    octets: &'m [u8],
}

impl Ready<'_> {
    /// Its octets after the status word, for as long as it is not released.
    fn octets(&self) -> &[u8] {
        self.octets
    }

    /// Gives the block back to the kernel.
    fn release(self) {
        self.status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

fn geometry(config: &LiveConfig) -> Result<(usize, usize), LiveError> {
    let refuse = |parameter, value: u32, allowed| LiveError::Config {
        interface: config.interface.clone(),
        parameter,
        value: u64::from(value),
        allowed,
    };
    if !(1..=4096).contains(&config.ring_mib) {
        return Err(refuse("ring_mib", config.ring_mib, "1 to 4096"));
    }
    let blocks = config
        .ring_mib
        .saturating_mul(1024)
        .checked_div(config.block_kib);
    let sound = (128..=16_384).contains(&config.block_kib) && config.block_kib.is_power_of_two();
    match blocks {
        Some(blocks) if sound && blocks >= 2 => {
            if !(1..=1000).contains(&config.block_timeout_ms) {
                let value = config.block_timeout_ms;
                return Err(refuse("block_timeout_ms", value, "1 to 1000"));
            }
            Ok((
                blocks as usize,
                (config.block_kib as usize).saturating_mul(1024),
            ))
        }
        _ => Err(refuse(
            "block_kib",
            config.block_kib,
            "a power of two from 128 to 16384, at most half of the ring",
        )),
    }
}

fn request(config: &LiveConfig, blocks: usize, block_bytes: usize) -> libc::tpacket_req3 {
    let number = |value: usize| u32::try_from(value).unwrap_or(0);
    libc::tpacket_req3 {
        tp_block_size: number(block_bytes),
        tp_block_nr: number(blocks),
        tp_frame_size: number(FRAME_BYTES),
        tp_frame_nr: number(blocks.saturating_mul(block_bytes / FRAME_BYTES)),
        tp_retire_blk_tov: config.block_timeout_ms,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    }
}

fn link_of(config: &LiveConfig, hardware: u16) -> Result<LinkType, LiveError> {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Ok(LinkType::ETHERNET),
        libc::ARPHRD_NONE
        | libc::ARPHRD_PPP
        | libc::ARPHRD_TUNNEL
        | libc::ARPHRD_TUNNEL6
        | libc::ARPHRD_SIT
        | libc::ARPHRD_IPGRE
        | ARPHRD_RAWIP => Ok(LinkType::RAW),
        hardware => Err(LiveError::Hardware {
            interface: config.interface.clone(),
            hardware,
        }),
    }
}

fn failure(config: &LiveConfig, step: &'static str, source: io::Error) -> LiveError {
    let interface = config.interface.clone();
    match source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => LiveError::Permission {
            interface,
            binary: std::env::current_exe()
                .map_or_else(|_| "vigie".to_owned(), |path| path.display().to_string()),
        },
        Some(libc::ENODEV | libc::ENXIO) => LiveError::NoInterface { interface },
        Some(libc::ENETDOWN) => LiveError::Down { interface },
        Some(libc::ENOMEM) => LiveError::Memory {
            interface,
            ring_mib: config.ring_mib,
        },
        _ => LiveError::System {
            interface,
            step,
            source,
        },
    }
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets
        .get(at..)?
        .first_chunk()
        .map(|octets| u32::from_ne_bytes(*octets))
}

/// Where a block's header begins, after its version and the offset of private data.
const HEADER: usize = offset_of!(libc::tpacket_block_desc, hdr);
/// Where a block's status word stands.
const STATUS: usize = HEADER + offset_of!(tpacket_hdr_v1, block_status);
/// The end of that word.
const AFTER_STATUS: usize = STATUS + size_of::<u32>();
/// Where a record's VLAN tag stands.
const TAG: usize =
    offset_of!(tpacket3_hdr, hv1) + offset_of!(libc::tpacket_hdr_variant1, tp_vlan_tci);
/// Where a record's packet type stands, in the address after the header (`TPACKET_ALIGN`ed: 48).
const KIND: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT)
    + offset_of!(libc::sockaddr_ll, sll_pkttype);
/// `linux/if_packet.h`.
const PACKET_MR_PROMISC: u16 = 1;
/// `linux/if_arp.h`.
const ARPHRD_RAWIP: u16 = 519;
/// Only a unit of the kernel's arithmetic in this version: records are as long as their packets.
const FRAME_BYTES: usize = 2048;

#[cfg(test)]
mod tests;
