use super::*;

#[test]
fn messages_say_what_to_do() {
    let error = LiveError::Permission {
        interface: "eth1".to_owned(),
        binary: "/opt/vigie".to_owned(),
    };
    assert!(
        error
            .to_string()
            .contains("`sudo setcap cap_net_raw+ep /opt/vigie`")
    );
    assert!(!error.may_retry());
    let error = LiveError::NoInterface {
        interface: "no such".to_owned(),
    };
    assert!(
        error
            .to_string()
            .starts_with("capture no such: no such interface; there are ")
    );
    assert!(error.may_retry());
}
