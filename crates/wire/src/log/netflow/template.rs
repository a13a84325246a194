//! Templates: what the records of an exporter hold.
//!
//! Enters: template sets. Leaves: [`Template`]s by exporter, version, domain and number. Refuses:
//! templates without fields or without length, more than [`FIELDS_MAX`] fields.
//! Limits: [`super::TEMPLATES_MAX`], [`super::TEMPLATE_MS`]. Source: RFC 3954 section 5, RFC 7011
//! section 3.4.

use std::collections::BTreeMap;
use std::net::IpAddr;

use codec::bytes::Reader;
use model::Millis;

use super::{TEMPLATE_MS, TEMPLATES_MAX};

/// Most fields of one template.
const FIELDS_MAX: usize = 512;

/// Exporter, version, domain, template number.
pub(super) type Key = (IpAddr, u16, u32, u16);

/// What a record holds.
pub(super) struct Template {
    /// Its fields in order.
    pub(super) fields: Vec<Field>,
    /// True when its records are about the exporter.
    pub(super) options: bool,
    least: usize,
    since: Millis,
}

/// One field of a template.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// Enterprise, 0 for IANA's own; then number.
    pub(super) id: (u32, u16),
    /// Octets; [`VARIABLE`]: written before the value.
    pub(super) length: u16,
}

/// Length that stands for one written in the record.
pub(super) const VARIABLE: u16 = 0xffff;

impl Template {
    /// Octets of its shortest record, at least 1.
    pub(super) const fn least(&self) -> usize {
        self.least
    }
}

/// All templates.
#[derive(Default)]
pub(super) struct Templates {
    known: BTreeMap<Key, Template>,
    evicted: u64,
    swept: Millis,
}

impl Templates {
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn find(&self, key: &Key) -> Option<&Template> {
        self.known.get(key)
    }

    /// Forgets those that were not repeated, once a minute.
    pub(super) fn forget(&mut self, now: Millis) {
        if now.0.saturating_sub(self.swept.0) < 60_000 {
            return;
        }
        self.swept = now;
        self.known
            .retain(|_, template| now.0.saturating_sub(template.since.0) < TEMPLATE_MS);
    }

    /// Takes the templates of a set; gives their keys. `None` when the set is malformed.
    pub(super) fn learn(
        &mut self,
        now: Millis,
        (exporter, version, domain): (IpAddr, u16, u32),
        set: &[u8],
        options: bool,
    ) -> Option<Vec<Key>> {
        let mut reader = Reader::new(set);
        let mut learnt = Vec::new();
        while reader.remaining() >= 4 {
            let id = reader.u16_be()?;
            if id < 256 {
                // Padding.
                break;
            }
            let key = (exporter, version, domain, id);
            let count = match (options, version) {
                (false, _) => usize::from(reader.u16_be()?),
                (true, 9) => {
                    let octets = usize::from(reader.u16_be()?) + usize::from(reader.u16_be()?);
                    octets / 4
                }
                (true, _) => {
                    let count = usize::from(reader.u16_be()?);
                    if count > 0 {
                        reader.skip(2)?;
                    }
                    count
                }
            };
            if count == 0 {
                // Withdrawn.
                self.known.remove(&key);
                continue;
            }
            let template = read(&mut reader, count, version == 10, options, now)?;
            self.keep(key, template);
            learnt.push(key);
        }
        Some(learnt)
    }

    fn keep(&mut self, key: Key, template: Template) {
        if self.known.len() >= TEMPLATES_MAX && !self.known.contains_key(&key) {
            let oldest = self.known.iter().min_by_key(|(_, template)| template.since);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                self.known.remove(&oldest);
                self.evicted = self.evicted.saturating_add(1);
            }
        }
        self.known.insert(key, template);
    }
}

fn read(
    reader: &mut Reader<'_>,
    count: usize,
    ipfix: bool,
    options: bool,
    since: Millis,
) -> Option<Template> {
    if count > FIELDS_MAX {
        return None;
    }
    let mut fields = Vec::with_capacity(count);
    let mut least = 0usize;
    for _ in 0..count {
        let number = reader.u16_be()?;
        let length = reader.u16_be()?;
        let enterprise = ipfix && number & 0x8000 != 0;
        let id = if enterprise {
            (reader.u32_be()?, number & 0x7fff)
        } else {
            (0, number)
        };
        let variable = ipfix && length == VARIABLE;
        least = least.checked_add(if variable { 1 } else { usize::from(length) })?;
        fields.push(Field { id, length });
    }
    (least > 0).then_some(Template {
        fields,
        options,
        least,
        since,
    })
}
