use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::entropy::NoEntropy;
use crate::passkey::tests::{Key, UP_UV, assertion, party, registration};
use crate::passkey::{self, RelyingParty};

const NOW: Millis = Millis(1_700_000_000_000);
const PASSWORD: &str = "éléphant-violet-7";

/// Octets that differ at each draw and repeat at each run.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoEntropy> {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let mut stream = blake3::Hasher::new()
            .update(&n.to_be_bytes())
            .finalize_xof();
        stream.fill(octets);
        Ok(())
    }
}

struct Dead;

impl Entropy for Dead {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

fn settings() -> Settings {
    Settings {
        cost: PasswordCost {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        },
        ..Settings::default()
    }
}

struct Site {
    folder: tempfile::TempDir,
    directory: Directory,
}

fn open(folder: &tempfile::TempDir) -> Directory {
    let path = folder.path().join("accounts.json");
    Directory::open(&path, settings(), Box::new(Counting::default())).unwrap()
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder);
    Site { folder, directory }
}

fn new(name: &str, role: Role) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        display: String::new(),
        role,
        password: Secret::new(PASSWORD),
    }
}

fn from() -> IpAddr {
    "10.0.0.9".parse().unwrap()
}

fn with_admin() -> Site {
    let site = site();
    site.directory
        .create(&new("admin", Role::Admin), NOW)
        .unwrap();
    site
}

fn sign_in(directory: &Directory, name: &str, password: &str) -> Result<SignedIn, Refusal> {
    directory.sign_in(name, &Secret::new(password), from(), NOW)
}

#[test]
fn the_first_account_needs_the_token_once() {
    let site = site();
    let directory = &site.directory;
    let old = directory.first_token().unwrap().unwrap();
    let token = directory.first_token().unwrap().unwrap();
    let create = |token: &str, role| directory.create_first(token, new("Chef", role), from(), NOW);
    assert_eq!(create(&old, Role::Admin).err(), Some(Refusal::BadToken));
    assert_eq!(create("", Role::Admin).err(), Some(Refusal::BadToken));
    assert_eq!(create(&token, Role::Rssi).err(), Some(Refusal::BadRole));
    assert!(directory.first_run());
    let signed = create(&token, Role::Admin).unwrap();
    assert_eq!(signed.session.name, "chef");
    assert_eq!(directory.session(&signed.id, NOW), Some(signed.session));
    assert!(!directory.first_run());
    assert_eq!(create(&token, Role::Admin).err(), Some(Refusal::BadToken));
    assert_eq!(directory.first_token(), Ok(None));
}

#[test]
fn accounts_survive_a_restart_and_sessions_do_not() {
    let site = with_admin();
    let signed = sign_in(&site.directory, " ADMIN ", PASSWORD).unwrap();
    let again = open(&site.folder);
    assert!(again.session(&signed.id, NOW).is_none());
    assert_eq!(again.accounts(), site.directory.accounts());
    assert_eq!(again.accounts()[0].last_sign_in, Some(NOW.0));
    assert!(sign_in(&again, "admin", PASSWORD).is_ok());
}

#[test]
fn wrong_unknown_and_locked_look_the_same() {
    let site = with_admin();
    let directory = &site.directory;
    directory.create(&new("a.b", Role::Analyst), NOW).unwrap();
    let change = Change {
        locked: Some(true),
        ..Change::default()
    };
    let signed = sign_in(directory, "a.b", PASSWORD).unwrap();
    assert!(directory.update("a.b", &change).unwrap().locked);
    assert!(directory.session(&signed.id, NOW).is_none());
    for (name, password) in [
        ("a.b", PASSWORD),
        ("nobody", PASSWORD),
        ("admin", "wrong"),
        ("é", ""),
    ] {
        assert_eq!(
            sign_in(directory, name, password).err(),
            Some(Refusal::BadCredentials)
        );
    }
}

