//! Initial packets: keys from the connection identifier that the client chose.
//!
//! Enters: an identifier and a version; packets. Leaves: opened payloads. Refuses: packets that the
//! keys do not open. Source: RFC 9001 sections 5.2 and 5.4, RFC 9369 section 3.3, the drafts for
//! their salts.

use super::parser::{Long, Version};
use crate::crypto::{Aead, Hash, HeaderMask, Suite};
use crate::protocol::Side;

/// Keys of one connection's Initial packets.
pub(super) struct Keys {
    client: Key,
    server: Key,
}

struct Key {
    aead: Aead,
    iv: [u8; 12],
    mask: HeaderMask,
}

impl Keys {
    /// Keys of the connection that `id` names.
    pub(super) fn derive(version: Version, id: &[u8]) -> Option<Self> {
        let secret = Hash::extract_sha256(salt(version)?, id);
        Some(Self {
            client: Key::derive(version, &secret, "client in")?,
            server: Key::derive(version, &secret, "server in")?,
        })
    }

    /// The payload of a packet of `side`.
    pub(super) fn open(&self, side: Side, packet: &Long<'_>) -> Option<Vec<u8>> {
        match side {
            Side::Client => self.client.open(packet),
            Side::Server => self.server.open(packet),
        }
    }
}

impl Key {
    fn derive(version: Version, initial: &[u8], label: &str) -> Option<Self> {
        let two = version == Version::TWO;
        let label_of = |old: &'static str, new: &'static str| if two { new } else { old };
        let (mut secret, mut key, mut iv, mut mask) = ([0; 32], [0; 16], [0; 12], [0; 16]);
        let hash = Hash::Sha256;
        hash.expand_label(initial, label, &mut secret)?;
        hash.expand_label(&secret, label_of("quic key", "quicv2 key"), &mut key)?;
        hash.expand_label(&secret, label_of("quic iv", "quicv2 iv"), &mut iv)?;
        hash.expand_label(&secret, label_of("quic hp", "quicv2 hp"), &mut mask)?;
        Some(Self {
            aead: Aead::new(Suite::Aes128Gcm, &key)?,
            iv,
            mask: HeaderMask::new(&mask)?,
        })
    }

    fn open(&self, packet: &Long<'_>) -> Option<Vec<u8>> {
        let sample = packet.rest.get(4..20)?.first_chunk::<16>()?;
        let mask = self.mask.of(*sample);
        let [hide, number_mask @ ..] = mask;
        let mut header = packet.header.to_vec();
        let first = header.first_mut()?;
        *first ^= hide & 0x0f;
        let number_len = usize::from(*first & 3) + 1;
        let hidden = packet.rest.get(..number_len)?;
        let mut nonce = self.iv;
        let mut tail = [0; 4];
        for ((octet, mask), place) in hidden.iter().zip(number_mask).zip(&mut tail) {
            *place = octet ^ mask;
        }
        let number = tail.get(..number_len)?;
        header.extend_from_slice(number);
        // Packet numbers of Initial packets start near zero: what is written is all of it.
        for (place, octet) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *place ^= octet;
        }
        self.aead
            .open(nonce, &header, packet.rest.get(number_len..)?)
    }
}

/// The salt of a version.
const fn salt(version: Version) -> Option<&'static [u8; 20]> {
    match version.0 {
        1 | 0xff00_0021..=0xff00_0022 => Some(&SALT_1),
        0x6b33_43cf => Some(&SALT_2),
        0xff00_001d..=0xff00_0020 => Some(&SALT_DRAFT_29),
        0xff00_0017..=0xff00_001c => Some(&SALT_DRAFT_23),
        _ => None,
    }
}

const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0,
    0x43, 0x90, 0xa8, 0x99,
];
const SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65,
    0xbe, 0xf9, 0xf5, 0x02,
];
