//! What is known of a conversation: sessions, shares, open files, requests without answer.
//!
//! Enters: entries by key. Leaves: entries. Refuses: more than a table's limit: the entry that was
//! put in first goes, and is handed back so that it can be told.
//! Source: limits by judgement: a Windows client keeps some tens of files open, credits are <=
//! 8192.

use std::collections::BTreeMap;

use model::{Nanos, Sensitive, Text};

use super::body::{Change, Create, FileId};
use super::carve::Tracks;

/// Most open files of one flow.
pub(super) const FILES_MAX: usize = 1024;
/// Most requests without answer of one flow.
pub(super) const PENDING_MAX: usize = 2048;
/// Most shares of one flow.
pub(super) const TREES_MAX: usize = 128;
/// Most sessions of one flow; terminal servers have many.
pub(super) const LOGONS_MAX: usize = 64;
/// Most files of compound chains that are remembered by the message that opened them.
pub(super) const CHAINED_MAX: usize = 64;

/// A map of at most so many entries.
pub(super) struct Table<K, V> {
    entries: BTreeMap<K, (u64, V)>,
    max: usize,
    clock: u64,
}

impl<K: Ord + Copy, V> Table<K, V> {
    pub(super) const fn new(max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            max,
            clock: 0,
        }
    }

    /// Puts an entry in; what had to go for it is handed back, replaced entries too.
    pub(super) fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
        self.clock += 1;
        if let Some((_, old)) = self.entries.insert(key, (self.clock, value)) {
            return Some((key, old));
        }
        if self.entries.len() <= self.max {
            return None;
        }
        let oldest = self.entries.iter().min_by_key(|(_, (clock, _))| *clock);
        let oldest = oldest.map(|(key, _)| *key)?;
        self.take(oldest).map(|value| (oldest, value))
    }

    pub(super) fn at(&self, key: K) -> Option<&V> {
        self.entries.get(&key).map(|(_, value)| value)
    }

    pub(super) fn at_mut(&mut self, key: K) -> Option<&mut V> {
        self.entries.get_mut(&key).map(|(_, value)| value)
    }

    pub(super) fn take(&mut self, key: K) -> Option<V> {
        self.entries.remove(&key).map(|(_, value)| value)
    }

    /// Takes out the entries that `which` selects, ascending by key.
    pub(super) fn take_if(&mut self, which: impl Fn(&K, &V) -> bool) -> Vec<(K, V)> {
        let keys: Vec<K> = self
            .entries
            .iter()
            .filter(|(key, (_, value))| which(key, value))
            .map(|(key, _)| *key)
            .collect();
        keys.into_iter()
            .filter_map(|key| self.take(key).map(|value| (key, value)))
            .collect()
    }

    /// Takes out every entry, first put first.
    pub(super) fn drain(&mut self) -> Vec<V> {
        let mut all: Vec<(u64, V)> = std::mem::take(&mut self.entries).into_values().collect();
        all.sort_by_key(|(clock, _)| *clock);
        all.into_iter().map(|(_, value)| value).collect()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }

    pub(super) fn heap_bytes(&self, extra: usize) -> usize {
        // A B-tree node is at worst half full.
        self.entries.len() * 2 * (size_of::<K>() + size_of::<(u64, V)>() + extra)
    }
}

/// A session: who.
#[derive(Clone, Default)]
pub(super) struct Logon {
    pub(super) user: Option<Sensitive>,
    pub(super) workstation: Option<Text>,
    pub(super) server_os: Option<Text>,
    pub(super) server_name: Option<Text>,
    pub(super) encrypted: bool,
}

/// A share that is connected.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) share: Option<Sensitive>,
    pub(super) kind: Option<&'static str>,
}

/// Where a request or a file belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) session: u64,
    pub(super) tree: Option<u32>,
    pub(super) signed: bool,
}

/// An open file.
pub(super) struct File {
    pub(super) place: Place,
    pub(super) path: Option<String>,
    pub(super) open_type: Option<&'static str>,
    pub(super) file_bytes: Option<u64>,
    pub(super) delete_on_close: bool,
    pub(super) read_bytes: u64,
    pub(super) write_bytes: u64,
    pub(super) reads: u32,
    pub(super) writes: u32,
    pub(super) last: Nanos,
    /// Its content, once some of it passed.
    pub(super) tracks: Option<Box<Tracks>>,
}

/// Which file a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileRef {
    /// This one.
    Id(FileId),
    /// The one that the message of this number opens.
    OpenedBy(u64),
}

/// A request without answer.
pub(super) struct Pending {
    pub(super) time: Nanos,
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// Offset of a READ.
    pub(super) offset: u64,
}

/// What a request asks.
pub(super) enum Kind {
    Negotiate(Vec<Text>),
    Setup,
    Tree(Sensitive),
    /// True when a compound goes on after it.
    Create(Box<Create>, bool),
    Close(FileRef),
    Read(FileRef),
    Write(FileRef),
    /// FSCTL_PIPE_TRANSCEIVE: a write and a read at once.
    Call(FileRef),
    Change(FileRef, Box<Change>),
    TreeDisconnect,
    Logoff,
}
