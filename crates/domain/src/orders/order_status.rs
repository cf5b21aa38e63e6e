//! The state machine of an order: which status may follow which, and the shop's codes for them.
//!
//! Source: `order_status` of the shop (0 created, 1 awaiting delivery, 2 delivered, 3 closed). `closing` is ours: an
//! order that is to be closed while a provider may still take the money.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for its payment.
    Created,
    /// Paid and not delivered: for a moment, or until an operator resolves what stood in the way.
    AwaitingDelivery,
    Delivered,
    /// Takes no further payment, but one under way may still arrive, and is delivered when it does.
    Closing,
    /// No provider takes money for it any more. What comes nevertheless is an operator's business.
    Closed,
}

use OrderStatus::{AwaitingDelivery, Closed, Closing, Created, Delivered};

/// Every step there is.
const EDGES: [(OrderStatus, OrderStatus); 8] = [
    (Created, AwaitingDelivery),
    (Created, Closing),
    (Created, Closed),
    (Closing, AwaitingDelivery),
    (Closing, Closed),
    (AwaitingDelivery, Delivered),
    (AwaitingDelivery, Closed),
    (Closed, AwaitingDelivery),
];

/// A step that the state machine does not have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("an order that is {} cannot become {}", from.name(), to.name())]
pub struct NoSuchStep {
    pub from: OrderStatus,
    pub to: OrderStatus,
}

impl OrderStatus {
    pub const ALL: [Self; 5] = [Created, AwaitingDelivery, Delivered, Closing, Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Created => "created",
            AwaitingDelivery => "awaiting_delivery",
            Delivered => "delivered",
            Closing => "closing",
            Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// The shop's `order_status`.
    pub const fn shop_code(self) -> u8 {
        match self {
            Created | Closing => 0,
            AwaitingDelivery => 1,
            Delivered => 2,
            Closed => 3,
        }
    }

    /// Whether a payment that arrives now is the one that the order waits for.
    pub const fn takes_money(self) -> bool {
        match self {
            Created | Closing => true,
            AwaitingDelivery | Delivered | Closed => false,
        }
    }
}

/// The step from one status to another; to stay is not a step.
pub fn step(from: OrderStatus, to: OrderStatus) -> Result<OrderStatus, NoSuchStep> {
    if EDGES.contains(&(from, to)) { Ok(to) } else { Err(NoSuchStep { from, to }) }
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
                for from in OrderStatus::ALL {
                    for to in OrderStatus::ALL {
                        let expected = if listed.contains(&(from, to)) { Ok(to) } else { Err(NoSuchStep { from, to }) };
                        assert_eq!(step(from, to), expected, "{from:?} -> {to:?}");
                    }
                }
            }
        };
    }

    edges! {
        a_payment_lets_it_wait_for_delivery: Created => AwaitingDelivery;
        it_is_closed_in_two_steps_while_a_provider_may_take_money: Created => Closing;
        it_is_closed_at_once_when_no_provider_was_asked: Created => Closed;
        a_payment_under_way_arrives_while_it_closes: Closing => AwaitingDelivery;
        the_provider_says_that_nothing_comes: Closing => Closed;
        what_was_paid_is_delivered: AwaitingDelivery => Delivered;
        what_cannot_be_delivered_is_refunded: AwaitingDelivery => Closed;
        an_operator_delivers_what_was_paid_too_late: Closed => AwaitingDelivery;
    }

    #[test]
    fn the_shops_codes_are_0_to_3() {
        let codes = OrderStatus::ALL.map(|status| (status.name(), status.shop_code()));
        let shop = [("created", 0), ("awaiting_delivery", 1), ("delivered", 2), ("closing", 0), ("closed", 3)];
        assert_eq!(codes, shop);
    }

    #[test]
    fn names_read_back() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::parse(status.name()), Some(status));
        }
        assert_eq!(OrderStatus::parse("Closed"), None);
    }
}
