use super::*;

fn looks(turns: &[(Side, usize)]) -> Option<String> {
    let mut sums = Turns::default();
    for &(side, len) in turns {
        sums.add(side, len);
    }
    let facts = sums.tell();
    let fact = facts.iter().find(|fact| fact.starts_with("ssh.looks_like"));
    fact.map(|fact| fact.to_string())
}

#[test]
fn typing_and_transfers_look_different() {
    let typing = [(Side::Client, 36), (Side::Server, 36)].repeat(20);
    assert_eq!(
        looks(&typing).as_deref(),
        Some("ssh.looks_like=interactive")
    );
    let upload = [(Side::Client, 200_000), (Side::Server, 44)].repeat(9);
    assert_eq!(
        looks(&upload).as_deref(),
        Some("ssh.looks_like=transfer_out")
    );
    let download = [(Side::Client, 500), (Side::Server, 200_000)].repeat(9);
    assert_eq!(
        looks(&download).as_deref(),
        Some("ssh.looks_like=transfer_in")
    );
    let listing = [(Side::Client, 36), (Side::Server, 9000)].repeat(20);
    assert_eq!(
        looks(&listing).as_deref(),
        Some("ssh.looks_like=interactive")
    );
    let command = [(Side::Client, 500), (Side::Server, 900)].repeat(4);
    assert_eq!(looks(&command).as_deref(), Some("ssh.looks_like=other"));
    assert_eq!(looks(&[(Side::Client, 64), (Side::Server, 64)]), None);
}

#[test]
fn how_a_stream_was_cut_changes_nothing() {
    let cut = [(Side::Client, 18), (Side::Client, 18), (Side::Server, 36)].repeat(20);
    assert_eq!(looks(&cut).as_deref(), Some("ssh.looks_like=interactive"));
}
