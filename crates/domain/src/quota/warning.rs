//! Warnings: telling those concerned that a limit comes near, exactly once.
//!
//! A threshold of `t` percent is crossed when `before·100 < t·limit ≤ after·100`, in integers. Each fires
//! once per subject, meter, period and threshold; a larger limit re-arms the ones no longer reached.
//! Source: kg-recharge `*_warning_80_sent`, `*_warning_100_sent`.

use super::counter::Subject;
use crate::id::{AccountId, UsageId, UserId, WarningId};
use crate::plans::{Allowance, MeterCode, Percent};
use crate::quantity::Quantity;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Which thresholds of one counter have fired, and under which limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarningState {
    /// Ascending.
    pub fired: Vec<Percent>,
    /// The limit seen last, in atoms; a larger one re-arms.
    pub limit: Quantity,
    /// Counts re-arms, so that a threshold firing again is a new row.
    pub generation: i32,
}

impl WarningState {
    /// The state of a new counter whose level starts at `level`: what it starts beyond has not been crossed.
    pub fn starting(limit: Allowance) -> Self {
        let limit = match limit {
            Allowance::Limited(limit) => limit,
            Allowance::Unlimited => Quantity::MAX,
        };
        Self { fired: Vec::new(), limit, generation: 0 }
    }

    /// Returns the thresholds that this change crosses, ascending, and remembers them.
    ///
    /// An unlimited allowance never warns, and neither does a limit of zero.
    pub fn observe(
        &mut self,
        thresholds: &[Percent],
        allowance: Allowance,
        before: Quantity,
        after: Quantity,
    ) -> Vec<Percent> {
        let Allowance::Limited(limit) = allowance else {
            return Vec::new();
        };
        let earlier_limit = std::mem::replace(&mut self.limit, limit);
        self.rearm(before, limit, earlier_limit);
        let widest = limit.max(earlier_limit);
        let crossed: Vec<Percent> = thresholds
            .iter()
            .copied()
            .filter(|t| !self.fired.contains(t) && !reaches(before, *t, widest) && reaches(after, *t, limit))
            .collect();
        self.fired.extend(&crossed);
        self.fired.sort_unstable();
        crossed
    }

    fn rearm(&mut self, before: Quantity, limit: Quantity, earlier_limit: Quantity) {
        let fired = self.fired.len();
        if limit > earlier_limit {
            self.fired.retain(|t| reaches(before, *t, limit));
        }
        if self.fired.len() < fired {
            self.generation = self.generation.saturating_add(1);
        }
    }
}

/// Whether `used` is at or past `t` percent of a limit above zero.
fn reaches(used: Quantity, t: Percent, limit: Quantity) -> bool {
    limit.is_positive() && i128::from(used.as_atoms()) * 100 >= i128::from(t.get()) * i128::from(limit.as_atoms())
}

/// One threshold that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiredWarning {
    pub id: WarningId,
    pub account: AccountId,
    /// The account's own id for its pool, a user's for a member's allocation.
    pub subject: Uuid,
    pub meter: MeterCode,
    pub period_start: DateTime<Utc>,
    pub threshold: Percent,
    pub generation: i32,
    pub limit: Quantity,
    pub used: Quantity,
    /// The usage that crossed it.
    pub usage: UsageId,
    pub fired_at: DateTime<Utc>,
}

impl FiredWarning {
    /// The member whose allocation it is about; `None` for the account's pool.
    pub fn member(&self) -> Option<UserId> {
        match Subject::from_id(self.account, self.subject) {
            Subject::Account => None,
            Subject::Member(user) => Some(user),
        }
    }

    /// `account` or `member`.
    pub fn scope(&self) -> &'static str {
        if self.member().is_some() { "member" } else { "account" }
    }
}

#[cfg(test)]
#[path = "warning_tests.rs"]
mod tests;
