//! A refund before it is reserved: how much, and why.

use super::payment::Payment;
use super::refund::{MAX_REASON_LENGTH, Refund, RefundStatus};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::RefundId;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::text::visible_line;
use chrono::{DateTime, TimeDelta, Utc};

/// A caller who died before the provider was asked is followed by the loop after this time.
const ASK_AFTER: TimeDelta = TimeDelta::seconds(20);

/// The amount asked for, or all that is left.
pub(super) fn read_amount(payment: &Payment, wish: Option<&str>) -> Result<Money> {
    let captured = payment.captured.ok_or_else(|| Error::conflict("not_delivered", "No money came in for this."))?;
    let amount = match wish {
        None => captured.checked_sub(payment.refunding)?,
        Some(text) => Money::parse_minor(text, captured.currency())
            .map_err(|error| Error::invalid("amount", error.to_string()))?,
    };
    match (amount.is_positive(), wish) {
        (true, _) => Ok(amount),
        (false, Some(_)) => Err(Error::invalid("amount", "must be above zero")),
        (false, None) => Err(Error::conflict("refund_too_large", "All of it was refunded before.")),
    }
}

/// A refund before it is reserved.
pub(super) fn draft(
    actor: &Actor,
    payment: &Payment,
    amount: Money,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Refund> {
    let reason = visible_line(reason, MAX_REASON_LENGTH).map_err(|problem| Error::invalid("reason", problem))?;
    Ok(Refund {
        id: RefundId::new(now),
        payment: payment.id,
        order: payment.order,
        account: payment.account,
        amount,
        reason,
        status: RefundStatus::Unknown,
        problem: None,
        operator: actor.user,
        suspense: None,
        even_if_used: false,
        taken_back: Quantity::ZERO,
        checks: 0,
        next_check_at: Some(now + ASK_AFTER),
        created_at: now,
        ended_at: None,
    })
}
