//! Subscriptions at Stripe: checkout, events in every order, cancellation, the portal.

use domain::orders::{
    CancelWhen, CheckoutRequest, NotificationRefused, Notified, PaymentProvider, ProviderNumber,
    ProviderSubscriptionStatus, SubscriptionEvent, SubscriptionMessage, SubscriptionProvider,
};
use domain::plans::Interval;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::payments::{fake, raw, stripe, yuan};
use infra::payments::stripe::Stripe;
use uuid::Uuid;

fn wish() -> CheckoutRequest {
    CheckoutRequest {
        number: ProviderNumber::from_uuid(Uuid::now_v7()),
        description: "Professional".to_owned(),
        price: yuan("99.00"),
        interval: Interval::Month,
        seats: 3,
        customer: None,
        email: Some("z@example.cn".to_owned()),
        return_url: "https://shop.example/back".to_owned(),
        before: None,
    }
}

fn events(fake: &FakePay, provider: &Stripe, twist: Twist) -> Vec<Result<SubscriptionMessage, NotificationRefused>> {
    let messages = actions::messages(&fake.shared, Kind::Stripe, None);
    let read = |message: &std::sync::Arc<fakepay::postman::Message>| {
        provider.read_event(&raw(compose(&fake.shared, message, twist).unwrap()))
    };
    messages.iter().map(read).collect()
}

async fn subscribed(fake: &FakePay, provider: &Stripe) -> (CheckoutRequest, String) {
    let wish = wish();
    let checkout = provider.checkout(&wish).await.unwrap();
    assert_eq!(provider.checkout(&wish).await.unwrap(), checkout);
    actions::pay(&fake.shared, Kind::Stripe, &wish.number.to_string()).unwrap();
    let told = events(fake, provider, Twist::None).into_iter().map(Result::unwrap);
    let mut subscription = told.filter_map(|message| match message.event {
        SubscriptionEvent::CheckedOut { number, subscription, .. } if number == wish.number => Some(subscription),
        _ => None,
    });
    let subscription = subscription.next_back().unwrap();
    (wish, subscription)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_becomes_a_subscription_with_a_paid_term() {
    let fake = fake();
    let provider = stripe(&fake);
    let (wish, id) = subscribed(&fake, &provider).await;
    let found = provider.query_subscription(&id).await.unwrap().unwrap();
    assert_eq!(found.status, ProviderSubscriptionStatus::Active);
    assert_eq!((found.number, found.price, found.seats), (Some(wish.number), wish.price, 3));
    let told: Vec<_> = events(&fake, &provider, Twist::None).into_iter().map(Result::unwrap).collect();
    let paid: Vec<_> = told
        .iter()
        .filter_map(|message| match &message.event {
            SubscriptionEvent::Paid(invoice) => Some(invoice),
            _ => None,
        })
        .collect();
    assert_eq!(paid.len(), 1);
    assert_eq!((paid[0].amount, paid[0].period), (yuan("297.00"), found.period));
    // None of it is taken for a single payment.
    for message in actions::messages(&fake.shared, Kind::Stripe, None) {
        let delivery = raw(compose(&fake.shared, &message, Twist::None).unwrap());
        let read = provider.read_notification(&delivery).unwrap();
        assert!(matches!(read.about, Notified::Other { .. }), "{read:?}");
    }
    for twist in [Twist::Forged, Twist::SignTest, Twist::Old, Twist::Unsigned, Twist::Tampered] {
        assert!(events(&fake, &provider, twist).iter().all(Result::is_err), "{twist:?}");
    }
    assert_eq!(provider.query_subscription("sub_nobody").await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_is_not_paid_makes_it_past_due() {
    let fake = fake();
    let provider = stripe(&fake);
    let (_, id) = subscribed(&fake, &provider).await;
    assert!(actions::next_term(&fake.shared, &id, false));
    let last = events(&fake, &provider, Twist::None).pop().unwrap().unwrap();
    assert!(matches!(last.event, SubscriptionEvent::PaymentFailed(ref invoice) if invoice.subscription == id));
    let found = provider.query_subscription(&id).await.unwrap().unwrap();
    assert_eq!(found.status, ProviderSubscriptionStatus::PastDue);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_ends_when_it_is_told_to_and_can_be_kept() {
    let fake = fake();
    let provider = stripe(&fake);
    let (_, id) = subscribed(&fake, &provider).await;
    for (when, at_end) in [(CancelWhen::AtPeriodEnd, true), (CancelWhen::Never, false), (CancelWhen::AtPeriodEnd, true)]
    {
        assert_eq!(provider.cancel(&id, when).await.unwrap().cancel_at_period_end, at_end);
    }
    let customer = provider.query_subscription(&id).await.unwrap().unwrap().customer;
    let link = provider.portal_link(&customer, "https://shop.example/").await.unwrap();
    assert!(link.starts_with(fake.base()));
    for _ in 0..2 {
        let ended = provider.cancel(&id, CancelWhen::Now).await.unwrap();
        assert_eq!(ended.status, ProviderSubscriptionStatus::Cancelled);
        assert!(ended.ended_at.is_some());
    }
}