#[test]
fn guessing_is_slowed_down_and_the_right_password_waits_too() {
    let site = with_admin();
    for _ in 0..3 {
        assert!(sign_in(&site.directory, "admin", "wrong").is_err());
    }
    let refused = sign_in(&site.directory, "admin", PASSWORD).err();
    assert_eq!(
        refused,
        Some(Refusal::TooMany {
            retry_after_ms: 1_000
        })
    );
    let later = Millis(NOW.0 + 1_000);
    let right = Secret::new(PASSWORD);
    assert!(
        site.directory
            .sign_in("admin", &right, from(), later)
            .is_ok()
    );
    assert!(sign_in(&site.directory, "admin", "wrong").is_err());
}

#[test]
fn somebody_can_always_manage_accounts() {
    let site = with_admin();
    let directory = &site.directory;
    directory.create(&new("b", Role::Rssi), NOW).unwrap();
    assert_eq!(directory.delete("admin"), Err(Refusal::LastAdmin));
    for change in [
        Change {
            role: Some(Role::Analyst),
            ..Change::default()
        },
        Change {
            locked: Some(true),
            ..Change::default()
        },
    ] {
        assert_eq!(
            directory.update("admin", &change).err(),
            Some(Refusal::LastAdmin)
        );
    }
    directory.create(&new("c", Role::Admin), NOW).unwrap();
    assert_eq!(directory.delete("admin"), Ok(()));
    assert_eq!(directory.delete("admin"), Err(Refusal::NotFound));
}

#[test]
fn names_are_canonical_and_distinct() {
    let site = with_admin();
    let create = |name: &str| site.directory.create(&new(name, Role::Analyst), NOW);
    assert_eq!(create("Admin").err(), Some(Refusal::NameTaken));
    for bad in ["", " ", "-x", "a b", "é", "a/b", &"a".repeat(65)] {
        assert_eq!(create(bad).err(), Some(Refusal::BadName), "{bad}");
    }
    assert!(create("jean.durand@ch-exemple.fr").is_ok());
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    let site = with_admin();
    let directory = &site.directory;
    let here = sign_in(directory, "admin", PASSWORD).unwrap();
    let there = sign_in(directory, "admin", PASSWORD).unwrap();
    let wrong = Secret::new("wrong");
    let right = Secret::new(PASSWORD);
    let next = Secret::new("girafe-orange-99");
    let set = |current, new: &Secret| {
        directory.set_password("admin", Some((current, from(), NOW)), new, Some(&here.id))
    };
    assert_eq!(set(&wrong, &next), Err(Refusal::BadCredentials));
    assert!(matches!(set(&right, &wrong), Err(Refusal::WeakPassword(_))));
    assert_eq!(set(&right, &next), Ok(()));
    assert!(directory.session(&here.id, NOW).is_some());
    assert!(directory.session(&there.id, NOW).is_none());
    assert!(sign_in(directory, "admin", PASSWORD).is_err());
    assert!(sign_in(directory, "admin", "girafe-orange-99").is_ok());
    assert_eq!(directory.set_password("admin", None, &right, None), Ok(()));
    assert!(directory.session(&here.id, NOW).is_none());
}

#[test]
fn what_cannot_be_written_is_not_in_force() {
    let site = with_admin();
    let Site { folder, directory } = site;
    drop(folder);
    let refused = directory.create(&new("b", Role::Admin), NOW);
    assert!(matches!(refused, Err(Refusal::Storage(_))));
    assert_eq!(directory.accounts().len(), 1);
    assert!(matches!(
        sign_in(&directory, "admin", PASSWORD),
        Err(Refusal::Storage(_))
    ));
}

#[test]
fn nothing_opens_without_randomness() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.json");
    assert!(Directory::open(&path, settings(), Box::new(Dead)).is_err());
}

#[test]
fn hashes_of_another_cost_are_renewed_at_sign_in() {
    let site = with_admin();
    let path = site.folder.path().join("accounts.json");
    let dear = Settings {
        cost: PasswordCost {
            passes: 2,
            ..settings().cost
        },
        ..settings()
    };
    let directory = Directory::open(&path, dear, Box::new(Counting::default())).unwrap();
    sign_in(&directory, "admin", PASSWORD).unwrap();
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("m=8,t=2,p=1")
    );
    assert!(sign_in(&directory, "admin", PASSWORD).is_ok());
}

