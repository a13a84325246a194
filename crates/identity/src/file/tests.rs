use super::*;

fn fixture(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("accounts.json");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

const FORMAT_1: &str = include_str!("../../testdata/accounts-1.json");

#[test]
fn a_file_of_format_1_opens_and_is_written_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = fixture(folder.path(), FORMAT_1);
    let accounts = load(&path).unwrap();
    assert_eq!(accounts["admin"].passkeys[0].count, 7);
    save(&path, &accounts).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), FORMAT_1.trim_end());
}

#[test]
fn no_file_means_no_accounts() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        load(&folder.path().join("accounts.json"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.json");
    save(&path, &Accounts::new()).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        load(&path),
        Err(OpenError::Mode { mode: 0o640, .. })
    ));
}

#[test]
fn other_versions_and_damage_are_refused_without_quoting() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = FORMAT_1.replace("\"role\": \"admin\"", "\"role\": \"hunter2\"");
    for text in [
        FORMAT_1.replace("\"format\": 1", "\"format\": 2"),
        FORMAT_1.chars().take(200).collect(),
        FORMAT_1.replace("locked", "open"),
        damaged,
    ] {
        let path = fixture(folder.path(), &text);
        let error = load(&path).err().map(|error| error.to_string()).unwrap();
        assert!(error.contains("accounts.json"), "{error}");
        assert!(
            !error.contains("hunter2") && !error.contains("argon2"),
            "{error}"
        );
    }
}

#[test]
fn what_a_crash_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = fixture(folder.path(), FORMAT_1);
    let part = folder.path().join("accounts.json.part");
    fs::write(&part, "half").unwrap();
    let accounts = load(&path).unwrap();
    save(&path, &accounts).unwrap();
    assert!(!part.exists());
    assert_eq!(load(&path).unwrap().len(), 1);
}
