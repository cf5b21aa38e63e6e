//! An API key: lets a program act for a user and draw from one account, within its own limits.

use super::ip_allow_list::IpAllowList;
use super::token::{Token, TokenHash};
use super::user::User;
use crate::actor::{KeyActor, Role, Scope};
use crate::error::{Error, Result};
use crate::id::{AccountId, ApiKeyId, UserId};
use crate::quantity::Quantity;
use crate::text::{is_hidden, visible_line};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::IpAddr;

/// Keys of one user that are not revoked.
pub const MAX_KEYS_PER_USER: usize = 100;
const MAX_NAME_LENGTH: usize = 64;
const MAX_SCOPES: usize = 16;
const MAX_MODELS: usize = 64;
const MAX_MODEL_LENGTH: usize = 128;
const MAX_REQUESTS_PER_MINUTE: u32 = 1_000_000;
/// `last_used_at` is this coarse, so that reading does not write on every request.
const TOUCH_INTERVAL: TimeDelta = TimeDelta::minutes(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    Active,
    Disabled,
}

impl KeyStatus {
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

/// How much of one meter may be consumed through a key in all its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAllowance {
    pub meter: String,
    pub quantity: Quantity,
    pub used: Quantity,
    /// Held by open reservations that were made through the key.
    pub held: Quantity,
}

impl KeyAllowance {
    /// What neither use nor open reservations have taken.
    pub fn left(&self) -> Quantity {
        self.quantity.left_after(self.used.saturating_add(self.held))
    }

    /// The same use measured against another allowance; of another meter nothing is used yet.
    #[must_use]
    pub fn replaced_by(self, next: Self) -> Self {
        if self.meter == next.meter { Self { used: self.used, held: self.held, ..next } } else { next }
    }
}

/// What the holder of a key may choose, each part within its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDraft {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<DateTime<Utc>>,
    /// `None` is unlimited.
    pub allowance: Option<KeyAllowance>,
    /// `None` is any model.
    pub models: Option<Vec<String>>,
    /// `None` is any address.
    pub allowed_ips: Option<IpAllowList>,
    pub requests_per_minute: Option<u32>,
}

impl KeyDraft {
    /// Reads a name: one visible line of up to 64 characters.
    pub fn read_name(text: &str) -> Result<String> {
        visible_line(text, MAX_NAME_LENGTH).map_err(|reason| Error::invalid("name", reason))
    }

    /// What a key may do when nothing else is said.
    pub fn default_scopes() -> Vec<Scope> {
        vec![Scope::UsageRead, Scope::UsageWrite]
    }

    /// Reads scopes and checks that their giver has them to give: a key never exceeds its user.
    pub fn read_scopes(texts: &[String], giver: Role) -> Result<Vec<Scope>> {
        if texts.is_empty() || texts.len() > MAX_SCOPES {
            return Err(Error::invalid("scopes", "must have 1 to 16 entries"));
        }
        let read = |text: &String| Scope::parse(text).ok_or_else(|| Error::invalid("scopes", "has an unknown scope"));
        let mut scopes = texts.iter().map(read).collect::<Result<Vec<_>>>()?;
        scopes.sort_unstable();
        scopes.dedup();
        if giver < Role::Admin && scopes.iter().any(|scope| matches!(scope, Scope::Service | Scope::Admin)) {
            return Err(Error::Forbidden("Only operators may give out the scopes service and admin."));
        }
        Ok(scopes)
    }

    pub fn read_models(mut models: Vec<String>) -> Result<Vec<String>> {
        let odd = |model: &String| {
            model.is_empty()
                || model.chars().count() > MAX_MODEL_LENGTH
                || model.chars().any(|letter| is_hidden(letter) || letter.is_whitespace())
        };
        if models.is_empty() || models.len() > MAX_MODELS || models.iter().any(odd) {
            return Err(Error::invalid("models", "must be 1 to 64 names of models; leave it out to allow any"));
        }
        models.sort_unstable();
        models.dedup();
        Ok(models)
    }

