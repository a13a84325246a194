use super::words::{EXTENSIONS, WORDS};
use super::*;

fn key() -> SiteKey {
    SiteKey::new([7; 32])
}

fn masked(mut value: Sensitive) -> Masked {
    value.mask(&key());
    value.as_masked().cloned().unwrap_or_default()
}

#[test]
fn word_lists_are_sorted_for_binary_search() {
    assert!(WORDS.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(EXTENSIONS.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_path_keeps_its_structure_and_loses_its_names() {
    let seen = masked(Sensitive::path(r"\dossiers\2026\Durand-Hélène.docx"));
    assert_eq!(&*seen.display, r"\{8}\{4}\{13}.docx");
    assert!(seen.tokens.contains(&key().word("helene")));
    assert!(seen.tokens.contains(&key().word("durand")));
    let web = masked(Sensitive::path("/fhir/Patient/12345"));
    assert_eq!(&*web.display, "/fhir/Patient/{5}");
}

#[test]
fn a_query_keeps_technical_parameter_names_only() {
    let seen = masked(Sensitive::new(
        Shape::Query,
        "family=L%C3%A9onard&durand=1&name:exact=x",
    ));
    assert_eq!(&*seen.display, "family={12}&{6}={1}&name={1}");
    assert!(seen.tokens.contains(&key().word("leonard")));
}

#[test]
fn a_patient_shows_only_its_token_and_is_found_with_and_without_assigner() {
    let seen = masked(Sensitive::patient("CHU", " 00123 "));
    assert_eq!(seen.display.len(), 16);
    assert!(seen.tokens.contains(&key().patient("chu", "00123")));
    assert!(seen.tokens.contains(&key().patient("", "00123")));
}

#[test]
fn masking_returns_the_clear_text_once() {
    let mut value = Sensitive::text("Marie Durand");
    assert_eq!(value.mask(&key()).as_deref(), Some("Marie Durand"));
    assert_eq!(value.mask(&key()), None);
    assert!(value.reveal().is_none());
}

#[test]
fn decomposed_and_composed_spellings_agree() {
    assert_eq!(
        normalise_words("He\u{301}le\u{300}ne", 9),
        normalise_words("hélène", 9)
    );
}
