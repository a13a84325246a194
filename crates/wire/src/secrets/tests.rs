use super::*;

#[test]
fn a_log_gives_its_secrets_and_counts_what_is_none() {
    let random = "07".repeat(32);
    let log = format!(
        "# made by hand\r\nCLIENT_RANDOM {random} {master}\r\n\
         CLIENT_TRAFFIC_SECRET_0 {random} {secret}\n\
         EXPORTER_SECRET {random} {secret}\n\
         CLIENT_RANDOM {random}\nCLIENT_RANDOM xyz {secret}\nCLIENT_RANDOM {random} {long}\n\
         CLIENT_RANDOM {random} {secret} more\n",
        master = "aB".repeat(48),
        secret = "01".repeat(32),
        long = "01".repeat(49),
    );
    let mut keys = KeyLog::default();
    keys.add(log.as_bytes());
    assert_eq!((keys.len(), keys.refused()), (2, 4));
    let secret = |label| keys.secret(label, &[7; 32]).map(|secret| secret.to_vec());
    assert_eq!(secret(Label::Master), Some(vec![0xab; 48]));
    assert_eq!(secret(Label::ClientTraffic), Some(vec![1; 32]));
    assert_eq!(secret(Label::ServerTraffic), None);
    assert!(keys.secret(Label::Master, &[8; 32]).is_none());
}

proptest::proptest! {
    #[test]
    fn random_logs_never_panic(
        log in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
    ) {
        KeyLog::default().add(&log);
    }
}
