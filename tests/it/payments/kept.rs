//! What is kept of notifications, beside what was delivered.

use domain::actor::Actor;
use domain::orders::{OrderService, PaymentMessage, RawNotification};
use domain::page::PageRequest;
use domain::wallet::Provider;
use std::collections::BTreeSet;

/// Provider, headers of a signature, body.
type Raw = (Provider, String, String);

/// The bound raised, so that a storm fits.
pub const ALL_REFUSED: (&str, &str) = ("SUANPAN__PAYMENTS__KEPT_REFUSED_PER_HOUR", "1000000");

/// All messages that a server keeps, page by page.
pub async fn all(orders: &OrderService, operator: &Actor) -> Vec<PaymentMessage> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = orders.list_messages(operator, None, PageRequest { limit: 200, before }).await.unwrap();
        all.extend(page.rows);
        before = page.next;
        if before.is_none() {
            return all;
        }
    }
}

fn raw(provider: Provider, raw: &RawNotification) -> Raw {
    let of_signature = |name: &str| name.starts_with("wechatpay-") || name == "stripe-signature";
    let lines = raw.headers.iter().filter(|(name, _)| of_signature(name));
    let headers = lines.map(|(name, value)| [name, ": ", value, "\n"].concat()).collect();
    (provider, headers, String::from_utf8(raw.body.clone()).unwrap())
}

/// Fails unless the kept messages are exactly those that were delivered; how many different ones that are.
pub fn assert_whole<'a>(
    kept: &[PaymentMessage],
    delivered: impl Iterator<Item = (Provider, &'a RawNotification)>,
) -> usize {
    let delivered: BTreeSet<Raw> = delivered.map(|(door, message)| raw(door, message)).collect();
    let as_raw = |message: &PaymentMessage| (message.provider, message.headers.clone(), message.body.clone());
    let kept: BTreeSet<Raw> = kept.iter().map(as_raw).collect();
    let lost: Vec<_> = delivered.difference(&kept).take(3).collect();
    assert!(lost.is_empty(), "delivered and not kept, such as {lost:#?}");
    assert_eq!(kept.len(), delivered.len(), "nothing else is kept");
    delivered.len()
}
