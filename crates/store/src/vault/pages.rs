//! Frames of clear values.
//!
//! Enters: values of many events. Leaves: one sealed payload, with the spans of sequences in front
//! in the clear, so that a search opens only the frames that may hold its event.
//! Refuses: frames that do not open; they are reported and skipped. Source: own format, version 1.

use std::collections::BTreeMap;
use std::path::Path;

use model::{EventUid, NodeId};
use zeroize::Zeroizing;

use super::Clear;
use super::index::Block;
use super::keys::{self, Key};
use crate::disk;
use crate::error::StoreError;
use crate::frame::{self, Found};

/// What a vault file starts with.
pub(super) const MAGIC: &[u8; 8] = b"VIGIEVLT";
/// Frame kind: sealed values.
pub(super) const KIND_VALUES: u8 = 1;

/// Octets of one span: node, first and last sequence.
const SPAN_BYTES: usize = 20;

/// The payload of a frame.
pub(super) fn seal(key: &Key, month: &str, values: &[&Clear]) -> Result<Vec<u8>, StoreError> {
    let mut spans: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let mut plain = Zeroizing::new(Vec::new());
    for clear in values {
        let uid = clear.uid;
        let span = spans.entry(uid.node.0).or_insert((uid.seq, uid.seq));
        *span = (span.0.min(uid.seq), span.1.max(uid.seq));
        for (column, clear) in &clear.values {
            plain.extend_from_slice(&uid.node.0.to_le_bytes());
            plain.extend_from_slice(&uid.seq.to_le_bytes());
            push_text(&mut plain, column);
            push_text(&mut plain, clear);
        }
    }
    let mut head = u32::try_from(spans.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    for (node, (from, to)) in spans {
        head.extend_from_slice(&node.to_le_bytes());
        head.extend_from_slice(&from.to_le_bytes());
        head.extend_from_slice(&to.to_le_bytes());
    }
    let sealed = keys::seal(key, &plain, &aad(month, &head))?;
    head.extend_from_slice(&sealed);
    Ok(head)
}

/// The values of one event in one block of a file.
pub(super) fn find(
    path: &Path,
    block: Block,
    key: &Key,
    month: &str,
    uid: EventUid,
) -> Result<Vec<(String, String)>, StoreError> {
    let bytes = disk::read_span(path, block.from, block.to)?;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        match frame::read(rest) {
            Found::End => break,
            Found::Frame(_, payload, len) => {
                if may_hold(payload, uid) && values(payload, key, month, uid, &mut found).is_none()
                {
                    tracing::error!(offset = at, "vault: a frame does not open");
                }
                at += len;
            }
            Found::Bad => match frame::resync(rest) {
                Some(skip) => {
                    tracing::error!(offset = at, "vault: damaged frame skipped");
                    at += skip;
                }
                None => break,
            },
        }
    }
    Ok(found)
}

/// The spans of a payload: node, first and last sequence; `None` when it has none to read.
pub(super) fn spans(payload: &[u8]) -> Option<impl Iterator<Item = (u32, u64, u64)> + '_> {
    let (spans, _) = split(payload)?;
    Some(spans.chunks_exact(SPAN_BYTES).filter_map(read_span))
}

fn may_hold(payload: &[u8], uid: EventUid) -> bool {
    let Some((spans, _)) = split(payload) else {
        return true;
    };
    spans.chunks_exact(SPAN_BYTES).any(|span| {
        let Some((node, from, to)) = read_span(span) else {
            return true;
        };
        node == uid.node.0 && (from..=to).contains(&uid.seq)
    })
}

/// Spans and sealed part of a payload.
fn split(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = payload.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    rest.split_at_checked(count.checked_mul(SPAN_BYTES)?)
}

fn read_span(span: &[u8]) -> Option<(u32, u64, u64)> {
    let (node, rest) = span.split_first_chunk::<4>()?;
    let (from, rest) = rest.split_first_chunk::<8>()?;
    let (to, _) = rest.split_first_chunk::<8>()?;
    Some((
        u32::from_le_bytes(*node),
        u64::from_le_bytes(*from),
        u64::from_le_bytes(*to),
    ))
}

fn values(
    payload: &[u8],
    key: &Key,
    month: &str,
    uid: EventUid,
    found: &mut Vec<(String, String)>,
) -> Option<()> {
    let (spans, sealed) = split(payload)?;
    let head = payload.get(..4 + spans.len())?;
    let plain = keys::unseal(key, sealed, &aad(month, head))?;
    let mut rest: &[u8] = &plain;
    while !rest.is_empty() {
        let (node, after) = rest.split_first_chunk::<4>()?;
        let (seq, after) = after.split_first_chunk::<8>()?;
        let (column, after) = take_text(after)?;
        let (clear, after) = take_text(after)?;
        let read = EventUid {
            node: NodeId(u32::from_le_bytes(*node)),
            seq: u64::from_le_bytes(*seq),
        };
        if read == uid {
            found.push((column.to_owned(), clear.to_owned()));
        }
        rest = after;
    }
    Some(())
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn take_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

fn aad(month: &str, head: &[u8]) -> Vec<u8> {
    let mut aad = month.as_bytes().to_vec();
    aad.extend_from_slice(head);
    aad
}
