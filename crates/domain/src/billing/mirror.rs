//! Subscriptions at a provider that charges by itself, as they were when the provider was last asked.

use crate::id::{AccountId, BillId, MirrorId};
use crate::money::Money;
use crate::orders::{ProviderNumber, ProviderSubscription, ProviderSubscriptionStatus};
use crate::plans::Interval;
use crate::time::Period;
use crate::wallet::Provider;
use chrono::{DateTime, Utc};

/// One subscription at a provider. Its charges become balance, from which the account's bills are paid: the terms, and
/// what is due for them, stay ours to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Given to the provider as our number.
    pub id: MirrorId,
    pub account: AccountId,
    /// The bill that the first charge is for.
    pub bill: BillId,
    pub provider: Provider,
    /// The provider's id; none until the customer went through the checkout.
    pub reference: Option<String>,
    pub customer: Option<String>,
    pub status: MirrorStatus,
    /// Of one interval, for all seats.
    pub price: Money,
    pub interval: Interval,
    /// The term that the provider charged last.
    pub period: Option<Period>,
    pub cancel_at_period_end: bool,
    pub ended_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When the provider was last heard.
    pub updated_at: DateTime<Utc>,
    /// How often an answer of the provider was stored.
    pub revision: i64,
    /// The provider's id of the page on which the customer agrees.
    pub checkout: Option<String>,
}

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorStatus {
    /// The customer has not paid yet.
    CheckingOut,
    Active,
    /// A charge failed; the provider tries again.
    PastDue,
    /// Final.
    Ended,
}

impl MirrorStatus {
    pub const ALL: [Self; 4] = [Self::CheckingOut, Self::Active, Self::PastDue, Self::Ended];

    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckingOut => "checking_out",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Ended => "ended",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    const fn of(told: ProviderSubscriptionStatus) -> Self {
        match told {
            ProviderSubscriptionStatus::Incomplete => Self::CheckingOut,
            ProviderSubscriptionStatus::Trialing | ProviderSubscriptionStatus::Active => Self::Active,
            ProviderSubscriptionStatus::PastDue
            | ProviderSubscriptionStatus::Unpaid
            | ProviderSubscriptionStatus::Paused => Self::PastDue,
            ProviderSubscriptionStatus::IncompleteExpired | ProviderSubscriptionStatus::Cancelled => Self::Ended,
        }
    }
}

impl Mirror {
    /// A subscription that is asked for now.
    pub fn new(
        (account, bill, provider): (AccountId, BillId, Provider),
        (price, interval): (Money, Interval),
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: MirrorId::new(now),
            account,
            bill,
            provider,
            reference: None,
            customer: None,
            status: MirrorStatus::CheckingOut,
            price,
            interval,
            period: None,
            cancel_at_period_end: false,
            ended_at: None,
            created_at: now,
            updated_at: now,
            revision: 0,
            checkout: None,
        }
    }

    pub fn number(&self) -> ProviderNumber {
        ProviderNumber::from_uuid(self.id.as_uuid())
    }

    /// As the provider says it is. What ended does not come back, whoever asked earlier and says so later.
    #[must_use]
    pub fn seen(&self, found: &ProviderSubscription, now: DateTime<Utc>) -> Self {
        if self.status == MirrorStatus::Ended {
            return self.clone();
        }
        Self {
            reference: Some(found.reference.clone()),
            customer: Some(found.customer.clone()),
            status: MirrorStatus::of(found.status),
            period: Some(found.period),
            cancel_at_period_end: found.cancel_at_period_end,
            ended_at: found.ended_at,
            updated_at: now,
            revision: self.revision.saturating_add(1),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use chrono::TimeDelta;

    fn found(status: ProviderSubscriptionStatus, now: DateTime<Utc>) -> ProviderSubscription {
        ProviderSubscription {
            reference: "sub_1".to_owned(),
            customer: "cus_1".to_owned(),
            number: None,
            status,
            price: Money::from_nanos(1, Currency::CNY),
            seats: 1,
            period: Period { start: now, end: now + TimeDelta::days(30) },
            cancel_at_period_end: false,
            ended_at: None,
        }
    }

    #[test]
    fn what_ended_does_not_come_back() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let price = Money::from_nanos(1, Currency::CNY);
        let new = Mirror::new((AccountId::new(now), BillId::new(now), Provider::Stripe), (price, Interval::Month), now);
        let active = new.seen(&found(ProviderSubscriptionStatus::Active, now), now);
        assert_eq!((active.status, active.reference.as_deref()), (MirrorStatus::Active, Some("sub_1")));
        let ended = active.seen(&found(ProviderSubscriptionStatus::Cancelled, now), now);
        assert_eq!(ended.status, MirrorStatus::Ended);
        assert_eq!(ended.seen(&found(ProviderSubscriptionStatus::Active, now), now), ended);
    }

    #[test]
    fn every_status_has_a_name_of_its_own() {
        for status in MirrorStatus::ALL {
            assert_eq!(MirrorStatus::parse(status.name()), Some(status));
        }
    }
}
