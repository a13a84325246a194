use proptest::prelude::*;

use crate::protocol::checks::{
    client, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Outcome, Piece, fuzz};
use crate::protocol::{Draft, Side, Transport};

fn of<'a>(out: &'a Outcome, class: &str) -> Vec<&'a Draft> {
    let named = |draft: &&Draft| draft.body.class().name == class;
    out.drafts.iter().filter(named).collect()
}

const MAIL: &str = "Received: from a\r\n by b\r\nReceived: from c\r\n\
From: =?utf-8?Q?Am=C3=A9lie?= <a.durand@chu.example>\r\n\
To: \"Roux, B\" <b.roux@lab.example>,\r\n c@chu.example\r\n\
Subject: =?iso-8859-1?B?culzdWx0YXQ=?= du\r\n jour\r\nMessage-ID: <1.2@chu.example>\r\n\
X-Mailer: Test 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_b\"\r\n\r\npreamble\r\n\
--=_b\r\nContent-Type: text/plain\r\n\r\nhello\r\n..dot\r\n\
--=_b\r\nContent-Type: application/pdf; name=\"x\"\r\n\
Content-Disposition: attachment;\r\n filename*0*=utf-8''r%C3%A9sul;\r\n filename*1=\"tat.pdf\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\nQUJDRA==\r\n--=_b--\r\n";

fn session() -> Vec<(Side, String)> {
    use Side::{Client, Server};
    let say = |side, text: &str| (side, text.to_owned());
    vec![
        say(Server, "220-mx.example ESMTP Postfix\r\n220 hi\r\n"),
        say(Client, "EHLO pc1\r\n"),
        say(Server, "250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"),
        say(Client, "AUTH LOGIN\r\n"),
        say(Server, "334 VXNlcm5hbWU6\r\n"),
        say(Client, "YWxpY2U=\r\n"),
        say(Server, "334 UGFzc3dvcmQ6\r\n"),
        say(Client, "c2VjcmV0\r\n"),
        say(Server, "235 2.7.0 ok\r\n"),
        say(
            Client,
            "MAIL FROM:<a.durand@chu.example> SIZE=1\r\nRCPT TO:<b.roux@lab.example>\r\n\
             RCPT TO:<nobody@lab.example>\r\nDATA\r\n",
        ),
        say(Server, "250 ok\r\n250 ok\r\n550 no such user\r\n354 go\r\n"),
        say(Client, &format!("{MAIL}.\r\n")),
        say(Server, "250 queued\r\n"),
        say(Client, "QUIT\r\n"),
        say(Server, "221 bye\r\n"),
    ]
}

fn pieces(session: &[(Side, String)]) -> Vec<Piece<'_>> {
    session
        .iter()
        .map(|(side, text)| Piece::Bytes(*side, text.as_bytes()))
        .collect()
}

#[test]
fn a_mail_is_told_with_its_envelope_and_header() {
    let session = session();
    let out = play(Transport::Tcp, 2526, &pieces(&session));
    assert_eq!(out.name, Some("smtp"));
    let mails = of(&out, "email_activity");
    assert_eq!(mails.len(), 1);
    let mail = mails[0];
    assert_eq!((mail.activity, mail.status), (1, 1));
    assert_eq!(mail.status_code.as_deref(), Some("250"));
    let wanted = [
        ("smtp_hello", "pc1"),
        ("smtp_banner", "mx.example ESMTP Postfix"),
        ("mail_from", "Am\u{e9}lie <a.durand@chu.example>"),
        ("mail_to", "\"Roux, B\" <b.roux@lab.example>, c@chu.example"),
        ("mail_subject", "r\u{e9}sultat du jour"),
        ("mail_id", "1.2@chu.example"),
        ("envelope_from", "a.durand@chu.example"),
        ("envelope_to", "b.roux@lab.example nobody@lab.example"),
        ("recipients", "2"),
        ("recipients_refused", "1"),
        ("from_domain", "chu.example"),
        ("to_domains", "lab.example,chu.example"),
        ("attachments", "1"),
        ("attachment_names", "r\u{e9}sultat.pdf"),
        ("attachment_types", "application/pdf"),
        ("attachment_bytes", "4"),
        ("mail_type", "multipart/mixed"),
        ("mail_client", "Test 1.0"),
        ("mail_hops", "2"),
        ("anomalies", ""),
    ];
    for (column, value) in wanted {
        assert_eq!(field(mail, column), value, "{column}");
    }
    assert_eq!(field(mail, "mail_bytes"), MAIL.len().to_string());
}

