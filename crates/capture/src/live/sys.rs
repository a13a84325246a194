//! System calls that no safe library offers, each behind a safe function.
//!
//! Enters: open sockets and plain values. Leaves: results of the system. Refuses: nothing.
//! Source: `packet(7)`, `getifaddrs(3)`. Second and last home of `unsafe`, beside `ring`.

#![expect(unsafe_code, reason = "packet sockets have no safe interface")]

use std::ffi::CStr;
use std::io;
use std::mem::{size_of, size_of_val};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use libc::{c_int, c_void, sockaddr, sockaddr_ll, socklen_t};

/// Sets an option of level `SOL_PACKET`.
pub(super) fn set_option<T: Copy>(fd: BorrowedFd<'_>, name: c_int, value: &T) -> io::Result<()> {
    let from: *const T = value;
    // SAFETY: `from` points at `size_of_val(value)` octets that live during the call; the kernel
    // only reads them, and checks the size against the option.
    let outcome = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            name,
            from.cast(),
            socklen_of(size_of_val(value)),
        )
    };
    check(outcome)
}

/// The counters of a ring since the last call, which sets them back.
pub(super) fn statistics(fd: BorrowedFd<'_>) -> io::Result<libc::tpacket_stats_v3> {
    let mut stats = libc::tpacket_stats_v3 {
        tp_packets: 0,
        tp_drops: 0,
        tp_freeze_q_cnt: 0,
    };
    let mut len = socklen_of(size_of_val(&stats));
    let to: *mut c_void = ptr::from_mut(&mut stats).cast();
    // SAFETY: `to` and `len` describe `stats`, which lives during the call; the kernel writes at
    // most `len` octets, and any octets are valid for a structure of three integers.
    let outcome = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            to,
            &raw mut len,
        )
    };
    check(outcome).map(|()| stats)
}

/// Binds a packet socket to all protocols of interface `index`.
pub(super) fn bind(fd: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    let mut address = no_address();
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or(0);
    address.sll_protocol = ETH_P_ALL.to_be();
    address.sll_ifindex = c_int::try_from(index).unwrap_or(0);
    let from: *const sockaddr = ptr::from_ref(&address).cast();
    // SAFETY: `from` points at a whole `sockaddr_ll` that lives during the call; the kernel only
    // reads the length given.
    let outcome = unsafe { libc::bind(fd.as_raw_fd(), from, socklen_of(size_of::<sockaddr_ll>())) };
    check(outcome)
}

/// The `ARPHRD_` number of the interface that a packet socket is bound to.
pub(super) fn hardware(fd: BorrowedFd<'_>) -> io::Result<u16> {
    let mut address = no_address();
    let mut len = socklen_of(size_of::<sockaddr_ll>());
    let to: *mut sockaddr = ptr::from_mut(&mut address).cast();
    // SAFETY: `to` and `len` describe `address`, which lives during the call; the kernel writes at
    // most `len` octets, and any octets are valid for a structure of integers.
    let outcome = unsafe { libc::getsockname(fd.as_raw_fd(), to, &raw mut len) };
    check(outcome).map(|()| address.sll_hatype)
}

/// Maps `len` octets of a packet socket's ring.
pub(super) fn map(fd: BorrowedFd<'_>, len: usize) -> io::Result<ptr::NonNull<u8>> {
    // SAFETY: the address is the kernel's to choose, so no memory in use is replaced.
    let base = unsafe {
        libc::mmap(
            ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            fd.as_raw_fd(),
            0,
        )
    };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    ptr::NonNull::new(base.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::Other))
}

/// The IPv4 addresses of all interfaces, with the interfaces' names.
pub(super) fn ipv4_addresses() -> io::Result<Vec<(String, IpAddr)>> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: `first` is a place for one pointer, which the call fills.
    check(unsafe { libc::getifaddrs(&raw mut first) })?;
    let mut list = Vec::new();
    let mut at: *const libc::ifaddrs = first;
    // SAFETY: `at` is null or a node of the list, which lives until it is freed below and which
    // nobody changes.
    while let Some(node) = unsafe { at.as_ref() } {
        at = node.ifa_next;
        if list.len() >= ADDRESSES_MAX {
            break;
        }
        // SAFETY: the address is null or points at a `sockaddr` of the list.
        let family = unsafe { node.ifa_addr.as_ref() }.map(|address| address.sa_family);
        if family.map(c_int::from) != Some(libc::AF_INET) {
            continue;
        }
        let address: *const libc::sockaddr_in = node.ifa_addr.cast();
        // SAFETY: an address of family `AF_INET` is a whole `sockaddr_in`; it is read by copy, as
        // nothing promises its alignment.
        let address = unsafe { address.read_unaligned() };
        // SAFETY: the name is a C string of the list.
        let name = unsafe { CStr::from_ptr(node.ifa_name) };
        let address = Ipv4Addr::from_bits(u32::from_be(address.sin_addr.s_addr));
        list.push((name.to_string_lossy().into_owned(), IpAddr::V4(address)));
    }
    // SAFETY: `first` came from `getifaddrs`, is freed once, and nothing borrows from it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(list)
}

fn check(outcome: c_int) -> io::Result<()> {
    match outcome {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn socklen_of(bytes: usize) -> socklen_t {
    socklen_t::try_from(bytes).unwrap_or(0)
}

const fn no_address() -> sockaddr_ll {
    sockaddr_ll {
        sll_family: 0,
        sll_protocol: 0,
        sll_ifindex: 0,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    }
}

/// `linux/if_ether.h`: every protocol.
const ETH_P_ALL: u16 = 3;
/// Most addresses that are listed.
const ADDRESSES_MAX: usize = 16 * 1024;
