//! A customer's webhook endpoint: where events are posted, which of them, and with which secrets they are signed.

use super::topic::Topics;
use crate::error::{Error, Result};
use crate::id::{AccountId, WebhookEndpointId};
use crate::text::visible_line;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;

/// Most endpoints of one account.
pub const MAX_ENDPOINTS_PER_ACCOUNT: usize = 16;
/// How long a replaced secret still signs beside the new one.
pub const OLD_SECRET_SIGNS: TimeDelta = TimeDelta::hours(24);
const MAX_DESCRIPTION_LENGTH: usize = 255;

/// A signing secret as it is stored: encrypted, and of no use without the server's key.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub String);

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(…)")
    }
}

/// A signing secret in clear text: shown once to its owner and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ClearSecret(String);

impl ClearSecret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text for its owner's eyes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClearSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearSecret(…)")
    }
}

/// A secret that was just made.
#[derive(Clone, Debug)]
pub struct NewSecret {
    pub clear: ClearSecret,
    pub sealed: SealedSecret,
}

/// Whether events are posted, and if not, who stopped them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    Enabled,
    /// By the customer.
    Disabled,
    /// By us, after a day of failures or because the receiver said that it is gone.
    Failed,
}

impl EndpointState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// A secret that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldSecret {
    pub sealed: SealedSecret,
    /// When it signs no more.
    pub until: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    pub account: AccountId,
    pub id: WebhookEndpointId,
    pub url: String,
    pub description: Option<String>,
    pub topics: Topics,
    pub state: EndpointState,
    pub secret: SealedSecret,
    pub old_secret: Option<OldSecret>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl WebhookEndpoint {
    /// Reads a description: one visible line of up to 255 characters.
    pub fn read_description(text: &str) -> Result<String> {
        visible_line(text, MAX_DESCRIPTION_LENGTH).map_err(|reason| Error::invalid("description", reason))
    }

    pub fn is_enabled(&self) -> bool {
        self.state == EndpointState::Enabled
    }

    pub fn hears(&self, kind: &str) -> bool {
        self.is_enabled() && self.topics.include(kind)
    }

    /// The secrets that sign at `now`, the current one first.
    pub fn secrets_at(&self, now: DateTime<Utc>) -> Vec<SealedSecret> {
        let old = self.old_secret.iter().filter(|old| now < old.until).map(|old| old.sealed.clone());
        std::iter::once(self.secret.clone()).chain(old).collect()
    }

    /// Takes a new secret; the one it replaces signs for another day. One that was replaced earlier is dead at once.
    #[must_use]
    pub fn rotated(self, secret: SealedSecret, now: DateTime<Utc>) -> Self {
        let old_secret = Some(OldSecret { sealed: self.secret, until: now + OLD_SECRET_SIGNS });
        Self { secret, old_secret, updated_at: now, ..self }
    }

    /// Stopped by us.
    #[must_use]
    pub fn failed(self, now: DateTime<Utc>) -> Self {
        Self { state: EndpointState::Failed, updated_at: now, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::endpoint;
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn texts(secrets: &[SealedSecret]) -> Vec<&str> {
        secrets.iter().map(|secret| secret.0.as_str()).collect()
    }

    #[test]
    fn a_replaced_secret_signs_beside_the_new_one_for_a_day() {
        let rotated = endpoint(now()).rotated(SealedSecret("second".into()), now());
        assert_eq!(texts(&rotated.secrets_at(now())), ["second", "first"]);
        let last = now() + OLD_SECRET_SIGNS;
        assert_eq!(texts(&rotated.secrets_at(last - TimeDelta::microseconds(1))), ["second", "first"]);
        assert_eq!(texts(&rotated.secrets_at(last)), ["second"]);
        let again = rotated.rotated(SealedSecret("third".into()), now());
        assert_eq!(texts(&again.secrets_at(now())), ["third", "second"]);
    }

    #[test]
    fn an_endpoint_that_is_not_enabled_hears_nothing() {
        let enabled = endpoint(now());
        assert!(enabled.hears("quota.warning"));
        for state in [EndpointState::Disabled, EndpointState::Failed] {
            assert!(!WebhookEndpoint { state, ..enabled.clone() }.hears("quota.warning"));
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let new = NewSecret { clear: ClearSecret::new("whsec_abc".into()), sealed: SealedSecret("sealed".into()) };
        let printed = format!("{new:?} {:?}", endpoint(now()));
        for secret in ["whsec_abc", "sealed\"", "first"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
