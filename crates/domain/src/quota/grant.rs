//! Grants: extra quota with an origin, drawn after the period's allowance.
//!
//! Order of use: lower priority number, then soonest expiry, then oldest (OpenMeter's documented rule).
//! The shop's `total_quota` and `surplus_quota` are sums over an account's grants.

use crate::id::{AccountId, GrantId};
use crate::plans::MeterCode;
use crate::quantity::Quantity;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Where a grant came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantOrigin {
    Pack,
    Redemption,
    Gift,
    CheckIn,
    Referral,
    Manual,
}

impl GrantOrigin {
    pub const ALL: [Self; 6] = [Self::Pack, Self::Redemption, Self::Gift, Self::CheckIn, Self::Referral, Self::Manual];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Redemption => "redemption",
            Self::Gift => "gift",
            Self::CheckIn => "check_in",
            Self::Referral => "referral",
            Self::Manual => "manual",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.name() == name)
    }
}

/// Extra quota of one account; `remaining + held + revoked ≤ quantity`, all at least zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub account: AccountId,
    pub meter: MeterCode,
    pub origin: GrantOrigin,
    /// Unique per account and origin: one credit per reference.
    pub reference: String,
    /// 0 to 100; lower is drawn first.
    pub priority: i32,
    pub quantity: Quantity,
    /// Neither used, held nor revoked.
    pub remaining: Quantity,
    /// Held by open reservations.
    #[serde(default)]
    pub held: Quantity,
    pub revoked: Quantity,
    /// Since then whatever is let go is revoked as well.
    #[serde(default)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// Models it may be used for; `None` is any (the shop's `model_types`).
    pub models: Option<Vec<String>>,
    /// Exclusive: at this instant the grant is gone.
    pub expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl Grant {
    /// Whether something is left to draw at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.remaining.is_positive() && self.expires_at.is_none_or(|end| now < end)
    }

    /// As it was at a time, as far as it was revoked since.
    #[must_use]
    pub fn before_revoked(&self, time: DateTime<Utc>) -> Self {
        if self.revoked_at.is_none_or(|revoked| revoked <= time) {
            return self.clone();
        }
        let remaining = self.remaining.saturating_add(self.revoked);
        Self { remaining, revoked: Quantity::ZERO, revoked_at: None, ..self.clone() }
    }

    /// Whether it may pay for a use of `model`.
    pub fn allows(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|allowed| allowed == model))
    }

    /// Sorts grants into the order in which they are drawn.
    pub fn drawing_order(&self, other: &Self) -> Ordering {
        let expiry = |grant: &Self| grant.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.priority
            .cmp(&other.priority)
            .then_with(|| expiry(self).cmp(&expiry(other)))
            .then_with(|| self.created_at.cmp(&other.created_at))
            .then_with(|| self.id.cmp(&other.id))
    }

    /// A reservation begins to hold a part of what remains.
    pub fn hold(&mut self, quantity: Quantity) {
        let held = quantity.min(self.remaining);
        self.remaining = self.remaining.left_after(held);
        self.held = self.held.saturating_add(held);
    }

    /// A reservation ends: its part remains again.
    pub fn let_go(&mut self, quantity: Quantity) {
        let freed = quantity.min(self.held);
        self.held = self.held.left_after(freed);
        self.remaining = self.remaining.saturating_add(freed);
    }

    /// Takes back so much of what remains, or all of that, and returns how much it was: a part of the price was refunded.
    pub fn take_back(&mut self, quantity: Quantity) -> Quantity {
        let taken = quantity.min(self.remaining);
        self.remaining = self.remaining.left_after(taken);
        self.revoked = self.revoked.saturating_add(taken);
        taken
    }

    /// Gives back what [`Self::take_back`] took: the refund failed.
    pub fn give_back(&mut self, quantity: Quantity) {
        let given = quantity.min(self.revoked);
        self.revoked = self.revoked.left_after(given);
        self.remaining = self.remaining.saturating_add(given);
    }

    /// Takes back what remains and returns it; what was used stays used, and what is held stays held until it is let go.
    pub fn revoke(&mut self, now: DateTime<Utc>) -> Quantity {
        self.revoked_at.get_or_insert(now);
        let taken = std::mem::take(&mut self.remaining);
        self.revoked = self.revoked.saturating_add(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(priority: i32, expires: Option<i64>, created: i64) -> Grant {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        Grant {
            id: GrantId::new(at(created)),
            account: AccountId::new(at(0)),
            meter: MeterCode::parse("calls").unwrap(),
            origin: GrantOrigin::Pack,
            reference: created.to_string(),
            priority,
            quantity: Quantity::atoms(10),
            remaining: Quantity::atoms(10),
            held: Quantity::ZERO,
            revoked: Quantity::ZERO,
            revoked_at: None,
            models: None,
            expires_at: expires.map(at),
            created_at: at(created),
        }
    }

    #[test]
    fn priority_comes_before_expiry_and_expiry_before_age() {
        let mut grants = [grant(5, Some(50), 1), grant(0, None, 4), grant(0, Some(90), 3), grant(0, Some(90), 2)];
        grants.sort_by(Grant::drawing_order);
        let order: Vec<_> = grants.iter().map(|grant| grant.reference.as_str()).collect();
        assert_eq!(order, ["2", "3", "4", "1"]);
    }

    #[test]
    fn a_grant_is_gone_at_its_expiry_and_not_before() {
        let grant = grant(0, Some(100), 1);
        assert!(grant.is_live(DateTime::from_timestamp(99, 999_999_000).unwrap()));
        assert!(!grant.is_live(DateTime::from_timestamp(100, 0).unwrap()));
    }

    #[test]
    fn a_part_is_taken_back_only_from_what_remains_and_comes_back_whole() {
        let mut grant = grant(0, None, 1);
        grant.remaining = Quantity::atoms(3);
        assert_eq!(grant.take_back(Quantity::atoms(2)), Quantity::atoms(2));
        assert_eq!(grant.take_back(Quantity::atoms(2)), Quantity::atoms(1));
        assert_eq!((grant.remaining, grant.revoked, grant.revoked_at), (Quantity::ZERO, Quantity::atoms(3), None));
        grant.give_back(Quantity::atoms(3));
        assert_eq!((grant.remaining, grant.revoked), (Quantity::atoms(3), Quantity::ZERO));
    }

    #[test]
    fn revoking_takes_only_what_is_neither_drawn_nor_held() {
        let now = DateTime::from_timestamp(50, 0).unwrap();
        let mut grant = grant(0, None, 1);
        grant.remaining = Quantity::atoms(7);
        grant.hold(Quantity::atoms(3));
        assert_eq!((grant.revoke(now), grant.revoke(now)), (Quantity::atoms(4), Quantity::ZERO));
        assert_eq!(
            (grant.remaining, grant.held, grant.revoked),
            (Quantity::ZERO, Quantity::atoms(3), Quantity::atoms(4))
        );
        grant.let_go(Quantity::atoms(3));
        assert_eq!((grant.remaining, grant.held, grant.revoked_at), (Quantity::atoms(3), Quantity::ZERO, Some(now)));
    }
}
