//! Money that came in and could not be delivered for: kept apart until an operator decides.

use crate::id::{AccountId, OrderId, PaymentId, RefundId, SuspenseId, UserId};
use crate::money::Money;
use chrono::{DateTime, Utc};

/// Longest note of an operator, in characters.
pub const MAX_NOTE_LENGTH: usize = 255;

/// Why money was not delivered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuspenseReason {
    /// The order was closed.
    Late,
    /// The order was paid before, or the same payment twice.
    Double,
    /// Less than the order's amount.
    Short,
    /// More than the order's amount.
    Over,
    /// Another currency than the order's.
    Currency,
    /// Paid to another merchant. It is not our money: nothing is booked, and there is nothing to give back.
    Payee,
    /// What was paid for could not be delivered.
    Undeliverable,
}

impl SuspenseReason {
    pub const ALL: [Self; 7] =
        [Self::Late, Self::Double, Self::Short, Self::Over, Self::Currency, Self::Payee, Self::Undeliverable];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Double => "double",
            Self::Short => "short",
            Self::Over => "over",
            Self::Currency => "currency",
            Self::Payee => "payee",
            Self::Undeliverable => "undeliverable",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }

    /// Whether the money lies on the ledger's suspense account.
    pub const fn is_booked(self) -> bool {
        !matches!(self, Self::Payee)
    }
}

/// What became of suspended money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuspenseStatus {
    Open,
    /// On its way back to whoever paid; open again if the refund fails.
    Refunding,
    Refunded,
    /// Became the account's balance.
    Credited,
    /// The order was delivered for it.
    Delivered,
    /// There was nothing to give: another merchant's money.
    Dismissed,
}

impl SuspenseStatus {
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Refunding, Self::Refunded, Self::Credited, Self::Delivered, Self::Dismissed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::Credited => "credited",
            Self::Delivered => "delivered",
            Self::Dismissed => "dismissed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

/// How an operator resolves suspended money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Give it back to whoever paid.
    Refund,
    /// Put it into the account's wallet.
    Credit,
    /// Deliver the order for it. What is missing is booked as a correction, what is over goes to the wallet.
    Deliver,
    /// Only for another merchant's money.
    Dismiss,
}

impl Resolution {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "refund" => Self::Refund,
            "credit" => Self::Credit,
            "deliver" => Self::Deliver,
            "dismiss" => Self::Dismiss,
            _ => return None,
        })
    }

    pub const fn leads_to(self) -> SuspenseStatus {
        match self {
            Self::Refund => SuspenseStatus::Refunding,
            Self::Credit => SuspenseStatus::Credited,
            Self::Deliver => SuspenseStatus::Delivered,
            Self::Dismiss => SuspenseStatus::Dismissed,
        }
    }
}

/// Suspended money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspenseItem {
    pub id: SuspenseId,
    pub account: AccountId,
    pub order: OrderId,
    pub payment: PaymentId,
    pub reason: SuspenseReason,
    pub status: SuspenseStatus,
    /// As the provider said it.
    pub amount: Money,
    /// The provider's number of the capture; unique with the payment.
    pub transaction: String,
    pub refund: Option<RefundId>,
    pub resolved_by: Option<UserId>,
    pub note: Option<String>,
    pub created_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
}

impl SuspenseItem {
    /// Whether the operator's choice fits what this is.
    pub fn allows(&self, resolution: Resolution) -> bool {
        self.status == SuspenseStatus::Open && (resolution == Resolution::Dismiss) != self.reason.is_booked()
    }

    #[must_use]
    pub fn resolved(&self, resolution: Resolution, by: UserId, note: Option<String>, now: DateTime<Utc>) -> Self {
        let status = resolution.leads_to();
        Self { status, resolved_by: Some(by), note, resolved_at: Some(now), ..self.clone() }
    }

    /// The refund ended: done, or open again.
    #[must_use]
    pub fn refund_ended(&self, succeeded: bool, now: DateTime<Utc>) -> Self {
        if succeeded {
            Self { status: SuspenseStatus::Refunded, resolved_at: Some(now), ..self.clone() }
        } else {
            Self { status: SuspenseStatus::Open, refund: None, resolved_at: None, ..self.clone() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use uuid::Uuid;

    fn item(reason: SuspenseReason) -> SuspenseItem {
        let id = Uuid::from_u128(1);
        SuspenseItem {
            id: SuspenseId::from_uuid(id),
            account: AccountId::from_uuid(id),
            order: OrderId::from_uuid(id),
            payment: PaymentId::from_uuid(id),
            reason,
            status: SuspenseStatus::Open,
            amount: Money::parse_minor("1.00", Currency::CNY).unwrap(),
            transaction: "t".to_owned(),
            refund: None,
            resolved_by: None,
            note: None,
            created_at: DateTime::from_timestamp(0, 0).unwrap(),
            resolved_at: None,
        }
    }

    #[test]
    fn another_merchants_money_can_only_be_dismissed_and_ours_never() {
        for reason in SuspenseReason::ALL {
            for resolution in [Resolution::Refund, Resolution::Credit, Resolution::Deliver] {
                assert_eq!(item(reason).allows(resolution), reason != SuspenseReason::Payee);
            }
            assert_eq!(item(reason).allows(Resolution::Dismiss), reason == SuspenseReason::Payee);
        }
    }

    #[test]
    fn what_is_resolved_stays_resolved_unless_its_refund_fails() {
        let now = DateTime::from_timestamp(5, 0).unwrap();
        let by = UserId::from_uuid(Uuid::from_u128(2));
        let refunding = item(SuspenseReason::Late).resolved(Resolution::Refund, by, None, now);
        assert!(!refunding.allows(Resolution::Credit));
        assert!(!refunding.refund_ended(true, now).allows(Resolution::Refund));
        assert!(refunding.refund_ended(false, now).allows(Resolution::Refund));
    }

    #[test]
    fn names_read_back() {
        assert!(SuspenseReason::ALL.iter().all(|reason| SuspenseReason::parse(reason.name()) == Some(*reason)));
        assert!(SuspenseStatus::ALL.iter().all(|status| SuspenseStatus::parse(status.name()) == Some(*status)));
    }
}
