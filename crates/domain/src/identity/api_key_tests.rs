//! Tests of API keys: whom they admit, and what may be asked of them.

use super::*;
use crate::identity::user::UserStatus;
use crate::identity::{TokenKind, samples};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn key(owner: &User) -> ApiKey {
    samples::api_key(owner, &samples::token(TokenKind::ApiKey, 1))
}

#[test]
fn a_key_is_dead_from_the_instant_it_expires() {
    let owner = samples::user("zhang");
    let mut key = key(&owner);
    key.draft.expires_at = Some(at(100));
    assert!(key.admits(&owner, at(99), None).is_ok());
    assert!(matches!(key.admits(&owner, at(100), None), Err(Error::Unauthenticated)));
}

#[test]
fn revoked_disabled_and_ownerless_keys_admit_nobody() {
    let owner = samples::user("zhang");
    let key = key(&owner);
    let disabled = User { status: UserStatus::Disabled, ..owner.clone() };
    let deleted = User { deleted_at: Some(at(0)), ..owner.clone() };
    let off = ApiKey { status: KeyStatus::Disabled, ..key.clone() };
    let refused = [
        key.clone().revoked(at(0)).admits(&owner, at(1), None),
        off.admits(&owner, at(1), None),
        key.admits(&disabled, at(1), None),
        key.admits(&deleted, at(1), None),
        key.admits(&samples::user("other"), at(1), None),
    ];
    assert!(refused.iter().all(|answer| matches!(answer, Err(Error::Unauthenticated))));
}

#[test]
fn a_key_with_a_list_admits_only_known_addresses_on_it() {
    let owner = samples::user("zhang");
    let mut key = key(&owner);
    key.draft.allowed_ips = Some(KeyDraft::read_allowed_ips(&["10.0.0.0/8".to_owned()]).unwrap());
    assert!(key.admits(&owner, at(0), Some("10.1.2.3".parse().unwrap())).is_ok());
    assert!(key.admits(&owner, at(0), Some("::ffff:10.1.2.3".parse().unwrap())).is_ok());
    for ip in [Some("11.0.0.1".parse().unwrap()), None] {
        assert!(matches!(key.admits(&owner, at(0), ip), Err(Error::Forbidden(_))));
    }
}

#[test]
fn rotation_keeps_the_key_and_replaces_its_secret() {
    let owner = samples::user("zhang");
    let (old, new) = (key(&owner), samples::token(TokenKind::ApiKey, 2));
    let rotated = old.clone().rotated(&new, at(5));
    assert_eq!((rotated.id, rotated.token_hash, rotated.prefix), (old.id, new.hash(), new.prefix()));
    assert_ne!(old.token_hash, new.hash());
}

#[test]
fn revoking_again_keeps_the_first_time() {
    let once = key(&samples::user("zhang")).revoked(at(1));
    assert_eq!(once.revoked(at(2)).revoked_at, Some(at(1)));
}

#[test]
fn only_operators_give_operators_scopes_and_losing_the_role_takes_them_away() {
    let texts = |scope: &str| vec![scope.to_owned()];
    for scope in ["service", "admin"] {
        assert!(matches!(KeyDraft::read_scopes(&texts(scope), Role::User), Err(Error::Forbidden(_))));
        assert!(KeyDraft::read_scopes(&texts(scope), Role::Admin).is_ok());
    }
    let admin = User { role: Role::Admin, ..samples::user("admin") };
    let mut key = key(&admin);
    key.draft.scopes = vec![Scope::UsageRead, Scope::Service, Scope::Admin];
    assert_eq!(key.as_actor(&admin).scopes.len(), 3);
    assert_eq!(key.as_actor(&User { role: Role::User, ..admin }).scopes, [Scope::UsageRead]);
}

#[test]
fn scopes_models_and_rates_are_bounded() {
    let many = |count: usize| (0..count).map(|n| format!("word-{n}")).collect::<Vec<_>>();
    assert!(KeyDraft::read_scopes(&many(16), Role::User).is_ok());
    assert!(KeyDraft::read_scopes(&many(17), Role::User).is_err());
    assert!(KeyDraft::read_scopes(&[], Role::User).is_err());
    assert!(KeyDraft::read_scopes(&["/*".to_owned()], Role::Root).is_err());
    assert!(KeyDraft::read_models(many(64)).is_ok());
    assert!(KeyDraft::read_models(many(65)).is_err());
    assert!(KeyDraft::read_models(vec!["x".repeat(129)]).is_err());
    assert!(KeyDraft::read_requests_per_minute(0).is_err());
    assert!(KeyDraft::read_requests_per_minute(1).is_ok());
    assert!(KeyDraft::read_requests_per_minute(1_000_001).is_err());
}

#[test]
fn an_allowance_is_above_zero_and_exact_to_the_meters_scale() {
    let read = |text: &str| KeyDraft::read_allowance("traffic".to_owned(), text, 2);
    assert_eq!(read("1.25").unwrap().quantity, Quantity::atoms(125));
    for text in ["0", "-1", "1.255", "NaN", ""] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_new_allowance_keeps_what_was_used_of_the_same_meter() {
    let allowance = |meter: &str, quantity, used| KeyAllowance {
        meter: meter.to_owned(),
        quantity: Quantity::atoms(quantity),
        used: Quantity::atoms(used),
        held: Quantity::atoms(used / 2),
    };
    let old = allowance("words", 100, 40);
    assert_eq!(old.clone().replaced_by(allowance("words", 200, 0)), allowance("words", 200, 40));
    assert_eq!(old.replaced_by(allowance("cu", 200, 0)), allowance("cu", 200, 0));
}

#[test]
fn the_last_use_is_written_down_at_most_once_a_minute() {
    let mut key = key(&samples::user("zhang"));
    assert!(key.needs_touch(at(0)));
    key.last_used_at = Some(at(0));
    assert!(!key.needs_touch(at(59)));
    assert!(key.needs_touch(at(60)));
}
