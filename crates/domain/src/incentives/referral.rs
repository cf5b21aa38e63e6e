//! Referrals: who invited whom, and what the inviter earned and has not taken yet.

use super::code::AffCode;
use super::reward::Reward;
use crate::id::UserId;
use crate::money::{Currency, Money};
use chrono::{DateTime, Utc};

/// When a referral is rewarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewardedOn {
    Registration,
    /// The first payment of the invited user's personal account.
    FirstPayment,
}

impl RewardedOn {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::FirstPayment => "first_payment",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Registration, Self::FirstPayment].into_iter().find(|when| when.name() == name)
    }
}

/// What referrals are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralTerms {
    pub rewarded_on: RewardedOn,
    /// For the inviter; kept until it is transferred to the wallet.
    pub inviter: Option<Money>,
    /// For the invited user, at once.
    pub invitee: Option<Reward>,
    /// Least that is transferred at a time; above zero.
    pub least_transfer: Money,
}

/// A user's side of referrals. `0 ≤ available ≤ earned`; both in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    pub user: UserId,
    pub code: AffCode,
    /// Who invited this user; never changed.
    pub inviter: Option<UserId>,
    /// How many registered with the code.
    pub invited: u32,
    pub earned: Money,
    pub available: Money,
    pub created_at: DateTime<Utc>,
}

impl Referral {
    pub fn new(user: UserId, code: AffCode, currency: Currency, now: DateTime<Utc>) -> Self {
        let nothing = Money::zero(currency);
        Self { user, code, inviter: None, invited: 0, earned: nothing, available: nothing, created_at: now }
    }
}

/// The one reward of an invited user's coming; unique per invitee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralReward {
    pub invitee: UserId,
    pub inviter: UserId,
    pub rewarded_on: RewardedOn,
    /// What the inviter earned; zero when only the invitee was rewarded.
    pub earned: Money,
    pub rewarded_at: DateTime<Utc>,
}

impl ReferralReward {
    /// The reference of the invitee's one credit.
    pub fn reference(&self) -> String {
        format!("referral:{}", self.invitee)
    }
}
