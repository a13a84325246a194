//! Both sides of one connection.
//!
//! Enters: packets. Leaves: the connection, subscriptions, publications summed by topic and side.
//! Refuses: more than [`TOPICS_MAX`] topics: what goes beyond is summed without a name.
//! Source: MQTT 3.1.1 section 3, MQTT 5.0 section 3.

use std::collections::{BTreeMap, VecDeque};

use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::{Connect, HEAD_BYTES_MAX, Head, codes, connect, filters, head, publish};
use crate::protocol::shared::exchange::{self, FAILURE, SUCCESS, TRAFFIC};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::text::{readable, short};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most topics that are summed apart.
pub(super) const TOPICS_MAX: usize = 64;
/// Most subscriptions that wait for their answer.
pub(super) const ASKED_MAX: usize = 32;
/// Most aliases of topics that are remembered.
const ALIASES_MAX: usize = 64;
/// Longest topic that is kept.
const TOPIC_BYTES_MAX: usize = 512;

const CONNECT: u8 = 1;
const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;
const SUBACK: u8 = 9;
const UNSUBSCRIBE: u8 = 10;
const UNSUBACK: u8 = 11;
const DISCONNECT: u8 = 14;

/// One flow's MQTT.
#[derive(Default)]
pub(super) struct MqttSession {
    level: u8,
    connect: Option<Box<(Nanos, Connect)>>,
    asked: VecDeque<Asked>,
    topics: BTreeMap<(bool, String), Sum>,
    aliases: [BTreeMap<u16, String>; 2],
    lost: [bool; 2],
}

struct Asked {
    id: u16,
    time: Nanos,
    operation: &'static str,
    filters: Vec<String>,
}

struct Sum {
    start: Nanos,
    count: u64,
    bytes: u64,
    qos: u8,
    retained: u64,
}

impl Session for MqttSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        if self.lost.get(side.index()) == Some(&true) {
            return Step::consumed(bytes.len());
        }
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let found = match head(rest) {
                Ok(Some(found)) => found,
                Ok(None) => return Step::consumed(at),
                Err(()) => return self.odd(side, bytes.len(), cx),
            };
            if found.kind == 0 {
                return self.odd(side, bytes.len(), cx);
            }
            let whole = found.size + found.length;
            let body = rest.get(found.size..).unwrap_or(&[]);
            if found.kind == PUBLISH && found.length > 2 {
                let Some(used) = self.publication(side, &found, body, cx) else {
                    if body.len() >= HEAD_BYTES_MAX.min(found.length) {
                        return self.odd(side, bytes.len(), cx);
                    }
                    return Step::consumed(at);
                };
                let payload = u64::try_from(found.length - used).unwrap_or(u64::MAX);
                return Step::skip(at + found.size + used, payload);
            }
            if found.length > HEAD_BYTES_MAX {
                cx.anomaly("mqtt-long-packet");
                let length = u64::try_from(found.length).unwrap_or(u64::MAX);
                return Step::skip(at + found.size, length);
            }
            let Some(body) = body.get(..found.length) else {
                return Step::need(at, whole);
            };
            at += whole;
            self.packet(side, &found, body, cx);
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("mqtt-gap");
        if let Some(lost) = self.lost.get_mut(side.index()) {
            *lost = true;
        }
        self.lost.contains(&false)
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.connected(None, cx);
        while let Some(asked) = self.asked.pop_front() {
            tell_asked(asked, None, cx);
        }
        for ((from_client, topic), sum) in std::mem::take(&mut self.topics) {
            let mut facts = Facts::of("mqtt");
            facts.add("from", if from_client { "client" } else { "server" });
            facts.add("bytes", sum.bytes);
            facts.add("qos", sum.qos);
            facts.add("retained", sum.retained);
            let mut body = exchange::body("mqtt", "publish", &mut facts);
            body.object_count = Some(sum.count);
            body.object = (!topic.is_empty()).then(|| Sensitive::path(&topic));
            cx.emit(Draft::new(sum.start, TRAFFIC, body));
        }
    }

    fn heap_bytes(&self) -> usize {
        let topics: usize = self.topics.keys().map(|(_, topic)| topic.len() + 128).sum();
        let aliases: usize = self
            .aliases
            .iter()
            .flat_map(BTreeMap::values)
            .map(String::len)
            .sum();
        let asked = self.asked.iter().map(|asked| {
            let filters: usize = asked.filters.iter().map(|text| text.len() + 24).sum();
            size_of::<Asked>() + filters
        });
        size_of::<Self>() + topics + aliases + asked.sum::<usize>() + 512
    }
}

impl MqttSession {
    /// A side that cannot be read any more is left alone; the other one goes on.
    fn odd(&mut self, side: Side, len: usize, cx: &mut Context<'_>) -> Step {
        if self.level == 0 {
            return Step::NOT_MINE;
        }
        cx.anomaly("mqtt-malformed");
        if let Some(lost) = self.lost.get_mut(side.index()) {
            *lost = true;
        }
        let over = !self.lost.contains(&false);
        Step {
            consumed: len,
            next: if over { Next::Done } else { Next::Need(0) },
        }
    }

