//! An account: what owns usage, quota, wallet, subscription and bills.

use crate::error::{Error, LimitKind, Result};
use crate::id::{AccountId, UserId};
use crate::money::{Currency, Money};
use crate::text::visible_line;
use chrono::{DateTime, Utc};

const MAX_EXTERNAL_ID_LENGTH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    Personal,
    Team,
}

impl AccountKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Team => "team",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Personal, Self::Team].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A frozen account refuses consumption and orders, and keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountStatus {
    Active,
    Frozen,
}

impl AccountStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Frozen].into_iter().find(|status| status.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub kind: AccountKind,
    pub owner: UserId,
    pub name: String,
    pub status: AccountStatus,
    /// The host product's own id; unique among accounts.
    pub external_id: Option<String>,
    /// Most overage fees in a period; `None` is what the configuration says.
    pub spend_cap: Option<Money>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Account {
    /// The account that every user has.
    pub fn personal(id: AccountId, owner: UserId, name: String, now: DateTime<Utc>) -> Self {
        Self {
            id,
            kind: AccountKind::Personal,
            owner,
            name,
            status: AccountStatus::Active,
            external_id: None,
            spend_cap: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The account of a team; it belongs to whoever owns the team.
    pub fn team(id: AccountId, owner: UserId, name: String, now: DateTime<Utc>) -> Self {
        Self { kind: AccountKind::Team, ..Self::personal(id, owner, name, now) }
    }

    /// Refuses what a frozen account may not do.
    pub fn require_active(&self) -> Result<()> {
        match self.status {
            AccountStatus::Active => Ok(()),
            AccountStatus::Frozen => Err(Error::Barred(LimitKind::AccountStatus)),
        }
    }

    /// Reads a cap: whole minor units, zero ("no overage at all") or more.
    pub fn read_spend_cap(text: &str, currency: Currency) -> Result<Money> {
        let invalid = |reason: String| Error::invalid("spend_cap", reason);
        let cap = Money::parse_minor(text, currency).map_err(|error| invalid(error.to_string()))?;
        if cap.nanos() < 0 { Err(invalid("must not be negative".to_owned())) } else { Ok(cap) }
    }
}

/// Reads a host product's id of a user or an account: one visible line of up to 128 characters.
pub(super) fn read_external_id(text: &str) -> Result<String> {
    visible_line(text, MAX_EXTERNAL_ID_LENGTH).map_err(|reason| Error::invalid("external_id", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spend_cap_is_zero_or_more_whole_fen() {
        for text in ["0", "0.01", "100"] {
            assert!(Account::read_spend_cap(text, Currency::CNY).is_ok(), "{text}");
        }
        for text in ["-0.01", "0.001", "1e3", "", "99999999999"] {
            assert!(Account::read_spend_cap(text, Currency::CNY).is_err(), "{text}");
        }
    }
}
