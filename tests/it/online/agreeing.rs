//! Who agrees to a recurring charge late, or twice, has one subscription; and of two answers at once the newer stays.

use super::cny;
use super::desk::Desk;
use async_trait::async_trait;
use domain::billing::MirrorStatus;
use domain::error::Error;
use domain::orders::{
    CancelWhen, Checkout, CheckoutRequest, NotificationRefused, ProviderInvoice, ProviderResult, ProviderSubscription,
    RawNotification, SubscriptionMessage, SubscriptionProvider,
};
use domain::plans::Interval;
use domain::wallet::Provider;
use fakepay::actions;
use harness::databases::Fresh;
use harness::db_test;
use harness::payments::stripe;
use infra::payments::stripe::Stripe;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Longer than a page of Stripe lives, and than it remembers an idempotency key.
const MORE_THAN_A_DAY: i64 = 25 * 3600;

fn sessions(desk: &Desk) -> usize {
    desk.fake.shared.desk().sessions.len()
}

async fn a_page_that_expired_is_followed_by_one_that_was_used_is_not(fresh: &Fresh) {
    let desk = Desk::new(&fresh.url).await;
    let customer = desk.scene.customer(None).await;
    let bill = desk.buy(&customer).await.bill.id;
    let first = desk.recurring.start(&customer.actor, bill).await.unwrap();
    desk.fake.shared.manners().skew_seconds += MORE_THAN_A_DAY;
    let second = desk.recurring.start(&customer.actor, bill).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(desk.recurring.start(&customer.actor, bill).await.unwrap(), second);
    let before = desk.said();
    desk.agree(&desk.mirror(&customer).await);
    // The customer went through the page, and nobody told us yet.
    for skew in [0, MORE_THAN_A_DAY] {
        desk.fake.shared.manners().skew_seconds += skew;
        let refused = desk.recurring.start(&customer.actor, bill).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "charging_already", .. })), "{refused:?}");
    }
    assert_eq!(sessions(&desk), 2, "no page beside the one that was used");
    desk.fake.shared.manners().skew_seconds -= 2 * MORE_THAN_A_DAY;
    for event in &desk.told_since(before) {
        desk.hear(event).await;
    }
    assert_eq!(desk.mirror(&customer).await.status, MirrorStatus::Active);
    assert_eq!(desk.unpaid(&customer).await, 0);
}
db_test!(pages, a_page_that_expired_is_followed_by_one_that_was_used_is_not);

async fn a_second_subscription_for_one_bill_is_ended_and_its_charge_is_kept(fresh: &Fresh) {
    let desk = Desk::new(&fresh.url).await;
    let customer = desk.scene.customer(None).await;
    let bill = desk.buy(&customer).await.bill;
    desk.recurring.start(&customer.actor, bill.id).await.unwrap();
    let mirror = desk.mirror(&customer).await;
    let mut events = desk.agree(&mirror);
    // As if the page had been made twice after all.
    let twice = CheckoutRequest {
        number: mirror.number(),
        description: "once more".to_owned(),
        price: cny("99.00"),
        interval: Interval::Month,
        seats: 2,
        customer: None,
        email: None,
        return_url: "https://shop.example/back".to_owned(),
        before: Some("cs_test_unknown".to_owned()),
    };
    stripe(&desk.fake).checkout(&twice).await.unwrap();
    events.extend(desk.agree(&mirror));
    for event in &events {
        desk.hear(event).await;
    }
    let kept = desk.mirror(&customer).await;
    let subscriptions: Vec<_> = desk.fake.shared.desk().subscriptions.values().cloned().collect();
    assert_eq!(subscriptions.len(), 2);
    for subscription in &subscriptions {
        let status = if Some(&subscription.id) == kept.reference.as_ref() { "active" } else { "canceled" };
        assert_eq!(subscription.status, status, "{kept:?}");
    }
    assert_eq!(kept.status, MirrorStatus::Active);
    let charged = cny("99.00").checked_add(cny("198.00")).unwrap();
    assert_eq!(desk.balance(&customer).await, charged.checked_sub(bill.totals.total).unwrap());
}
db_test!(second, a_second_subscription_for_one_bill_is_ended_and_its_charge_is_kept);

/// Stripe, whose next answer to a question is under way until it is let go.
struct Slow {
    stripe: Stripe,
    held: Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>>,
}

#[async_trait]
impl SubscriptionProvider for Slow {
    fn provider(&self) -> Provider {
        Provider::Stripe
    }

    async fn checkout(&self, request: &CheckoutRequest) -> ProviderResult<Checkout> {
        self.stripe.checkout(request).await
    }

    async fn portal_link(&self, customer: &str, return_url: &str) -> ProviderResult<String> {
        self.stripe.portal_link(customer, return_url).await
    }

    async fn cancel(&self, subscription: &str, when: CancelWhen) -> ProviderResult<ProviderSubscription> {
        self.stripe.cancel(subscription, when).await
    }

    async fn query_subscription(&self, subscription: &str) -> ProviderResult<Option<ProviderSubscription>> {
        let answer = self.stripe.query_subscription(subscription).await;
        let held = self.held.lock().unwrap().take();
        if let Some((arrived, let_go)) = held {
            arrived.send(()).unwrap();
            let_go.await.unwrap();
        }
        answer
    }

    async fn query_charge(&self, reference: &str) -> ProviderResult<Option<ProviderInvoice>> {
        self.stripe.query_charge(reference).await
    }

    fn read_event(&self, raw: &RawNotification) -> Result<SubscriptionMessage, NotificationRefused> {
        self.stripe.read_event(raw)
    }
}

async fn an_answer_that_comes_late_does_not_hide_a_newer_one(fresh: &Fresh) {
    let desk = Desk::new(&fresh.url).await;
    let customer = desk.scene.customer(None).await;
    let bill = desk.buy(&customer).await.bill.id;
    desk.recurring.start(&customer.actor, bill).await.unwrap();
    for event in &desk.agree(&desk.mirror(&customer).await) {
        desk.hear(event).await;
    }
    let reference = desk.mirror(&customer).await.reference.unwrap();
    let renewed = desk.told(|| assert!(actions::next_term(&desk.fake.shared, &reference, true)));
    let (arrived, asked) = oneshot::channel();
    let (let_go, waits) = oneshot::channel();
    let slow = Slow { stripe: stripe(&desk.fake), held: Mutex::new(Some((arrived, waits))) };
    let slow = desk.asking(Arc::new(slow));
    let late = tokio::spawn(async move { slow.heard(Provider::Stripe, &renewed[0]).await });
    asked.await.unwrap();
    // Meanwhile the next charge fails, and somebody else hears of it.
    for event in &desk.told(|| assert!(actions::next_term(&desk.fake.shared, &reference, false))) {
        desk.hear(event).await;
    }
    let newer = desk.mirror(&customer).await;
    assert_eq!(newer.status, MirrorStatus::PastDue);
    let_go.send(()).unwrap();
    late.await.unwrap().unwrap();
    let after = desk.mirror(&customer).await;
    assert_eq!((after.status, after.period), (MirrorStatus::PastDue, newer.period));
}
db_test!(late, an_answer_that_comes_late_does_not_hide_a_newer_one);
