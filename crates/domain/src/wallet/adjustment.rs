//! Operators' adjustments of a wallet: small ones are booked at once, large ones wait for a second operator.

use super::{LedgerAccount, Transfer, TransferKind, TransferMistake};
use crate::id::{AccountId, AdjustmentId, TransferId, UserId};
use crate::money::{Currency, Money};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentStatus {
    /// Waits for a second operator.
    Pending,
    /// Booked.
    Approved,
    Rejected,
}

impl AdjustmentStatus {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Approved, Self::Rejected];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Money that an operator gives to a wallet or takes from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    pub id: AdjustmentId,
    pub account: AccountId,
    /// Above zero gives, below zero takes; never zero.
    pub amount: Money,
    /// In the operator's words.
    pub reason: String,
    pub status: AdjustmentStatus,
    pub requested_by: UserId,
    pub requested_at: DateTime<Utc>,
    /// Who approved or rejected it, never who requested it; `None` while nobody has, or had to.
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTime<Utc>>,
    /// What was booked.
    pub transfer: Option<TransferId>,
}

/// From which amount on a second operator must approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalRule {
    /// Amounts above it, given or taken, need approval; `None` is never.
    pub above: Option<Money>,
}

impl ApprovalRule {
    /// An amount in another currency than the limit's cannot be compared with it, and always needs approval.
    pub fn asks_for(self, amount: Money) -> bool {
        self.above.is_some_and(|above| {
            amount.currency() != above.currency() || amount.nanos().unsigned_abs() > above.nanos().unsigned_abs()
        })
    }
}

impl Adjustment {
    pub const fn currency(&self) -> Currency {
        self.amount.currency()
    }

    /// The transfer that books it.
    pub fn booking(&self, now: DateTime<Utc>) -> Result<Transfer, TransferMistake> {
        let (wallet, house) = (LedgerAccount::Wallet(self.account), LedgerAccount::Adjustment);
        let sides = if self.amount.is_positive() { (house, wallet) } else { (wallet, house) };
        let magnitude = self.amount.nanos().checked_abs().ok_or(TransferMistake::NotPositive)?;
        let amount = Money::from_nanos(magnitude, self.currency());
        Ok(Transfer::new((TransferKind::Adjustment, self.id.to_string()), sides, amount, now)?.because(&self.reason))
    }

    /// The adjustment once it is booked, by whoever had to approve it.
    #[must_use]
    pub fn approved(self, by: Option<UserId>, transfer: TransferId, now: DateTime<Utc>) -> Self {
        let status = AdjustmentStatus::Approved;
        Self { status, decided_by: by, decided_at: Some(now), transfer: Some(transfer), ..self }
    }

    #[must_use]
    pub fn rejected(self, by: UserId, now: DateTime<Utc>) -> Self {
        Self { status: AdjustmentStatus::Rejected, decided_by: Some(by), decided_at: Some(now), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(nanos: i64) -> Money {
        Money::from_nanos(nanos, Currency::CNY)
    }

    #[test]
    fn approval_is_asked_for_above_the_limit_whichever_way_the_money_goes() {
        let rule = ApprovalRule { above: Some(cny(100)) };
        for (nanos, asks) in [(100, false), (101, true), (-100, false), (-101, true), (i64::MIN, true)] {
            assert_eq!(rule.asks_for(cny(nanos)), asks, "{nanos}");
        }
        assert!(rule.asks_for(Money::from_nanos(1, Currency::parse("USD").unwrap())));
        assert!(!ApprovalRule { above: None }.asks_for(cny(i64::MAX)));
    }

    #[test]
    fn what_is_taken_goes_the_other_way() {
        let now = DateTime::UNIX_EPOCH;
        let adjustment = |nanos| Adjustment {
            id: AdjustmentId::new(now),
            account: AccountId::new(now),
            amount: cny(nanos),
            reason: "a mistake".to_owned(),
            status: AdjustmentStatus::Pending,
            requested_by: UserId::new(now),
            requested_at: now,
            decided_by: None,
            decided_at: None,
            transfer: None,
        };
        let (gives, takes) = (adjustment(5).booking(now).unwrap(), adjustment(-5).booking(now).unwrap());
        assert_eq!((gives.amount, takes.amount), (cny(5), cny(5)));
        assert!(gives.to.wallet().is_some() && takes.from.wallet().is_some());
        assert!(adjustment(i64::MIN).booking(now).is_err() && adjustment(0).booking(now).is_err());
    }
}