    /// Counts a publication; returns how many octets of it were read. `None` when its topic is not
    /// whole.
    fn publication(
        &mut self,
        side: Side,
        found: &Head,
        body: &[u8],
        cx: &mut Context<'_>,
    ) -> Option<usize> {
        let whole = body.len() >= found.length;
        let body = body.get(..found.length).unwrap_or(body);
        let said = publish(body, found.flags, self.level, whole)?;
        let aliases = self.aliases.get_mut(side.index())?;
        let topic = match (said.topic, said.alias) {
            ([], Some(alias)) => aliases.get(&alias).cloned().unwrap_or_default(),
            (topic, alias) => {
                let topic = readable(topic.get(..TOPIC_BYTES_MAX).unwrap_or(topic));
                if let Some(alias) = alias
                    && (aliases.len() < ALIASES_MAX || aliases.contains_key(&alias))
                {
                    aliases.insert(alias, topic.clone());
                }
                topic
            }
        };
        let used = 2 + said.topic.len();
        let mut key = (side == Side::Client, topic);
        if self.topics.len() >= TOPICS_MAX && !self.topics.contains_key(&key) {
            cx.anomaly("mqtt-topics-limit");
            key.1 = String::new();
        }
        let now = cx.now;
        let sum = self.topics.entry(key).or_insert(Sum {
            start: now,
            count: 0,
            bytes: 0,
            qos: 0,
            retained: 0,
        });
        sum.count += 1;
        let payload = u64::try_from(found.length - used).unwrap_or(0);
        sum.bytes = sum.bytes.saturating_add(payload);
        sum.qos = sum.qos.max(found.flags >> 1 & 3);
        sum.retained += u64::from(found.flags & 1);
        if found.flags >> 1 & 3 == 3 {
            cx.anomaly("mqtt-invalid-qos");
        }
        Some(used)
    }

    fn packet(&mut self, side: Side, found: &Head, body: &[u8], cx: &mut Context<'_>) {
        match (side, found.kind) {
            (Side::Client, CONNECT) => match connect(body) {
                Some(asked) => {
                    self.connected(None, cx);
                    self.level = asked.level;
                    self.connect = Some(Box::new((cx.now, asked)));
                }
                None => cx.anomaly("mqtt-connect-malformed"),
            },
            (Side::Server, CONNACK) => self.connected(body.get(1).copied(), cx),
            (Side::Client, SUBSCRIBE) => self.ask("subscribe", body, cx),
            (Side::Client, UNSUBSCRIBE) => self.ask("unsubscribe", body, cx),
            (Side::Server, SUBACK | UNSUBACK) => {
                let Some((id, codes)) = codes(body, self.level) else {
                    return cx.anomaly("mqtt-answer-malformed");
                };
                let at = self.asked.iter().position(|asked| asked.id == id);
                if let Some(asked) = at.and_then(|at| self.asked.remove(at)) {
                    tell_asked(asked, Some(codes), cx);
                }
            }
            (Side::Server, DISCONNECT) => {
                if body.first().is_some_and(|code| *code >= 0x80) {
                    cx.anomaly("mqtt-disconnected-by-server");
                }
            }
            (_, 4..=7 | 12..=15) => {}
            _ => cx.anomaly("mqtt-unexpected-packet"),
        }
    }

    fn ask(&mut self, operation: &'static str, body: &[u8], cx: &mut Context<'_>) {
        let Some((id, filters)) = filters(body, self.level, operation == "subscribe") else {
            return cx.anomaly("mqtt-filters-malformed");
        };
        if self.asked.len() >= ASKED_MAX {
            cx.anomaly("mqtt-asked-limit");
            if let Some(asked) = self.asked.pop_front() {
                tell_asked(asked, None, cx);
            }
        }
        self.asked.push_back(Asked {
            id,
            time: cx.now,
            operation,
            filters,
        });
    }

    /// The connection is answered with this code, or not at all.
    fn connected(&mut self, code: Option<u8>, cx: &mut Context<'_>) {
        let Some(asked) = self.connect.take() else {
            return;
        };
        let (time, asked) = *asked;
        let word = code.map(|code| Text::Owned(code.to_string()));
        if asked.user.is_some() || asked.password {
            let logon = Logon::plain(time, asked.user.clone(), "USERNAME/PASSWORD");
            logon.emit("mqtt", code.map(|code| code == 0), word.clone(), cx);
        }
        let mut facts = Facts::of("mqtt");
        facts.add(
            "version",
            match asked.level {
                3 => "3.1",
                4 => "3.1.1",
                5 => "5.0",
                _ => "unknown",
            },
        );
        facts.add("clean", asked.clean);
        facts.add("keep_alive_s", asked.keep_alive);
        facts.add("will", asked.will.is_some());
        facts.add("password", asked.password);
        let mut body = exchange::body("mqtt", "connect", &mut facts);
        body.client = short(asked.client.as_bytes()).map(|client| Sensitive::text(&client));
        // The topic of the will.
        body.object = asked.will.as_deref().map(Sensitive::path);
        let status = match code {
            None => 0,
            Some(0) => SUCCESS,
            Some(_) => FAILURE,
        };
        cx.emit(Draft::new(time, TRAFFIC, body).status(status, word));
    }
}

fn tell_asked(asked: Asked, codes: Option<&[u8]>, cx: &mut Context<'_>) {
    let refused = codes.map(|codes| codes.iter().filter(|code| **code >= 0x80).count());
    let mut facts = Facts::of("mqtt");
    facts.maybe("refused", refused.filter(|count| *count > 0));
    let mut body = exchange::body("mqtt", asked.operation, &mut facts);
    body.object_count = u64::try_from(asked.filters.len()).ok();
    body.object = Some(Sensitive::path(&asked.filters.join(" ")));
    let status = match refused {
        None => 0,
        Some(0) => SUCCESS,
        Some(_) => FAILURE,
    };
    cx.emit(Draft::new(asked.time, TRAFFIC, body).status(status, None));
}
