//! Providers that answer late, not at all, too much, or with something that nobody signed.

use domain::orders::{PaymentState, ProviderError, RefundState};
use fakepay::{Fault, Kind, Misdeed, actions};
use harness::payments::{KINDS, adapter, fake, order, refund_of};

/// What an adapter says of a call whose outcome it cannot know.
const UNSURE: [Misdeed; 6] = [
    Misdeed::DropBefore,
    Misdeed::DropAfter,
    Misdeed::ErrorBefore,
    Misdeed::ErrorAfter,
    Misdeed::Delay(2_000),
    Misdeed::Garbage,
];
/// Answers that something was done to on the way.
const SPOILT: [Misdeed; 4] = [Misdeed::Tampered, Misdeed::Truncated, Misdeed::Redirect, Misdeed::Unsigned];

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_unknown_outcome_is_placed_once() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        for misdeed in UNSURE {
            let order = order();
            fake.shared.add_fault(Fault::once(kind, "", misdeed));
            assert_eq!(provider.place(&order).await, Err(ProviderError::Unknown), "{kind:?} {misdeed:?}");
            provider.place(&order).await.unwrap();
        }
        assert_eq!(fake.shared.book().trades(kind).count(), UNSURE.len(), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_unknown_outcome_is_made_once() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        // Only the call that does it goes wrong; Stripe looks for the refund first.
        let at = match kind {
            Kind::WeChat => "POST /v3/refund",
            Kind::Alipay => "alipay.trade.refund",
            Kind::Stripe => "POST /v1/refunds",
        };
        for misdeed in UNSURE {
            let order = order();
            let reference = provider.place(&order).await.unwrap().reference;
            actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
            let paid = provider.query(order.number, reference).await.unwrap();
            let refund = refund_of(&order, &paid, "10.00");
            fake.shared.add_fault(Fault::once(kind, at, misdeed));
            assert_eq!(provider.refund(&refund).await, Err(ProviderError::Unknown), "{kind:?} {misdeed:?}");
            provider.refund(&refund).await.unwrap();
            assert!(matches!(provider.query_refund(&refund).await, Ok(RefundState::Succeeded { .. })), "{kind:?}");
            assert_eq!(fake.shared.book().refunded(kind, &order.number.to_string()), 1000);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_changed_on_the_way_is_not_believed() {
    let fake = fake();
    for kind in [Kind::WeChat, Kind::Alipay] {
        let provider = adapter(&fake, kind);
        let order = order();
        provider.place(&order).await.unwrap();
        actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
        let of_kind: &[Misdeed] = match kind {
            Kind::WeChat => &[Misdeed::WrongNonce, Misdeed::WrongSerial, Misdeed::Old],
            _ => &[Misdeed::DuplicateNode],
        };
        for misdeed in SPOILT.iter().chain(of_kind) {
            fake.shared.add_fault(Fault::once(kind, "", *misdeed));
            let state = provider.query(order.number, None).await;
            assert_eq!(state, Err(ProviderError::Unknown), "{kind:?} {misdeed:?}");
        }
        assert!(matches!(provider.query(order.number, None).await, Ok(PaymentState::Captured(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_is_cut_off_and_too_many_calls_are_for_later() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = order();
        fake.shared.add_fault(Fault::once(kind, "", Misdeed::Huge));
        assert_eq!(provider.place(&order).await, Err(ProviderError::Unknown), "{kind:?}");
        if kind != Kind::Alipay {
            fake.shared.add_fault(Fault::once(kind, "", Misdeed::TooMany));
            assert_eq!(provider.place(&order).await, Err(ProviderError::Unavailable), "{kind:?}");
        }
        provider.place(&order).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_reached_was_asked_for_nothing() {
    let gone = fake();
    let providers = KINDS.map(|kind| adapter(&gone, kind));
    gone.stop().await;
    for provider in providers {
        assert_eq!(provider.place(&order()).await, Err(ProviderError::Unavailable));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_six_minutes_off_is_refused_by_wechat_pay() {
    let fake = fake();
    let provider = adapter(&fake, Kind::WeChat);
    fake.shared.manners().skew_seconds = 360;
    let refused = provider.place(&order()).await;
    assert!(matches!(refused, Err(ProviderError::Refused { ref code, .. }) if code == "SIGN_ERROR"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_whose_hash_was_not_signed_is_not_read() {
    let fake = fake();
    let provider = adapter(&fake, Kind::WeChat);
    let order = order();
    provider.place(&order).await.unwrap();
    actions::pay(&fake.shared, Kind::WeChat, &order.number.to_string()).unwrap();
    let day = harness::payments::today(Kind::WeChat);
    for misdeed in [Misdeed::Tampered, Misdeed::Truncated] {
        fake.shared.add_fault(Fault::once(Kind::WeChat, "billdownload", misdeed));
        assert_eq!(provider.daily_bill(day).await, Err(ProviderError::Unknown), "{misdeed:?}");
    }
    assert_eq!(provider.daily_bill(day).await.unwrap().len(), 1);
}