#[test]
fn a_log_in_is_told_without_its_secret() {
    let session = session();
    let out = play(Transport::Tcp, 25, &pieces(&session));
    let logons = of(&out, "authentication");
    assert_eq!(logons.len(), 1);
    assert_eq!((logons[0].activity, logons[0].status), (1, 1));
    assert_eq!(field(logons[0], "user"), "alice");
    assert_eq!(field(logons[0], "is_cleartext"), "true");
    assert_eq!(field(logons[0], "mechanism"), "LOGIN");
    let all: String = out
        .drafts
        .iter()
        .map(crate::protocol::checks::facts)
        .collect();
    assert!(
        !all.contains("secret") && !all.contains("c2VjcmV0"),
        "{all}"
    );
}

#[test]
fn the_session_is_told_once() {
    let session = session();
    let out = play(Transport::Tcp, 25, &pieces(&session));
    let told = of(&out, "network_activity");
    assert_eq!(told.len(), 1);
    let facts = field(told[0], "facts");
    assert!(facts.contains("smtp.starttls=offered"), "{facts}");
    assert!(facts.contains("smtp.auth_offered=PLAIN LOGIN"), "{facts}");
    assert!(facts.contains("smtp.mails=1"), "{facts}");
}

#[test]
fn starttls_gives_the_flow_to_tls() {
    let hello = crate::protocol::checks::hex(
        "1603010030 0100002c 0303 0000000000000000000000000000000000000000000000000000000000000000 \
         00 0004 1301 1302 0100 00ff",
    );
    let out = play(
        Transport::Tcp,
        25,
        &[
            server(b"220 mx ESMTP\r\n"),
            client(b"EHLO a\r\n"),
            server(b"250-mx\r\n250 STARTTLS\r\n"),
            client(b"STARTTLS\r\n"),
            server(b"220 go\r\n"),
            client(&hello),
        ],
    );
    assert_eq!(out.name, Some("tls"));
    assert!(field(&out.drafts[0], "facts").contains("smtp.starttls=accepted"));
}

#[test]
fn chunks_are_content_whatever_they_hold() {
    let out = play(
        Transport::Tcp,
        25,
        &[
            server(b"220 mx ESMTP\r\n"),
            client(
                b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\nBDAT 18\r\n\
                Subject: one\r\n.\r\nx",
            ),
            client(b"BDAT 10 LAST\r\n\r\n.\r\nQUIT\r"),
            server(b"250 a\r\n250 b\r\n250 c\r\n250 d\r\n250 queued\r\n"),
        ],
    );
    let mails = of(&out, "email_activity");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].status, 1);
    assert_eq!(field(mails[0], "mail_subject"), "one");
    assert_eq!(field(mails[0], "mail_bytes"), "28");
}

#[test]
fn a_refused_mail_is_a_failure() {
    let out = play(
        Transport::Tcp,
        25,
        &[
            server(b"220 mx ESMTP\r\n"),
            client(b"HELO a\r\n"),
            server(b"250 mx\r\n"),
            client(b"MAIL FROM:<a@b.example>\r\n"),
            server(b"250 ok\r\n"),
            client(b"RCPT TO:<c@d.example>\r\n"),
            server(b"554 relay denied\r\n"),
            client(b"QUIT\r\n"),
            server(b"221 bye\r\n"),
        ],
    );
    let mails = of(&out, "email_activity");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].status, 2);
    assert_eq!(mails[0].status_code.as_deref(), Some("554"));
}

#[test]
fn any_split_gives_the_same() {
    let session = session();
    for step in [1, 2, 3, 5, 7, 16, 33, 100] {
        split_gives_the_same(only("smtp"), 25, &pieces(&session), step);
    }
}

#[test]
fn a_gap_in_a_mail_keeps_the_rest() {
    let out = play(
        Transport::Tcp,
        25,
        &[
            server(b"220 mx ESMTP\r\n"),
            client(b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
            server(b"250 a\r\n250 b\r\n250 c\r\n354 go\r\n"),
            client(b"Subject: x\r\n\r\nbody"),
            Piece::Gap(Side::Client, 100),
            client(b"tail\r\n.\r\n"),
            server(b"250 queued\r\n"),
        ],
    );
    let mails = of(&out, "email_activity");
    assert_eq!(field(mails[0], "mail_subject"), "x");
    assert_eq!(field(mails[0], "anomalies"), "mail-gap");
    assert_eq!(mails[0].status, 1);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("smtp"), &bytes);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        let session = session();
        let good: String = session.iter().map(|(_, text)| text.as_str()).collect();
        survives_mutation("smtp", Transport::Tcp, good.as_bytes(), seed);
    }
}
