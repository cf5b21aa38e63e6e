//! Tests of what is bound to its place.

use super::*;
use chrono::NaiveDate;

const NAME: &str = "张小三";
const NUMBER: &str = "11010519491231002X";

fn ring(names: &[(&str, u8)]) -> Keyring {
    let texts: Vec<_> = names.iter().map(|(name, fill)| format!("{name}:{}", STANDARD.encode([*fill; 32]))).collect();
    Keyring::parse(texts.iter().map(String::as_str)).unwrap()
}

fn vault(keys: Keyring) -> SealedIdentities {
    SealedIdentities { keys: Arc::new(keys), index: IndexKey::development() }
}

fn identity() -> LegalIdentity {
    let today = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
    LegalIdentity { real_name: RealName::parse(NAME).unwrap(), id_number: IdNumber::parse(NUMBER, today).unwrap() }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

#[test]
fn an_identity_opens_for_its_user_and_shows_a_mask_without_being_opened() {
    let vault = vault(ring(&[("a", 1)]));
    let sealed = vault.seal(UserId::new(now()), &identity(), now()).unwrap();
    assert_eq!(vault.open(&sealed).unwrap(), identity());
    let mask = vault.open_mask(&sealed).unwrap();
    assert_eq!((mask.real_name.as_str(), mask.id_number.as_str()), ("张**", "1****************X"));
    let printed = format!("{sealed:?} {vault:?}");
    assert!(!printed.contains(NAME) && !printed.contains(NUMBER));
}

#[test]
fn ciphertexts_swapped_between_rows_or_columns_do_not_open() {
    let vault = vault(ring(&[("a", 1)]));
    let seal = || vault.seal(UserId::new(now()), &identity(), now()).unwrap();
    let (one, two) = (seal(), seal());
    let corrupt = |verification: &Verification, column: &str| {
        let refused = vault.open(verification).unwrap_err();
        assert!(matches!(refused, Error::Store(StoreError::Corrupt { column: named, .. }) if named == column));
    };
    corrupt(&Verification { real_name: two.real_name.clone(), ..one.clone() }, "real_name");
    corrupt(&Verification { id_number: two.id_number.clone(), ..one.clone() }, "id_number");
    corrupt(
        &Verification { id_number: one.real_name.clone(), real_name: one.id_number.clone(), ..one.clone() },
        "real_name",
    );
    corrupt(&Verification { user: two.user, ..one.clone() }, "real_name");
    assert!(vault.open_mask(&Verification { mask: two.mask, ..one.clone() }).is_err());
    assert!(vault.open_mask(&Verification { mask: one.real_name.clone(), ..one }).is_err());
}

#[test]
fn the_index_is_the_same_for_a_number_and_depends_on_its_key() {
    let vault = vault(ring(&[("a", 1)]));
    let seal = || vault.seal(UserId::new(now()), &identity(), now()).unwrap();
    let (one, two) = (seal(), seal());
    assert_eq!(one.number_index, two.number_index);
    assert_ne!(one.id_number, two.id_number);
    let other = SealedIdentities { keys: vault.keys.clone(), index: IndexKey::of(&[9; 32]) };
    assert_ne!(other.seal(one.user, &identity(), now()).unwrap().number_index, one.number_index);
}

#[test]
fn a_key_that_is_gone_is_said_to_be_missing_and_without_any_nothing_is_sealed() {
    let old = vault(ring(&[("a", 1)]));
    let sealed = old.seal(UserId::new(now()), &identity(), now()).unwrap();
    let new = vault(ring(&[("b", 2)]));
    assert!(matches!(new.open(&sealed), Err(Error::KeyMissing)));
    assert!(matches!(new.open_mask(&sealed), Err(Error::KeyMissing)));
    let none = vault(Keyring::without_keys());
    assert!(matches!(none.seal(sealed.user, &identity(), now()), Err(Error::KeyMissing)));
    assert_eq!(none.keys.newest(), None);
}

#[test]
fn a_text_is_encrypted_anew_for_its_own_place_only() {
    let old = ring(&[("a", 1)]);
    let (code, row) = (CodeText::from_random([7; 32]), RedemptionCodeId::new(now()));
    let sealed = CodeVault::seal(&old, row, &code).unwrap();
    let both = ring(&[("b", 2), ("a", 1)]);
    let old_text = SealedText { row: row.as_uuid(), text: sealed.0.clone() };
    let anew = both.reseal(SealedColumn::RedemptionCode, &old_text).unwrap();
    assert!(anew.starts_with(&both.newest().unwrap()) && !sealed.0.starts_with(&both.newest().unwrap()));
    assert_eq!(CodeVault::open(&both, row, &SealedCode(anew)).unwrap(), code);
    assert_eq!(both.reseal(SealedColumn::RealName, &old_text), None);
    assert_eq!(ring(&[("b", 2)]).reseal(SealedColumn::RedemptionCode, &old_text), None);
}

#[test]
fn a_mistake_in_the_index_key_is_named_and_the_key_never_printed() {
    for text in ["", "%", "c2hvcnQ="] {
        assert!(IndexKey::parse(text).is_err(), "{text}");
    }
    let key = IndexKey::parse(&STANDARD.encode([3; 32])).unwrap();
    assert_eq!(format!("{key:?}"), "IndexKey(…)");
}
