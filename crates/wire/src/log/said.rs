//! What a record says, before it is an event.
//!
//! Enters: mapped records. Leaves: [`Record`]. Refuses: nothing. Source: `DESIGN.md` section 5.

use model::{Body, Connection, Millis, Text};

/// OCSF: an activity that has no number of its own.
pub(super) const OTHER: u16 = 99;
/// OCSF network activity: traffic.
pub(super) const TRAFFIC: u16 = 6;
/// OCSF status.
pub(super) const SUCCESS: u16 = 1;
/// OCSF status.
pub(super) const FAILURE: u16 = 2;

/// A record of a foreign log.
pub(super) struct Record {
    /// When.
    pub(super) time: Millis,
    /// Where it comes from: `log:PRODUCT/NAME`.
    pub(super) label: Text,
    /// Between whom.
    pub(super) connection: Connection,
    /// What it says, one item an event.
    pub(super) said: Vec<Said>,
}

/// What one event says.
pub(super) struct Said {
    /// OCSF activity.
    pub(super) activity: u16,
    /// OCSF status.
    pub(super) status: u16,
    /// Status in the protocol's own words.
    pub(super) code: Option<Text>,
    /// When, if not at the record's time.
    pub(super) time: Option<Millis>,
    /// True when the record is about what the answering side sent.
    pub(super) answer: bool,
    /// The rest.
    pub(super) body: Body,
}

impl Said {
    /// An event without a status.
    pub(super) fn new(activity: u16, body: impl Into<Body>) -> Self {
        Self {
            activity,
            status: 0,
            code: None,
            time: None,
            answer: false,
            body: body.into(),
        }
    }

    /// With this status, in OCSF's and in the protocol's words.
    pub(super) fn status(mut self, status: u16, code: Option<Text>) -> Self {
        self.status = status;
        self.code = code;
        self
    }

    /// Success or failure as told; unknown when it was not.
    pub(super) fn outcome(self, success: Option<bool>, code: Option<Text>) -> Self {
        let status = success.map_or(0, |good| if good { SUCCESS } else { FAILURE });
        self.status(status, code)
    }

    /// At this time.
    pub(super) const fn at(mut self, time: Option<Millis>) -> Self {
        self.time = time;
        self
    }

    /// The record's source is the side that answers.
    pub(super) const fn answer(mut self, answer: bool) -> Self {
        self.answer = answer;
        self
    }
}
