//! Users and keys for tests of this and later contexts.

use super::{ApiKey, DEFAULT_GROUP, KeyDraft, PasswordHash, Profile, Token, TokenKind, User, UserStatus, Username};
use crate::actor::Role;
use crate::id::{AccountId, UserId};
use chrono::{DateTime, Utc};

/// When sample rows were made.
pub fn created_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default()
}

/// An active customer whose password hash is `hash-of-<username>`.
pub fn user(username: &str) -> User {
    User {
        id: UserId::new(created_at()),
        personal_account: AccountId::new(created_at()),
        username: Some(Username::from_stored(username.to_owned())),
        email: None,
        phone: None,
        profile: Profile::named(username.to_owned()),
        password_hash: Some(PasswordHash::from_phc(format!("hash-of-{username}"))),
        role: Role::User,
        status: UserStatus::Active,
        group_name: DEFAULT_GROUP.to_owned(),
        external_id: None,
        is_verified: false,
        last_login_at: None,
        created_at: created_at(),
        updated_at: created_at(),
        deleted_at: None,
    }
}

/// A token made of one repeated byte.
pub fn token(kind: TokenKind, byte: u8) -> Token {
    Token::from_random(kind, [byte; 32])
}

/// An unlimited key with the default scopes on its owner's personal account.
pub fn api_key(owner: &User, token: &Token) -> ApiKey {
    let draft = KeyDraft {
        name: "sample".to_owned(),
        scopes: KeyDraft::default_scopes(),
        expires_at: None,
        allowance: None,
        models: None,
        allowed_ips: None,
        requests_per_minute: None,
    };
    ApiKey::new(owner, owner.personal_account, token, draft, created_at())
}
