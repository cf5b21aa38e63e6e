//! Counters: what a subject has used of a meter in one period, and from which fund.
//!
//! A counter row belongs to one period and becomes history at its end. A gauge's level is carried over
//! and billed on the peak of the period.

use super::warning::WarningState;
use crate::id::{AccountId, UserId};
use crate::money::{Currency, Money, MoneyError};
use crate::plans::{Allowance, MeterCode, OnExhausted};
use crate::quantity::Quantity;
use crate::time::Period;
use uuid::Uuid;

/// Whose use is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The account's pool.
    Account,
    /// One member's share of it.
    Member(UserId),
}

impl Subject {
    /// The id under which the subject is stored; the pool has the account's own.
    pub fn id(self, account: AccountId) -> Uuid {
        match self {
            Self::Account => account.as_uuid(),
            Self::Member(user) => user.as_uuid(),
        }
    }

    pub fn from_id(account: AccountId, id: Uuid) -> Self {
        if id == account.as_uuid() { Self::Account } else { Self::Member(UserId::from_uuid(id)) }
    }
}

/// Quantities by the fund they came from, in atoms, and what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub allowance: Quantity,
    pub grants: Quantity,
    pub overage: Quantity,
    pub wallet: Quantity,
    /// What the overage costs: owed.
    pub fee: Money,
    /// What the wallet paid.
    pub paid: Money,
}

impl Drawn {
    pub const fn nothing(currency: Currency) -> Self {
        let zero = Quantity::ZERO;
        Self {
            allowance: zero,
            grants: zero,
            overage: zero,
            wallet: zero,
            fee: Money::zero(currency),
            paid: Money::zero(currency),
        }
    }

    /// The sum of both, or an error past the largest count.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        let add = |a: Quantity, b: Quantity| a.checked_add(b).ok_or(MoneyError::Overflow);
        Ok(Self {
            allowance: add(self.allowance, other.allowance)?,
            grants: add(self.grants, other.grants)?,
            overage: add(self.overage, other.overage)?,
            wallet: add(self.wallet, other.wallet)?,
            fee: self.fee.checked_add(other.fee)?,
            paid: self.paid.checked_add(other.paid)?,
        })
    }

    /// What was spent, owed or paid: what a spend cap is about.
    pub fn cost(&self) -> Result<Money, MoneyError> {
        self.fee.checked_add(self.paid)
    }
}

/// One subject's use of one meter in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub account: AccountId,
    pub subject: Subject,
    pub meter: MeterCode,
    pub period: Period,
    /// Used so far, or a gauge's level now; never below zero.
    pub used: Quantity,
    /// Held by open reservations; not used yet.
    pub reserved: Quantity,
    /// The part of `reserved` that grants hold; allowance and overage together hold the rest.
    pub held_grants: Quantity,
    /// The highest level of the period; equals `used` for a counter.
    pub peak: Quantity,
    pub drawn: Drawn,
    /// What open reservations hold of the wallet: the most that capturing all of them can cost. The pool's only.
    pub wallet_held: Money,
    pub warnings: WarningState,
}

impl Counter {
    /// A counter at the start of its period.
    pub fn opening(account: AccountId, subject: Subject, meter: MeterCode, period: Period, currency: Currency) -> Self {
        Self {
            account,
            subject,
            meter,
            period,
            used: Quantity::ZERO,
            reserved: Quantity::ZERO,
            held_grants: Quantity::ZERO,
            peak: Quantity::ZERO,
            drawn: Drawn::nothing(currency),
            wallet_held: Money::zero(currency),
            warnings: WarningState::default(),
        }
    }

    /// What open reservations hold of allowance and overage together: of allowance as far as it reaches.
    pub fn held_beside_grants(&self) -> Quantity {
        self.reserved.left_after(self.held_grants)
    }

    /// A reservation begins to hold `quantity`, of which grants hold `of_grants`.
    ///
    /// An error when use and holds together would pass the largest count: what is held can always be counted.
    pub fn hold(&mut self, quantity: Quantity, of_grants: Quantity) -> Result<(), MoneyError> {
        let reserved = self.reserved.checked_add(quantity).ok_or(MoneyError::Overflow)?;
        self.used.checked_add(reserved).ok_or(MoneyError::Overflow)?;
        self.reserved = reserved;
        self.held_grants = self.held_grants.saturating_add(of_grants);
        Ok(())
    }

    /// A reservation ends: it holds nothing any more.
    pub fn let_go(&mut self, quantity: Quantity, of_grants: Quantity) {
        self.reserved = self.reserved.left_after(quantity);
        self.held_grants = self.held_grants.left_after(of_grants);
    }

    /// The next period's row of a member's part of a gauge. The pool owes for all of it, so a part owes nothing;
    /// thresholds are measured against the same allocation as before.
    #[must_use]
    pub fn share_carried_into(&self, period: Period) -> Self {
        let currency = self.drawn.fee.currency();
        let mut next = Self::opening(self.account, self.subject, self.meter.clone(), period, currency);
        next.used = self.used;
        next.peak = self.used;
        next.warnings = WarningState { limit: self.warnings.limit, ..WarningState::default() };
        next
    }

    /// The next period's row of a gauge: the level goes over, and what lies above the limit is owed anew.
    pub fn carried_into(&self, period: Period, limit: Allowance, terms: &OnExhausted) -> Result<Self, MoneyError> {
        let mut next = Self::opening(self.account, self.subject, self.meter.clone(), period, self.drawn.fee.currency());
        next.used = self.used;
        next.peak = self.used;
        next.warnings = WarningState::starting(limit);
        if let (Allowance::Limited(limit), OnExhausted::Overage(tariff)) = (limit, terms) {
            next.drawn.overage = self.used.left_after(limit);
            next.drawn.fee = tariff.fee(next.drawn.overage)?;
        }
        Ok(next)
    }
}
