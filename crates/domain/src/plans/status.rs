//! The state machine of a subscription: which status may follow which.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Waits for its first payment.
    Pending,
    Active,
    /// A bill is past its due days; consumption goes on.
    PastDue,
    /// Still unpaid; consumption is refused.
    Suspended,
    /// Ends with the paid term, and may be resumed until then; consumption goes on.
    Cancelled,
    /// Ended; the fallback plan follows.
    Expired,
}

use SubscriptionStatus::{Active, Cancelled, Expired, PastDue, Pending, Suspended};

/// Every step there is.
const EDGES: [(SubscriptionStatus, SubscriptionStatus); 14] = [
    (Pending, Active),
    (Pending, Cancelled),
    (Pending, Expired),
    (Active, PastDue),
    (Active, Cancelled),
    (PastDue, Active),
    (PastDue, Suspended),
    (PastDue, Cancelled),
    (Suspended, Active),
    (Suspended, Cancelled),
    (Suspended, Expired),
    (Cancelled, Active),
    (Cancelled, Expired),
    (Expired, Active),
];

/// A step that the state machine does not have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a subscription that is {} cannot become {}", from.name(), to.name())]
pub struct NoSuchTransition {
    pub from: SubscriptionStatus,
    pub to: SubscriptionStatus,
}

impl SubscriptionStatus {
    pub const ALL: [Self; 6] = [Pending, Active, PastDue, Suspended, Cancelled, Expired];

    /// Whether a bill is past its due day.
    pub const fn is_owing(self) -> bool {
        matches!(self, PastDue | Suspended)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Pending => "pending",
            Active => "active",
            PastDue => "past_due",
            Suspended => "suspended",
            Cancelled => "cancelled",
            Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// Whether the plan's allowance may be drawn on.
    pub const fn may_consume(self) -> bool {
        match self {
            Active | PastDue | Cancelled => true,
            Pending | Suspended | Expired => false,
        }
    }
}

/// The step from one status to another; to stay is not a step.
pub fn transition(from: SubscriptionStatus, to: SubscriptionStatus) -> Result<SubscriptionStatus, NoSuchTransition> {
    if EDGES.contains(&(from, to)) { Ok(to) } else { Err(NoSuchTransition { from, to }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! edges {
        ($($name:ident: $from:ident => $to:ident;)+) => {
            $(#[test] fn $name() { assert_eq!(transition($from, $to), Ok($to)); })+

            #[test]
            fn there_is_no_other_step() {
                let listed = [$(($from, $to)),+];
                for from in SubscriptionStatus::ALL {
                    for to in SubscriptionStatus::ALL {
                        let expected = if listed.contains(&(from, to)) { Ok(to) } else { Err(NoSuchTransition { from, to }) };
                        assert_eq!(transition(from, to), expected, "{from:?} -> {to:?}");
                    }
                }
            }
        };
    }

    edges! {
        the_first_payment_activates: Pending => Active;
        an_order_never_paid_may_be_cancelled: Pending => Cancelled;
        an_order_never_paid_expires: Pending => Expired;
        an_unpaid_bill_makes_it_past_due: Active => PastDue;
        the_customer_cancels: Active => Cancelled;
        a_late_payment_makes_it_active_again: PastDue => Active;
        a_bill_unpaid_for_long_suspends: PastDue => Suspended;
        the_customer_cancels_while_past_due: PastDue => Cancelled;
        payment_lifts_the_suspension: Suspended => Active;
        the_customer_cancels_while_suspended: Suspended => Cancelled;
        a_suspension_ends_in_expiry: Suspended => Expired;
        the_customer_resumes: Cancelled => Active;
        a_cancelled_one_ends_with_its_term: Cancelled => Expired;
        an_expired_one_begins_anew: Expired => Active;
    }

    #[test]
    fn names_read_back() {
        for status in SubscriptionStatus::ALL {
            assert_eq!(SubscriptionStatus::parse(status.name()), Some(status));
        }
        assert_eq!(SubscriptionStatus::parse("Active"), None);
    }
}
