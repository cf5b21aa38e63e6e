//! Identities at other providers: what a provider vouches for, and what is kept of it.

use super::login::Email;
use crate::id::{IdentityId, UserId};
use crate::text::visible_line;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt;

/// Most identities that a user may link.
pub const MAX_IDENTITIES_PER_USER: usize = 20;
const MAX_SUBJECT_LENGTH: usize = 255;
const MAX_NAME_LENGTH: usize = 64;

/// The name under which a provider is configured: 1 to 32 of `a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderName(String);

impl ProviderName {
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let valid = (1..=32).contains(&text.len()) && text.bytes().all(allowed);
        valid.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A provider that people may come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSummary {
    pub name: ProviderName,
    /// `oidc`, `github`, `google`, `wechat`, `telegram`, `linuxdo` or `oauth2`.
    pub kind: &'static str,
    /// What a button says.
    pub label: String,
}

/// What a browser brings back from a provider.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// To be exchanged for the identity.
    Code(String),
    /// The provider's fields, signed by it (Telegram).
    Signed(BTreeMap<String, String>),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// Somebody as a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider's own id of the person; never changes and is never given to another.
    pub subject: String,
    pub name: Option<String>,
    /// As the provider says; `None` when it is no address.
    pub email: Option<Email>,
    /// Whether the provider says that it verified the address.
    pub email_verified: bool,
    /// When the provider signed it, for proofs that could be shown twice.
    pub signed_at: Option<DateTime<Utc>>,
}

impl ExternalIdentity {
    /// An identity from a provider's words; `None` when the subject is missing or no line of 1 to 255 characters.
    pub fn read(subject: &str, name: Option<&str>, email: Option<&str>, email_verified: bool) -> Option<Self> {
        let trimmed = visible_line(subject, MAX_SUBJECT_LENGTH).ok()?;
        if trimmed != subject {
            return None;
        }
        let shortened = |name: &str| name.chars().take(MAX_NAME_LENGTH).collect::<String>();
        let name = name.map(shortened).and_then(|name| visible_line(&name, MAX_NAME_LENGTH).ok());
        let email = email.and_then(|text| Email::parse(text).ok());
        Some(Self { subject: trimmed, name, email_verified: email_verified && email.is_some(), email, signed_at: None })
    }

    /// The address that a new user may be given: only one that the provider verified.
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }
}

/// An external identity that opens a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthIdentity {
    pub id: IdentityId,
    pub user: UserId,
    pub provider: ProviderName,
    /// Unique within the provider.
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<Email>,
    pub email_verified: bool,
    pub created_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    /// The time of the newest signed proof that was accepted.
    pub last_signed_at: Option<DateTime<Utc>>,
}

impl OAuthIdentity {
    pub fn new(user: UserId, provider: ProviderName, who: &ExternalIdentity, now: DateTime<Utc>) -> Self {
        Self {
            id: IdentityId::new(now),
            user,
            provider,
            subject: who.subject.clone(),
            name: who.name.clone(),
            email: who.email.clone(),
            email_verified: who.email_verified,
            created_at: now,
            last_login_at: None,
            last_signed_at: who.signed_at,
        }
    }

    /// The identity after somebody came through it, with what the provider says today; `None` when a signed proof is
    /// not newer than the last one that was accepted: it was shown before.
    pub fn after_log_in(self, who: &ExternalIdentity, now: DateTime<Utc>) -> Option<Self> {
        if who.signed_at.is_some() && who.signed_at <= self.last_signed_at {
            return None;
        }
        Some(Self {
            name: who.name.clone(),
            email: who.email.clone(),
            email_verified: who.email_verified,
            last_login_at: Some(now),
            last_signed_at: who.signed_at.or(self.last_signed_at),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::samples;
    use chrono::TimeDelta;

    fn who(signed_at: Option<DateTime<Utc>>) -> ExternalIdentity {
        let who = ExternalIdentity::read("42", Some("张小三"), Some("z@example.cn"), true).unwrap();
        ExternalIdentity { signed_at, ..who }
    }

    #[test]
    fn a_subject_is_taken_as_it_is_or_not_at_all() {
        for subject in ["", " ", " 42", "4\u{200B}2", "4\n2", &"x".repeat(256)] {
            assert_eq!(ExternalIdentity::read(subject, None, None, false), None, "{subject:?}");
        }
        assert_eq!(ExternalIdentity::read(&"x".repeat(255), None, None, false).unwrap().subject.len(), 255);
    }

    #[test]
    fn an_odd_name_or_address_is_left_out_and_a_missing_address_is_not_verified() {
        let read = ExternalIdentity::read("42", Some("a\u{202E}b"), Some("no address"), true).unwrap();
        assert_eq!((read.name, read.email, read.email_verified), (None, None, false));
        let unverified = ExternalIdentity::read("42", None, Some("z@example.cn"), false).unwrap();
        assert_eq!(unverified.verified_email(), None);
    }

    #[test]
    fn a_signed_proof_opens_only_once() {
        let now = samples::created_at();
        let signed = |seconds| who(Some(now + TimeDelta::seconds(seconds)));
        let user = samples::user("zhang").id;
        let linked = OAuthIdentity::new(user, ProviderName::parse("telegram").unwrap(), &signed(0), now);
        assert_eq!(linked.clone().after_log_in(&signed(0), now), None);
        assert_eq!(linked.clone().after_log_in(&signed(-1), now), None);
        let later = linked.after_log_in(&signed(1), now).unwrap();
        assert_eq!(later.last_signed_at, Some(now + TimeDelta::seconds(1)));
    }

    #[test]
    fn a_provider_is_named_by_a_short_plain_word() {
        for name in ["github", "my-oidc_2", &"x".repeat(32)] {
            assert!(ProviderName::parse(name).is_some());
        }
        for name in ["", "GitHub", "a/b", "a b", "微信", &"x".repeat(33)] {
            assert!(ProviderName::parse(name).is_none());
        }
    }
}
