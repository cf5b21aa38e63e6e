//! What customers, providers and saboteurs do: called by pages, by the control calls and by tests in the process.

use crate::book::{Kind, Refund, RefundStanding, Refusal, Standing, Trade};
use crate::keys::{Rsa, token};
use crate::merchant::platform_serial;
use crate::postman::{Message, Twist, deliver_once};
use crate::shared::Shared;
use crate::{alipay, stripe, wechat};
use std::sync::Arc;

/// Why nothing was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayError {
    NotFound,
    /// Paid, closed or expired.
    Over,
}

impl From<Refusal> for PayError {
    fn from(refusal: Refusal) -> Self {
        if refusal == Refusal::NotFound { Self::NotFound } else { Self::Over }
    }
}

/// The customer pays, and the merchant is told.
pub fn pay(shared: &Arc<Shared>, kind: Kind, number: &str) -> Result<Trade, PayError> {
    let now = shared.now();
    let trade = shared.book().pay(kind, number, now)?;
    match kind {
        Kind::WeChat => wechat::tell_paid(shared, &trade),
        Kind::Alipay => alipay::tell_paid(shared, &trade),
        Kind::Stripe => {
            let mode = shared.desk().session_of(number).map(|session| session.mode.clone());
            if mode.as_deref() == Some("subscription") {
                stripe::start(shared, number);
            } else {
                stripe::tell_paid(shared, &trade);
            }
        }
    }
    Ok(trade)
}

/// The customer pays another amount than was asked for, as far as the provider knows.
pub fn pay_amount(shared: &Arc<Shared>, kind: Kind, number: &str, amount: i64) -> Result<Trade, PayError> {
    shared.book().trade_mut(kind, number)?.amount = amount;
    pay(shared, kind, number)
}

/// The payment fails for good.
pub fn fail(shared: &Shared, kind: Kind, number: &str) -> Result<(), PayError> {
    let mut book = shared.book();
    let trade = book.trade_mut(kind, number)?;
    if trade.standing != Standing::Waiting {
        return Err(PayError::Over);
    }
    trade.standing = Standing::Failed;
    Ok(())
}

/// The customer scans the code and does not pay.
pub fn scan(shared: &Shared, kind: Kind, number: &str) -> Result<(), PayError> {
    shared.book().trade_mut(kind, number)?.seen = true;
    Ok(())
}

/// Somebody pays although it was closed, as when closing and paying cross.
pub fn pay_closed(shared: &Arc<Shared>, kind: Kind, number: &str) -> Result<Trade, PayError> {
    let expires = shared.now() + chrono::TimeDelta::hours(1);
    {
        let mut book = shared.book();
        let trade = book.trade_mut(kind, number)?;
        if trade.standing == Standing::Closed {
            (trade.standing, trade.expires) = (Standing::Waiting, expires);
        }
    }
    pay(shared, kind, number)
}

/// Decides a refund that is stuck, and tells.
pub fn decide_refund(
    shared: &Arc<Shared>,
    kind: Kind,
    number: &str,
    standing: RefundStanding,
) -> Result<Refund, PayError> {
    let now = shared.now();
    let refund = shared.book().decide_refund(kind, number, standing, now)?;
    if standing != RefundStanding::Processing {
        match kind {
            Kind::WeChat => wechat::tell_refunded(shared, &refund),
            Kind::Alipay => alipay::tell_refunded(shared, &refund),
            Kind::Stripe => stripe::tell_refunded(shared, "refund.updated", &refund),
        }
    }
    Ok(refund)
}

/// Signs with a new key from now on; the old one still signs for who asks for it.
pub fn rotate_keys(shared: &Shared, kind: Kind) -> anyhow::Result<()> {
    match kind {
        Kind::WeChat => {
            let key = Arc::new(Rsa::generate()?);
            let mut keys = shared.keys_mut();
            let serial = platform_serial(keys.wechat_platform.len() + 1);
            keys.wechat_platform.push((serial, key));
        }
        Kind::Alipay => {
            let key = Arc::new(Rsa::generate()?);
            shared.keys_mut().alipay = key;
        }
        Kind::Stripe => shared.keys_mut().stripe_webhook_secrets.push(format!("whsec_{}", token(32))),
    }
    Ok(())
}

/// Messages about a number; all of them without one.
pub fn messages(shared: &Shared, kind: Kind, number: Option<&str>) -> Vec<Arc<Message>> {
    let kept = shared.postman.kept().into_iter().filter(|message| message.kind == kind);
    kept.filter(|message| number.is_none_or(|number| message.is_about(number))).collect()
}

/// Delivers everything about a number again; how many were taken.
pub async fn redeliver(shared: &Arc<Shared>, kind: Kind, number: Option<&str>, twist: Twist) -> usize {
    let mut taken = 0;
    for message in messages(shared, kind, number) {
        if deliver_once(shared, &message, twist).await {
            taken += 1;
        }
    }
    taken
}

/// The next term of a subscription begins, and its payment goes through or does not. False when there is none.
pub fn next_term(shared: &Arc<Shared>, subscription: &str, paid: bool) -> bool {
    if paid { stripe::renew(shared, subscription) } else { stripe::fail_renewal(shared, subscription) }
}
