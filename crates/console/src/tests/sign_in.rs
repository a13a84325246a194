//! Signing in, the first account, accounts, passwords, the trail.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::fake::{NOW, PASSWORD, console, made};
use crate::Settings;

#[tokio::test]
async fn the_first_run_ends_with_its_account() {
    let console = made(Settings::default()).console;
    let stranger = console.stranger();
    let session = stranger.get("/session").await.json();
    assert_eq!(session["first_run"], true);
    assert_eq!(session["roles"], json!(["rssi", "analyst", "admin"]));
    let token = console.identity.first_token().unwrap().unwrap();
    let create = |token: &str, role: &str| {
        let body = json!({"token": token, "name": "chef", "password": PASSWORD, "role": role});
        stranger.send("POST", "/api/v1/first-account", Some(body))
    };
    assert_eq!(create("wrong", "admin").await.code(), "bad_token");
    assert_eq!(create(&token, "rssi").await.code(), "bad_role");
    let made = create(&token, "admin").await;
    assert_eq!(made.json()["user"]["name"], "chef");
    assert!(
        made.header("set-cookie")
            .contains("; HttpOnly; SameSite=Strict")
    );
    assert!(!made.header("set-cookie").contains("Secure"));
    assert_eq!(create(&token, "admin").await.code(), "bad_token");
    assert_eq!(stranger.get("/session").await.json()["first_run"], false);
}

#[tokio::test]
async fn failures_are_slowed_down_and_noted_without_what_was_typed() {
    let console = console();
    let stranger = console.stranger();
    let attempt = |name: &str| {
        let body = json!({"name": name, "password": "wrong"});
        stranger.send("POST", "/api/v1/session", Some(body))
    };
    assert_eq!(attempt("admin").await.code(), "bad_credentials");
    assert_eq!(attempt("hunter2secret").await.code(), "bad_credentials");
    assert_eq!(attempt("admin").await.status, 401);
    assert_eq!(attempt("admin").await.status, 401);
    let refused = attempt("admin").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "too_many")
    );
    assert_eq!(refused.header("retry-after"), "1");
    let trail = console.trail.entries.lock().unwrap().clone();
    let actors: Vec<&str> = trail.iter().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(actors, ["admin", "(unknown)", "admin", "admin"]);
    assert!(trail.iter().all(|entry| entry.action == "sign_in_failed"));
}

#[tokio::test]
async fn a_session_ends_by_itself_and_at_once_when_the_account_is_locked() {
    let console = console();
    let admin = console.sign_in("admin").await;
    let analyst = console.sign_in("analyst").await;
    assert_eq!(analyst.get("/system").await.status, 200);
    let lock = json!({"locked": true});
    let answer = admin
        .send("PATCH", "/api/v1/users/analyst", Some(lock))
        .await;
    assert_eq!(answer.json()["locked"], true);
    assert_eq!(analyst.get("/system").await.code(), "not_signed_in");
    console.clock.0.store(NOW + 31 * 60_000, Ordering::Relaxed);
    assert_eq!(admin.get("/system").await.code(), "not_signed_in");
}

#[tokio::test]
async fn without_a_trail_nobody_signs_in_and_nothing_changes() {
    let console = console();
    let admin = console.sign_in("admin").await;
    console.trail.broken.store(true, Ordering::Relaxed);
    let body = json!({"name": "analyst", "password": PASSWORD});
    let stranger = console.stranger();
    let answer = stranger.send("POST", "/api/v1/session", Some(body)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "trail_failed")
    );
    assert_eq!(answer.header("set-cookie"), "");
    let zones = json!({"zones": [{"name": "a", "cidrs": ["10.0.0.0/8"]}]});
    let answer = admin.send("PUT", "/api/v1/setup/zones", Some(zones)).await;
    assert_eq!(answer.code(), "trail_failed");
    assert!(console.site.zones.lock().unwrap().is_empty());
    assert_eq!(
        admin
            .send("DELETE", "/api/v1/users/rssi", None)
            .await
            .status,
        503
    );
    assert_eq!(console.identity.accounts().len(), 3);
}

