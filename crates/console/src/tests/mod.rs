//! Tests of the whole router, in memory, with ports made here.

mod api;
mod fake;
mod guard;
mod packets;
mod served;
mod sign_in;

use crate::openapi_json;

/// The committed description is what the handlers say; `VIGIE_BLESS=1` rewrites it.
#[test]
fn openapi_json_is_committed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let made = openapi_json().unwrap();
    if std::env::var_os("VIGIE_BLESS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "openapi.json differs from the handlers: run with VIGIE_BLESS=1"
    );
}

#[test]
fn every_operation_is_described_once() {
    let document: serde_json::Value = serde_json::from_str(&openapi_json().unwrap()).unwrap();
    let mut ids = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (_, operation) in methods.as_object().unwrap() {
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            let said = operation["summary"].as_str().unwrap_or("");
            assert!(!said.is_empty(), "{path}");
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
    assert_eq!(all, 34);
}
