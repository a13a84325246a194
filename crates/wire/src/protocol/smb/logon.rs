//! Negotiation, logon and connection to shares.
//!
//! Enters: the answers of NEGOTIATE, SESSION_SETUP and TREE_CONNECT. Leaves: their events; who a
//! session belongs to. Refuses: Kerberos tickets, which other parsers read.
//! Source: [MS-SMB2] sections 2.2.3 to 2.2.10, [MS-NLMP].

use codec::ntlmssp::{self, Message};
use model::class::Smb;
use model::{Body, Nanos, Sensitive, Text, limit};

use super::body;
use super::parser::Header;
use super::session::{OTHER, SmbSession, ocsf_status, status_text};
use super::state::{Place, Tree};
use crate::protocol::{Context, Draft, Side};

/// The logon goes on: another token follows.
const MORE_PROCESSING: u32 = 0xc000_0016;
/// Session flag of a SESSION_SETUP response: everything will be encrypted.
const ENCRYPT_DATA: u16 = 4;

impl SmbSession {
    /// A NEGOTIATE answer.
    pub(super) fn negotiated(
        &mut self,
        time: Nanos,
        header: &Header,
        client_dialects: Vec<Text>,
        body: &[u8],
        cx: &mut Context<'_>,
    ) {
        let answer = body::negotiate_response(body).filter(|_| header.status == 0);
        let dialect = answer.map(|(revision, _)| body::dialect(revision));
        self.dialect.clone_from(&dialect);
        let body = Smb {
            command: Text::Borrowed("NEGOTIATE"),
            dialect,
            client_dialects,
            signed: answer.map(|(_, required)| required),
            ..Smb::default()
        };
        let code = Some(status_text(header.status));
        cx.emit(Draft::new(time, OTHER, body).status(ocsf_status(header.status), code));
    }

    /// An SMB1 message: only its negotiation is looked at.
    pub(super) fn smb1(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        if let Some(dialects) = body::smb1_request(bytes) {
            self.end_smb1(cx);
            self.smb1 = Some((cx.now, dialects));
        } else if let Some((status, chosen)) = body::smb1_response(bytes) {
            let (time, client_dialects) = self.smb1.take().unwrap_or((cx.now, Vec::new()));
            self.dialect = client_dialects.get(usize::from(chosen)).cloned();
            let body = Smb {
                command: Text::Borrowed("NEGOTIATE"),
                dialect: self.dialect.clone(),
                client_dialects,
                ..Smb::default()
            };
            let code = Some(status_text(status));
            cx.emit(Draft::new(time, OTHER, body).status(ocsf_status(status), code));
        }
    }

    /// Tells of an SMB1 negotiation without answer.
    pub(super) fn end_smb1(&mut self, cx: &mut Context<'_>) {
        if let Some((time, client_dialects)) = self.smb1.take() {
            let body = Smb {
                command: Text::Borrowed("NEGOTIATE"),
                client_dialects,
                ..Smb::default()
            };
            cx.emit(Draft::new(time, OTHER, body));
        }
    }

    /// A SESSION_SETUP request: the last one of a logon names the user.
    pub(super) fn setup_request(&mut self, now: Nanos, header: &Header, body: &[u8]) {
        let token = body::setup_request(body);
        if let Some(token) = token {
            let mut logon = self.tokens.take(header.session).unwrap_or_default();
            logon.token(Side::Client, token, now);
            self.tokens.put(header.session, logon);
        }
        let token = token.and_then(ntlmssp::find);
        if let Some(Message::Authenticate(auth)) = token.and_then(Message::read) {
            let mut logon = self.logons.take(header.session).unwrap_or_default();
            logon.workstation = text(&auth.workstation);
            logon.user = match (auth.domain.as_str(), auth.user.as_str()) {
                (_, "") => None,
                ("", user) => Some(Sensitive::text(user)),
                (domain, user) => Some(Sensitive::text(&format!("{domain}\\{user}"))),
            };
            self.logons.put(header.session, logon);
        }
    }

    /// A SESSION_SETUP answer; the final one is an event.
    pub(super) fn setup_response(
        &mut self,
        time: Nanos,
        header: &Header,
        body: &[u8],
        cx: &mut Context<'_>,
    ) {
        let (flags, token) = body::setup_response(body).unwrap_or((0, &[]));
        let mut logon = self.logons.take(header.session).unwrap_or_default();
        if let Some(Message::Challenge(challenge)) = ntlmssp::find(token).and_then(Message::read) {
            logon.server_os = challenge.version.map(|v| Text::from(v.to_string()));
            let names = [
                &challenge.dns_computer,
                &challenge.netbios_computer,
                &challenge.target,
            ];
            logon.server_name = names.into_iter().find_map(|name| text(name));
        }
        // The first answer gives the session its number.
        let tokens = self.tokens.take(header.session);
        let mut tokens = tokens.or_else(|| self.tokens.take(0)).unwrap_or_default();
        tokens.token(Side::Server, token, time);
        if header.status == MORE_PROCESSING {
            self.tokens.put(header.session, tokens);
            if self.logons.put(header.session, logon).is_some() {
                cx.anomaly("smb-logons-limit");
            }
            return;
        }
        logon.encrypted |= flags & ENCRYPT_DATA != 0;
        let keep = (header.status == 0).then(|| logon.clone());
        let place = Place {
            session: header.session,
            tree: None,
            signed: header.is_signed(),
        };
        let mut body = self.body("SESSION_SETUP", place);
        body.user = logon.user;
        body.workstation = logon.workstation;
        body.server_os = logon.server_os;
        body.server_name = logon.server_name;
        body.encrypted = Some(logon.encrypted);
        let code = Some(status_text(header.status));
        let outcome = (ocsf_status(header.status), status_text(header.status));
        cx.emit(Draft::new(time, OTHER, body).status(outcome.0, code));
        if let Some(mut draft) = tokens.take(Some(outcome)) {
            if let Body::Authentication(login) = &mut draft.body {
                login.session = Some(Text::from(format!("0x{:016x}", header.session)));
            }
            cx.emit(draft);
        }
        if let Some(logon) = keep
            && self.logons.put(header.session, logon).is_some()
        {
            cx.anomaly("smb-logons-limit");
        }
    }

    /// A TREE_CONNECT answer.
    pub(super) fn tree_connected(
        &mut self,
        (time, tree): (Nanos, u32),
        header: &Header,
        share: Sensitive,
        body: &[u8],
        cx: &mut Context<'_>,
    ) {
        let kind = body::tree_response(body).filter(|_| header.status == 0);
        let place = Place {
            session: header.session,
            tree: (header.status == 0).then_some(tree),
            signed: header.is_signed(),
        };
        if header.status == 0 {
            let entry = Tree {
                share: Some(share.clone()),
                kind,
            };
            let key = (header.session, tree);
            if self
                .trees
                .put(key, entry)
                .is_some_and(|(old, _)| old != key)
            {
                cx.anomaly("smb-trees-limit");
            }
        }
        let mut body = self.body("TREE_CONNECT", place);
        body.share = Some(share);
        let code = Some(status_text(header.status));
        cx.emit(Draft::new(time, OTHER, body).status(ocsf_status(header.status), code));
    }
}

fn text(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| Text::from(limit::cut_to(text, 256).to_owned()))
}
