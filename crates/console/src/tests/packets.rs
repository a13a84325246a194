//! Packets of a flow: who may, with what reason, in which form.

use serde_json::json;

use super::fake::console;
use crate::limit::PCAP_BYTES_MAX;

#[tokio::test]
async fn packets_need_a_role_and_a_reason() {
    let console = console();
    let path = "/api/v1/packets";
    let wanted = |reason: &str| Some(json!({"flow": "1:some", "reason": reason}));
    let analyst = console.sign_in("analyst").await;
    let refused = analyst.send("POST", path, wanted("incident 12")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "forbidden")
    );
    assert_eq!(analyst.get("/packets").await.json()["may_open"], false);
    let rssi = console.sign_in("rssi").await;
    let state = rssi.get("/packets").await.json();
    assert_eq!(
        (&state["may_open"], &state["ring"]["bytes"]),
        (&json!(true), &json!(5))
    );
    for reason in ["", "  a ", &"x".repeat(501)] {
        let refused = rssi.send("POST", path, wanted(reason)).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (400, "no_reason")
        );
    }
    let file = rssi.send("POST", path, wanted(" incident 12 ")).await;
    assert_eq!(file.status, 200);
    assert_eq!(file.text, format!("rssi incident 12 {PCAP_BYTES_MAX}"));
    assert_eq!(file.header("content-type"), "application/vnd.tcpdump.pcap");
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert_eq!(file.header("x-vigie-limited"), "true");
    assert_eq!(file.header("x-vigie-skipped-blocks"), "3");
    let none = json!({"flow": "1:none", "reason": "incident 12"});
    assert_eq!(
        rssi.send("POST", path, Some(none)).await.code(),
        "not_found"
    );
    let nothing = json!({"reason": "incident 12"});
    assert_eq!(
        rssi.send("POST", path, Some(nothing)).await.code(),
        "bad_value"
    );
    let mut foreign = rssi.clone();
    foreign.csrf = String::new();
    assert_eq!(
        foreign
            .send("POST", path, wanted("incident 12"))
            .await
            .code(),
        "csrf"
    );
}
