//! The state machine of a payment attempt: which status may follow which, and the shop's codes for them.
//!
//! Source: `pay_status` of the shop (0 waiting, 1 paid, 2 failed, 3 given up), with `unknown` for a call whose outcome
//! was not heard, and two for what was paid back.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where a payment attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Asked for, and the provider's answer was not heard or not stored. Nothing else is charged meanwhile.
    Unknown,
    /// The provider waits for the customer.
    Pending,
    /// Money came in.
    Paid,
    Failed,
    /// Given up, and the provider takes no money for it.
    Cancelled,
    PartiallyRefunded,
    Refunded,
}

use PaymentStatus::{Cancelled, Failed, Paid, PartiallyRefunded, Pending, Refunded, Unknown};

/// Every step there is. Money is money: it is booked whenever it comes, also after a failure or the end.
const EDGES: [(PaymentStatus, PaymentStatus); 12] = [
    (Unknown, Pending),
    (Unknown, Paid),
    (Unknown, Failed),
    (Unknown, Cancelled),
    (Pending, Paid),
    (Pending, Failed),
    (Pending, Cancelled),
    (Failed, Paid),
    (Cancelled, Paid),
    (Paid, PartiallyRefunded),
    (Paid, Refunded),
    (PartiallyRefunded, Refunded),
];

/// A step that the state machine does not have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a payment that is {} cannot become {}", from.name(), to.name())]
pub struct NoSuchPaymentStep {
    pub from: PaymentStatus,
    pub to: PaymentStatus,
}

impl PaymentStatus {
    pub const ALL: [Self; 7] = [Unknown, Pending, Paid, Failed, Cancelled, PartiallyRefunded, Refunded];

    pub const fn name(self) -> &'static str {
        match self {
            Unknown => "unknown",
            Pending => "pending",
            Paid => "paid",
            Failed => "failed",
            Cancelled => "cancelled",
            PartiallyRefunded => "partially_refunded",
            Refunded => "refunded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// The shop's `pay_status`.
    pub const fn shop_code(self) -> u8 {
        match self {
            Unknown | Pending => 0,
            Paid | PartiallyRefunded | Refunded => 1,
            Failed => 2,
            Cancelled => 3,
        }
    }

    /// Whether the provider may still take money for it.
    pub const fn is_open(self) -> bool {
        matches!(self, Unknown | Pending)
    }

    /// Whether money came in, whatever became of it.
    pub const fn has_money(self) -> bool {
        matches!(self, Paid | PartiallyRefunded | Refunded)
    }
}

/// The step from one status to another; to stay is not a step.
pub fn step(from: PaymentStatus, to: PaymentStatus) -> Result<PaymentStatus, NoSuchPaymentStep> {
    if EDGES.contains(&(from, to)) { Ok(to) } else { Err(NoSuchPaymentStep { from, to }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! edges {
        ($($name:ident: $from:ident => $to:ident;)+) => {
            $(#[test] fn $name() { assert_eq!(step($from, $to), Ok($to)); })+

            #[test]
            fn there_is_no_other_step() {
                let listed = [$(($from, $to)),+];
                for from in PaymentStatus::ALL {
                    for to in PaymentStatus::ALL {
                        let no = Err(NoSuchPaymentStep { from, to });
                        let expected = if listed.contains(&(from, to)) { Ok(to) } else { no };
                        assert_eq!(step(from, to), expected, "{from:?} -> {to:?}");
                    }
                }
            }
        };
    }

    edges! {
        the_providers_answer_was_heard: Unknown => Pending;
        it_was_paid_before_the_answer_was_heard: Unknown => Paid;
        it_failed_before_the_answer_was_heard: Unknown => Failed;
        it_was_given_up_before_the_answer_was_heard: Unknown => Cancelled;
        the_customer_paid: Pending => Paid;
        the_customers_payment_failed: Pending => Failed;
        nobody_paid: Pending => Cancelled;
        money_came_after_a_failure: Failed => Paid;
        money_came_after_the_end: Cancelled => Paid;
        a_part_was_paid_back: Paid => PartiallyRefunded;
        all_was_paid_back: Paid => Refunded;
        the_rest_was_paid_back: PartiallyRefunded => Refunded;
    }

    #[test]
    fn the_shops_codes_are_0_to_3() {
        assert_eq!(PaymentStatus::ALL.map(PaymentStatus::shop_code), [0, 0, 1, 2, 3, 1, 1]);
    }

    #[test]
    fn names_read_back() {
        for status in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::parse(status.name()), Some(status));
        }
        assert_eq!(PaymentStatus::parse("Paid"), None);
    }
}