    pub fn read_allowed_ips(texts: &[String]) -> Result<IpAllowList> {
        IpAllowList::parse(texts).map_err(|reason| Error::invalid("allowed_ips", reason))
    }

    pub fn read_requests_per_minute(requests: u32) -> Result<u32> {
        if (1..=MAX_REQUESTS_PER_MINUTE).contains(&requests) {
            Ok(requests)
        } else {
            Err(Error::invalid("requests_per_minute", "must be 1 to 1000000"))
        }
    }

    pub fn read_expiry(time: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        if time > now { Ok(time) } else { Err(Error::invalid("expires_at", "must be in the future")) }
    }

    /// Reads an allowance: above zero, in the unit of a meter of `scale` decimals.
    pub fn read_allowance(meter: String, text: &str, scale: u8) -> Result<KeyAllowance> {
        let invalid = |reason: String| Error::invalid("allowance.quantity", reason);
        let quantity = Quantity::parse(text, scale).map_err(|error| invalid(error.to_string()))?;
        if !quantity.is_positive() {
            return Err(invalid("must be above zero".to_owned()));
        }
        Ok(KeyAllowance { meter, quantity, used: Quantity::ZERO, held: Quantity::ZERO })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub user: UserId,
    /// What the key draws from.
    pub account: AccountId,
    pub token_hash: TokenHash,
    /// The first characters of the secret.
    pub prefix: String,
    pub draft: KeyDraft,
    pub status: KeyStatus,
    pub group_name: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    pub fn new(owner: &User, account: AccountId, token: &Token, draft: KeyDraft, now: DateTime<Utc>) -> Self {
        Self {
            id: ApiKeyId::new(now),
            user: owner.id,
            account,
            token_hash: token.hash(),
            prefix: token.prefix(),
            draft,
            status: KeyStatus::Active,
            group_name: owner.group_name.clone(),
            created_at: now,
            updated_at: now,
            last_used_at: None,
            revoked_at: None,
        }
    }

    /// Whether the key opens anything now, from there, for its owner.
    pub fn admits(&self, owner: &User, now: DateTime<Utc>, ip: Option<IpAddr>) -> Result<()> {
        let expired = self.draft.expires_at.is_some_and(|end| end <= now);
        let ended = self.revoked_at.is_some() || self.status == KeyStatus::Disabled || expired;
        if ended || !owner.may_act() || owner.id != self.user {
            return Err(Error::Unauthenticated);
        }
        let welcome = |list: &IpAllowList| ip.is_some_and(|ip| list.contains(ip));
        if self.draft.allowed_ips.as_ref().is_none_or(welcome) {
            Ok(())
        } else {
            Err(Error::Forbidden("The API key may not be used from this address."))
        }
    }

    /// Puts a new secret in the place of the old one, which is dead at once.
    #[must_use]
    pub fn rotated(self, token: &Token, now: DateTime<Utc>) -> Self {
        Self { token_hash: token.hash(), prefix: token.prefix(), updated_at: now, ..self }
    }

    #[must_use]
    pub fn revoked(self, now: DateTime<Utc>) -> Self {
        Self { revoked_at: Some(self.revoked_at.unwrap_or(now)), updated_at: now, ..self }
    }

    /// Whether the last use that is written down is old enough to write a newer one.
    pub fn needs_touch(&self, now: DateTime<Utc>) -> bool {
        self.last_used_at.is_none_or(|last| now - last >= TOUCH_INTERVAL)
    }

    /// The key as part of the caller. Operators' scopes end with the operator's role.
    pub fn as_actor(&self, owner: &User) -> KeyActor {
        let operators = |scope: &Scope| matches!(scope, Scope::Service | Scope::Admin);
        let kept = |scope: &&Scope| owner.role >= Role::Admin || !operators(scope);
        KeyActor {
            id: self.id,
            account: self.account,
            scopes: self.draft.scopes.iter().filter(kept).cloned().collect(),
            models: self.draft.models.clone(),
            is_limited: self.draft.allowance.is_some(),
        }
    }
}

#[cfg(test)]
#[path = "api_key_tests.rs"]
mod tests;
