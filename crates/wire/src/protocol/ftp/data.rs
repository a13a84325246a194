//! A data connection that a control connection announced.
//!
//! Enters: the stream. Leaves: one FTP Activity with the file's facts, named by the command, path
//! and user of the control connection. Refuses: octets of the side that is not sending.
//! Source: RFC 959 section 3.

use model::class::Ftp;
use model::{Nanos, Sensitive, Text};

use super::parser::command;
use super::session::{OTHER, activity};
use crate::file::expect::Transfer;
use crate::file::facts::extension;
use crate::file::{Carver, Coding, Meta};
use crate::protocol::shared::exchange::SUCCESS;
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Name of such a flow.
pub(in crate::protocol) const NAME: &str = "ftp-data";

/// One data connection.
pub(in crate::protocol) struct DataSession {
    transfer: Transfer,
    /// Who sends, since when, and what.
    file: Option<(Side, Nanos, Carver)>,
}

impl DataSession {
    /// A connection for this transfer.
    pub(in crate::protocol) const fn new(transfer: Transfer) -> Self {
        Self {
            transfer,
            file: None,
        }
    }
}

impl Session for DataSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let transfer = &self.transfer;
        let (sender, _, carver) = self.file.get_or_insert_with(|| {
            let meta = Meta {
                time: cx.now,
                protocol: NAME,
                sender: side,
                hosts: cx.hosts,
                ports: [cx.client_port, cx.server_port],
                name: (!transfer.path.is_empty()).then_some(&*transfer.path),
                mime: None,
                bytes: None,
            };
            (
                side,
                cx.now,
                Carver::begin(&cx.files.policy, Coding::Plain, &meta),
            )
        });
        if *sender != side {
            cx.anomaly("ftp-data-both-ways");
            return Step::skip(0, u64::MAX);
        }
        let wants = usize::try_from(carver.wants()).unwrap_or(usize::MAX);
        if wants == 0 {
            return Step::skip(0, u64::MAX);
        }
        let shown = bytes.get(..wants).unwrap_or(bytes);
        carver.bytes(shown);
        if shown.len() < bytes.len() {
            return Step::skip(shown.len(), u64::MAX);
        }
        Step::consumed(shown.len())
    }

    fn skipped(&mut self, side: Side, n: u64, _cx: &mut Context<'_>) {
        if let Some((sender, _, carver)) = &mut self.file
            && *sender == side
        {
            carver.pass(n);
        }
    }

    fn gap(&mut self, side: Side, missing: u64, _cx: &mut Context<'_>) -> bool {
        if let Some((sender, _, carver)) = &mut self.file
            && *sender == side
        {
            carver.lose(missing, "gap");
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let Some((_, time, mut carver)) = self.file.take() else {
            return;
        };
        let transfer = std::mem::take(&mut self.transfer);
        let path = Some(&*transfer.path).filter(|path| !path.is_empty());
        // The end of the connection is the end of the file.
        carver.close();
        let facts = carver.end(path, cx.drafts);
        let (verb, _, _) = command(transfer.command.as_bytes());
        let mut body = Ftp {
            data_port: Some(cx.server_port),
            mode: Some(Text::Borrowed(transfer.mode)),
            path: path.map(Sensitive::path),
            file_ext: path.and_then(extension),
            user: transfer.user.as_deref().map(Sensitive::text),
            ..Ftp::default()
        };
        facts.ftp(&mut body);
        let known = !transfer.command.is_empty();
        body.command = known.then_some(Text::Owned(transfer.command));
        let activity = if known { activity(verb) } else { OTHER };
        cx.emit(Draft::new(time, activity, body).status(SUCCESS, None));
    }

    fn heap_bytes(&self) -> usize {
        let transfer = self.transfer.path.len() + self.transfer.command.len() + 64;
        let carver = self
            .file
            .as_ref()
            .map_or(0, |(_, _, carver)| carver.heap_bytes());
        size_of::<Self>() + transfer + carver
    }
}
