//! A user: who acts. What a user pays with is an account.

use super::credential::PasswordHash;
use super::login::{Email, Login, Phone, Username};
use crate::actor::{Actor, Role};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::text::{is_hidden, visible_line};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The group of users and keys that were put into none; groups choose prices of relayed models.
pub const DEFAULT_GROUP: &str = "default";
const MAX_DISPLAY_NAME_LENGTH: usize = 64;
const MAX_AVATAR_URL_LENGTH: usize = 1024;
/// Settings are the host product's; we only keep them small.
const MAX_SETTINGS_BYTES: usize = 16 * 1024;
const MAX_SETTINGS_DEPTH: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserStatus {
    Active,
    Disabled,
}

impl UserStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Disabled].into_iter().find(|status| status.as_str() == text)
    }
}

/// What users say about themselves, each part within its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub display_name: String,
    pub avatar_url: Option<String>,
    /// A JSON object.
    pub settings: Value,
}

impl Profile {
    pub fn named(display_name: String) -> Self {
        Self { display_name, avatar_url: None, settings: Value::Object(serde_json::Map::new()) }
    }

    /// Reads a display name: one visible line of up to 64 characters.
    pub fn read_display_name(text: &str) -> Result<String> {
        visible_line(text, MAX_DISPLAY_NAME_LENGTH).map_err(|reason| Error::invalid("display_name", reason))
    }

    /// Reads the address of a picture. It is only handed back, never fetched.
    pub fn read_avatar_url(url: String) -> Result<String> {
        let web = url.starts_with("https://") || url.starts_with("http://");
        let odd = |letter: char| letter.is_whitespace() || is_hidden(letter) || "\"'<>\\`".contains(letter);
        if web && url.len() <= MAX_AVATAR_URL_LENGTH && !url.chars().any(odd) {
            Ok(url)
        } else {
            Err(Error::invalid("avatar_url", "must be an http or https URL of at most 1024 characters"))
        }
    }

    /// Reads settings: a JSON object of at most 16 KiB and 8 levels, without NUL.
    pub fn read_settings(settings: Value) -> Result<Value> {
        let small = settings.to_string().len() <= MAX_SETTINGS_BYTES;
        if settings.is_object() && small && is_plain(&settings, MAX_SETTINGS_DEPTH) {
            Ok(settings)
        } else {
            Err(Error::invalid("settings", "must be an object of at most 16 KiB and 8 levels, without NUL characters"))
        }
    }
}

fn is_plain(value: &Value, levels: usize) -> bool {
    let clean = |text: &str| !text.contains('\0');
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_plain(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.iter().all(|(key, item)| clean(key) && is_plain(item, levels - 1)),
        Value::String(text) => clean(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub personal_account: AccountId,
    pub username: Option<Username>,
    pub email: Option<Email>,
    pub phone: Option<Phone>,
    pub profile: Profile,
    /// `None` for those who only come through another identity provider.
    pub password_hash: Option<PasswordHash>,
    pub role: Role,
    pub status: UserStatus,
    pub group_name: String,
    /// The host product's own id; unique.
    pub external_id: Option<String>,
    /// Whether the real name was verified.
    pub is_verified: bool,
    pub last_login_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl User {
    /// The names under which the user logs in.
    pub fn logins(&self) -> Vec<Login> {
        let username = self.username.clone().map(Login::Username);
        let email = self.email.clone().map(Login::Email);
        let phone = self.phone.clone().map(Login::Phone);
        [username, email, phone].into_iter().flatten().collect()
    }

    /// Whether the user's sessions and keys count.
    pub fn may_act(&self) -> bool {
        self.status == UserStatus::Active && self.deleted_at.is_none()
    }

    /// The user acting in a session.
    pub fn as_actor(&self) -> Actor {
        Actor { user: self.id, role: self.role, personal_account: self.personal_account, key: None, ip: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_a_small_plain_object() {
        assert!(Profile::read_settings(json!({"ai_model": "gpt-4o", "nested": {"a": [1, null]}})).is_ok());
        for settings in [json!([]), json!("x"), json!({"a": "\0"}), json!({"\0": 1}), json!({"a": "x".repeat(17_000)})]
        {
            assert!(Profile::read_settings(settings).is_err());
        }
        let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert!(Profile::read_settings(deep(8)).is_ok());
        assert!(Profile::read_settings(deep(9)).is_err());
    }

    #[test]
    fn an_avatar_is_a_web_address() {
        assert!(Profile::read_avatar_url("https://cdn.example.cn/a.png".into()).is_ok());
        for url in ["javascript:alert(1)", "//x", "https://x/\"onerror", "https://a b", "data:image/png;base64,"] {
            assert!(Profile::read_avatar_url(url.into()).is_err(), "{url}");
        }
    }
}
