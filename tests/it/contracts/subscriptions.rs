//! Subscriptions at Stripe: checkout, events in every order, cancellation, the portal.

use domain::orders::{
    BillRowKind, CHECKED_OUT, CancelWhen, CheckoutRequest, NotificationRefused, Notified, PaymentProvider,
    ProviderError, ProviderNumber, ProviderSubscriptionStatus, SubscriptionEvent, SubscriptionMessage,
    SubscriptionProvider,
};
use domain::plans::Interval;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::payments::{fake, raw, stripe, today, yuan};
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

#[tokio::test(flavor = "multi_thread")]
async fn every_charge_is_in_the_daily_bill_under_the_id_of_its_invoice() {
    let fake = fake();
    let provider = stripe(&fake);
    let (_, id) = subscribed(&fake, &provider).await;
    assert!(actions::next_term(&fake.shared, &id, true));
    assert!(actions::next_term(&fake.shared, &id, false));
    let told = events(&fake, &provider, Twist::None).into_iter().map(|message| message.unwrap().event);
    let (mut paid, mut failed) = (Vec::new(), Vec::new());
    for event in told {
        match event {
            SubscriptionEvent::Paid(invoice) => paid.push(invoice),
            SubscriptionEvent::PaymentFailed(invoice) => failed.push(invoice),
            _ => {}
        }
    }
    let rows = provider.daily_bill(today(Kind::Stripe)).await.unwrap();
    assert_eq!((rows.len(), paid.len(), failed.len()), (2, 2, 1), "{rows:?}");
    let charged = yuan("297.00");
    for invoice in &paid {
        let row = rows.iter().find(|row| row.number == invoice.reference).unwrap();
        assert_eq!((row.kind, row.amount, invoice.amount), (BillRowKind::Charge, charged, charged));
        assert_eq!(invoice.paid_at, Some(row.at));
        assert_eq!(provider.query_charge(&invoice.reference).await.unwrap().as_ref(), Some(invoice));
    }
    assert_eq!(provider.query_charge(&failed[0].reference).await, Ok(None), "it was not paid");
    assert_eq!(provider.query_charge("in_nobody").await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_of_before_says_what_may_follow() {
    let fake = fake();
    let provider = stripe(&fake);
    let wish = wish();
    let first = provider.checkout(&wish).await.unwrap();
    let again = CheckoutRequest { before: Some(first.reference.clone()), ..wish };
    assert_eq!(provider.checkout(&again).await.unwrap(), first, "it is open");
    fake.shared.manners().skew_seconds += 25 * 3600;
    let second = provider.checkout(&again).await.unwrap();
    assert_ne!(second, first, "it expired");
    assert_eq!(provider.checkout(&again).await.unwrap(), second, "the same question again");
    actions::pay(&fake.shared, Kind::Stripe, &again.number.to_string()).unwrap();
    let used = CheckoutRequest { before: Some(second.reference), ..again };
    let refused = provider.checkout(&used).await;
    assert!(matches!(refused, Err(ProviderError::Refused { ref code, .. }) if code == CHECKED_OUT), "{refused:?}");
}
