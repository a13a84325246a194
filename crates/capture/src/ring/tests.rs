//! The ring without threads and with a toy cipher: bounds, crashes, damage, pins.

mod bound;
mod extract;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use model::{Millis, Nanos};
use wire::testing::{self, Talk};

use super::*;

/// A cipher for tests: a keyed stream and a keyed mark, both of BLAKE3.
pub(super) struct Toy(pub(super) [u8; 32], pub(super) u32);

impl Toy {
    fn mark(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], sealed: &[u8]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(nonce).update(about).update(sealed);
        *hasher.finalize().as_bytes().first_chunk().unwrap()
    }

    fn stream(&self, nonce: &[u8; NONCE_BYTES], text: &mut [u8]) {
        let mut reader = blake3::Hasher::new_keyed(&self.0)
            .update(nonce)
            .finalize_xof();
        let mut pad = vec![0; text.len()];
        reader.fill(&mut pad);
        text.iter_mut()
            .zip(pad)
            .for_each(|(octet, pad)| *octet ^= pad);
    }
}

impl Cipher for Toy {
    fn epoch(&self) -> u32 {
        self.1
    }

    fn id(&self) -> u64 {
        u64::from(self.0[0])
    }

    fn seal(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], text: &mut Vec<u8>) -> io::Result<()> {
        self.stream(nonce, text);
        let mark = self.mark(nonce, about, text);
        text.extend_from_slice(&mark);
        Ok(())
    }

    fn open(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], sealed: &mut Vec<u8>) -> bool {
        let Some(at) = sealed.len().checked_sub(16) else {
            return false;
        };
        let mark = sealed.split_off(at);
        let same = self.mark(nonce, about, sealed)[..] == mark;
        self.stream(nonce, sealed);
        same
    }
}

/// Keys in memory: those in the map exist.
#[derive(Default)]
pub(super) struct Ringkeys {
    pub(super) keys: Mutex<BTreeMap<u32, [u8; 32]>>,
    salt: Mutex<u8>,
}

#[allow(clippy::unwrap_in_result, reason = "a failing step is a failing test")]
impl Keys for Ringkeys {
    fn present(&self, now: Millis) -> io::Result<Arc<dyn Cipher>> {
        let epoch = u32::try_from(now.0 / 1_000_000_000).unwrap();
        let mut keys = self.keys.lock().unwrap();
        let key = keys.entry(epoch).or_insert([7; 32]);
        Ok(Arc::new(Toy(*key, epoch)))
    }

    fn of(&self, epoch: u32, _id: u64) -> io::Result<Option<Arc<dyn Cipher>>> {
        let keys = self.keys.lock().unwrap();
        let key = keys.get(&epoch).copied();
        Ok(key.map(|key| Arc::new(Toy(key, epoch)) as Arc<dyn Cipher>))
    }

    fn random(&self, out: &mut [u8]) -> io::Result<()> {
        let mut salt = self.salt.lock().unwrap();
        *salt = salt.wrapping_add(1);
        out.fill(*salt);
        Ok(())
    }
}

pub(super) const NOW: Millis = Millis(1_700_000_000_000);

/// A small ring: blocks of 64 KiB.
pub(super) fn config(dir: &Path) -> Config {
    Config {
        block_bytes: 64 * 1024,
        ..Config::of(dir, SIZE_BYTES_MIN)
    }
}

pub(super) fn open(config: Config, keys: &Arc<Ringkeys>) -> (Writer, Recovered) {
    let keys: Arc<dyn Keys> = Arc::clone(keys) as Arc<dyn Keys>;
    Writer::open(config, keys, NOW).unwrap()
}

/// A datagram of flow `n` with octets that do not compress.
pub(super) fn packet(n: u16, octets: usize, seed: u64) -> Vec<u8> {
    let mut payload = vec![0; octets];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut payload);
    let datagram = testing::udp(10_000 + n, 9_999, &payload);
    let packet = testing::ip4([10, 0, 0, 1], [10, 0, 0, 2], 17, 0, &datagram);
    testing::ethernet([2; 6], [4; 6], 0x0800, &packet)
}

/// The Community ID of flow `n`.
pub(super) fn flow(n: u16) -> String {
    let ends = [[10, 0, 0, 1], [10, 0, 0, 2]].map(std::net::IpAddr::from);
    model::community::community_id(ends[0], ends[1], 17, 10_000 + n, 9_999)
}

/// Shows frames to the writer, one millisecond apart from `at` on.
pub(super) fn show(writer: &mut Writer, at: i64, frames: &[Vec<u8>]) {
    for (ms, bytes) in (at..).zip(frames) {
        let time = Nanos((NOW.0 + ms) * 1_000_000);
        let mut record = Vec::new();
        record::push(&testing::frame(time, 1, bytes), &mut record);
        writer.take(&record, Millis(NOW.0 + ms));
    }
}

pub(super) fn on_disk(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

pub(super) fn reader(dir: &Path, keys: &Arc<Ringkeys>) -> Reader {
    Reader::new(dir, Arc::clone(keys) as Arc<dyn Keys>)
}

pub(super) fn extract(dir: &Path, keys: &Arc<Ringkeys>, flow: &str) -> (Extracted, Vec<u8>) {
    let mut out = Vec::new();
    let ask = Ask {
        flow,
        from: None,
        to: None,
        bytes_max: u64::MAX,
    };
    let said = reader(dir, keys).extract(&ask, &mut out).unwrap();
    (said, out)
}

/// A whole conversation, as frames.
pub(super) fn talk() -> Vec<Vec<u8>> {
    let talk = Talk::to_port(80).open().close();
    talk.frames.into_iter().map(|(_, bytes)| bytes).collect()
}