#[tokio::test]
async fn admins_manage_accounts() {
    let console = console();
    let admin = console.sign_in("admin").await;
    let new = json!({"name": "Marie", "role": "rssi", "password": "girafe-orange-99"});
    let answer = admin.send("POST", "/api/v1/users", Some(new.clone())).await;
    assert_eq!(answer.json()["name"], "marie");
    let answer = admin.send("POST", "/api/v1/users", Some(new)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, "name_taken")
    );
    let weak = json!({"name": "x", "role": "rssi", "password": "short"});
    let answer = admin.send("POST", "/api/v1/users", Some(weak)).await;
    assert_eq!(answer.code(), "weak_password");
    assert_eq!(
        admin.get("/users").await.json().as_array().unwrap().len(),
        4
    );
    let answer = admin.send("DELETE", "/api/v1/users/admin", None).await;
    assert_eq!(answer.code(), "own_account");
    assert_eq!(
        admin
            .send("DELETE", "/api/v1/users/marie", None)
            .await
            .status,
        204
    );
    assert_eq!(
        admin
            .send("DELETE", "/api/v1/users/marie", None)
            .await
            .code(),
        "not_found"
    );
    let trail = admin.get("/audit-trail?limit=50").await.json();
    let entries = trail.as_array().unwrap().iter();
    let seen: Vec<_> = entries
        .map(|e| (e["action"].clone(), e["outcome"].clone()))
        .collect();
    assert!(seen.contains(&("account_created".into(), "ok".into())));
    assert!(seen.contains(&("account_created".into(), "name_taken".into())));
    assert!(seen.contains(&("account_deleted".into(), "ok".into())));
}

#[tokio::test]
async fn everybody_changes_their_own_password_with_the_old_one() {
    let console = console();
    let analyst = console.sign_in("analyst").await;
    let change = |name: &str, body: serde_json::Value| {
        let path = format!("/api/v1/users/{name}/password");
        let analyst = analyst.clone();
        async move { analyst.send("POST", &path, Some(body)).await }
    };
    let new = "girafe-orange-99";
    assert_eq!(
        change("rssi", json!({"new": new})).await.code(),
        "forbidden"
    );
    assert_eq!(
        change("analyst", json!({"new": new})).await.code(),
        "bad_value"
    );
    let wrong = change("analyst", json!({"current": "wrong", "new": new})).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (403, "bad_credentials")
    );
    let right = change("analyst", json!({"current": PASSWORD, "new": new})).await;
    assert_eq!(right.status, 204);
    assert_eq!(analyst.get("/system").await.status, 200);
}

#[tokio::test]
async fn roles_may_do_what_the_table_says() {
    let console = console();
    let zones = json!({"zones": []});
    let expected = [
        ("rssi", [200, 200, 200, 403, 403]),
        ("analyst", [200, 200, 403, 403, 403]),
        ("admin", [200, 200, 200, 200, 204]),
    ];
    for (name, statuses) in expected {
        let client = console.sign_in(name).await;
        let seen = [
            client.get("/system").await.status.as_u16(),
            client.get("/events").await.status.as_u16(),
            client.get("/audit-trail").await.status.as_u16(),
            client.get("/users").await.status.as_u16(),
            client
                .send("PUT", "/api/v1/setup/zones", Some(zones.clone()))
                .await
                .status
                .as_u16(),
        ];
        assert_eq!(seen, statuses, "{name}");
    }
}

#[tokio::test]
async fn passkeys_need_a_name_and_a_registered_key() {
    let console = console();
    let admin = console.sign_in("admin").await;
    let begin = "/api/v1/passkeys/register/begin";
    let options = admin.send("POST", begin, Some(json!({}))).await.json();
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["user"]["name"], "admin");
    let mut request = admin.request("POST", begin, Some(json!({})));
    request
        .headers_mut()
        .insert("host", "127.0.0.1:8443".parse().unwrap());
    assert_eq!(
        admin.send_request(request).await.code(),
        "passkey_unavailable"
    );
    let stranger = console.stranger();
    let begin = "/api/v1/session/passkey/begin";
    let options = stranger
        .send("POST", begin, Some(json!({"name": "admin"})))
        .await
        .json();
    assert_eq!(options["allowCredentials"], json!([]));
    let credential = json!({"credential": {"id": "AQ", "response": {
        "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}}});
    let finish = "/api/v1/session/passkey/finish";
    let answer = stranger.send("POST", finish, Some(credential)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "bad_passkey")
    );
    assert_eq!(admin.get("/passkeys").await.json(), json!([]));
    let answer = admin.send("DELETE", "/api/v1/passkeys/AQ", None).await;
    assert_eq!(answer.code(), "not_found");
}
