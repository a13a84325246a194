use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{client, field, only, play, server, survives_mutation};
use crate::protocol::replay::fuzz;

const READ: &[u8] = b"\0\x01cfg/pump.bin\0OCTET\0tsize\x000\0";

#[test]
fn a_request_is_told_when_its_flow_ends() {
    let out = play(Transport::Udp, 69, &[client(READ), client(READ)]);
    assert_eq!(out.name, Some("tftp"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (2, 0));
    assert_eq!(field(draft, "ftp_path"), "cfg/pump.bin");
    assert_eq!(field(draft, "ftp_command"), "RRQ");
    assert_eq!(field(draft, "ftp_mode"), "octet");
}

#[test]
fn data_and_errors_of_the_same_flow_count() {
    let write = b"\0\x02a\0netascii\0tsize\x0020\0";
    let pieces = [
        client(READ),
        server(b"\0\x03\0\x01abcd"),
        client(write),
        server(b"\0\x05\0\x02no\0"),
    ];
    let out = play(Transport::Udp, 6969, &pieces);
    assert_eq!(field(&out.drafts[0], "ftp_bytes"), "4");
    assert_eq!(out.drafts[0].status, 1);
    assert_eq!((out.drafts[1].activity, out.drafts[1].status), (1, 2));
    assert_eq!(out.drafts[1].status_code.as_deref(), Some("2"));
    assert_eq!(field(&out.drafts[1], "ftp_bytes"), "20");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("tftp"), &bytes);
    }

    #[test]
    fn mutated_requests_never_panic(seed in any::<u64>()) {
        survives_mutation("tftp", Transport::Udp, READ, seed);
    }
}
