use super::*;
use crate::entropy::OsEntropy;

const CHEAP: PasswordCost = PasswordCost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

#[test]
fn a_hash_verifies_only_its_password() {
    let password = Secret::new("correct horse battery");
    let hash = CHEAP.hash(&password, &OsEntropy).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    assert!(verify(&password, &hash));
    assert!(!verify(&Secret::new("correct horse batterz"), &hash));
    assert!(!verify(&password, "not a hash"));
    assert_ne!(hash, CHEAP.hash(&password, &OsEntropy).unwrap());
}

#[test]
fn hashes_of_another_cost_are_outdated_and_monstrous_ones_refused() {
    let password = Secret::new("correct horse battery");
    let hash = CHEAP.hash(&password, &OsEntropy).unwrap();
    assert!(!CHEAP.outdated(&hash));
    assert!(PasswordCost::default().outdated(&hash));
    assert!(!verify(&password, &hash.replace("m=8", "m=99999999")));
}

#[test]
fn the_policy_says_why() {
    let refused = |text: &str| check(&Secret::new(text), "durand").is_err();
    assert!(refused("short"));
    assert!(refused("aaaaaaaaaaaaaaaa"));
    assert!(refused("motdepasse2026!"));
    assert!(refused("Durand-cardiologie"));
    assert!(refused(&"é1Bq-z".repeat(200)));
    assert!(check(&Secret::new("éléphant-violet-7"), "durand").is_ok());
}
