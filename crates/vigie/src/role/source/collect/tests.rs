use std::net::UdpSocket;

use super::*;

#[test]
fn a_burst_is_taken_before_its_first_datagram_is_read() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    let exporter = UdpSocket::bind("127.0.0.1:0").unwrap();
    exporter.connect(socket.local_addr().unwrap()).unwrap();
    for n in 0..40u8 {
        exporter.send(&[n; 100]).unwrap();
    }
    let mut inbox = Inbox::new(socket);
    let (from, first) = inbox.next().unwrap();
    assert!(from.is_loopback());
    assert_eq!(first, [0; 100]);
    assert_eq!(inbox.waiting.len(), 39);
    for n in 1..40u8 {
        assert_eq!(inbox.next().unwrap().1, [n; 100]);
    }
    assert_eq!((inbox.next(), inbox.dropped()), (None, None));
}

#[test]
fn what_the_kernel_dropped_is_told() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let exporter = UdpSocket::bind("127.0.0.1:0").unwrap();
    exporter.connect(socket.local_addr().unwrap()).unwrap();
    // More than any kernel keeps for a socket that nobody reads, as shipped (208 KiB).
    for _ in 0..4000 {
        exporter.send(&[0; 1400]).unwrap();
    }
    let dropped = Inbox::new(socket).dropped().unwrap();
    assert!((1..4000).contains(&dropped), "{dropped}");
}