fn challenge(options: &serde_json::Value) -> Vec<u8> {
    passkey::decode(options["challenge"].as_str().unwrap()).unwrap()
}

fn with_passkey() -> Site {
    let site = with_admin();
    let options = site
        .directory
        .passkey_register_begin("admin", &party(), NOW)
        .unwrap();
    assert_eq!(options["rp"]["id"], "vigie.example");
    let answer = registration(
        &Key::es256(),
        b"cred",
        &challenge(&options),
        &party(),
        UP_UV,
    );
    let finish = |name: &str| {
        site.directory
            .passkey_register_finish(name, "clé bleue", &answer, &party(), NOW)
    };
    assert_eq!(finish("admin").unwrap().label, "clé bleue");
    assert!(finish("admin").is_err(), "a challenge serves once");
    site
}

fn passkey_sign_in(directory: &Directory, count: u32, at: Millis) -> Result<SignedIn, Refusal> {
    let options = directory.passkey_sign_in_begin(&party(), NOW)?;
    let mut answer = assertion(
        &Key::es256(),
        b"cred",
        &challenge(&options),
        &party(),
        count,
    );
    answer.response.user_handle = None;
    directory.passkey_sign_in_finish(&answer, &party(), from(), at)
}

#[test]
fn a_passkey_signs_in_by_itself() {
    let site = with_passkey();
    let directory = &site.directory;
    assert_eq!(
        passkey_sign_in(directory, 1, NOW).unwrap().session.name,
        "admin"
    );
    assert!(matches!(
        passkey_sign_in(directory, 1, NOW),
        Err(Refusal::BadPasskey(_))
    ));
    assert!(passkey_sign_in(directory, 2, NOW).is_ok());
    let late = Millis(NOW.0 + crate::limit::CEREMONY_MS_MAX + 1);
    assert!(passkey_sign_in(directory, 3, late).is_err());
    let id = directory.passkeys("admin")[0].id.clone();
    assert_eq!(directory.passkey_delete("admin", &id), Ok(()));
    assert_eq!(
        passkey_sign_in(directory, 4, NOW).err(),
        Some(Refusal::BadCredentials)
    );
}

#[test]
fn challenges_are_bound_to_purpose_account_and_party() {
    let site = with_admin();
    let directory = &site.directory;
    directory.create(&new("b", Role::Analyst), NOW).unwrap();
    let begin = || {
        challenge(
            &directory
                .passkey_register_begin("admin", &party(), NOW)
                .unwrap(),
        )
    };
    let finish = |name: &str, challenge: &[u8], party: &RelyingParty| {
        let answer = registration(&Key::es256(), b"cred", challenge, party, UP_UV);
        directory.passkey_register_finish(name, "", &answer, party, NOW)
    };
    assert!(finish("b", &begin(), &party()).is_err());
    let other = RelyingParty {
        id: "other.example".to_owned(),
        origin: "https://other.example".to_owned(),
    };
    assert!(finish("admin", &begin(), &other).is_err());
    let sign_in = challenge(&directory.passkey_sign_in_begin(&party(), NOW).unwrap());
    assert!(finish("admin", &sign_in, &party()).is_err());
    assert!(finish("admin", &begin(), &party()).is_ok());
    assert!(
        finish("admin", &begin(), &party()).is_err(),
        "the same credential twice"
    );
}

#[test]
fn csrf_values_belong_to_one_session() {
    let site = with_admin();
    let one = sign_in(&site.directory, "admin", PASSWORD).unwrap();
    let two = sign_in(&site.directory, "admin", PASSWORD).unwrap();
    let csrf = site.directory.csrf(&one.id);
    assert!(site.directory.csrf_matches(&one.id, &csrf));
    assert!(!site.directory.csrf_matches(&two.id, &csrf));
    assert!(!site.directory.csrf_matches(&one.id, ""));
    site.directory.sign_out(&one.id);
    assert!(site.directory.session(&one.id, NOW).is_none());
    assert!(site.directory.session(&two.id, NOW).is_some());
}
