//! Reading notifications: right ones, wrong ones, and very many of both.

use domain::orders::{Notification, NotificationRefused, Notified, PaymentProvider, PaymentState, RefundState};
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::payments::{KINDS, adapter, fake, order, raw, refund_of};

/// Deliveries per provider.
const DELIVERIES: usize = 10_000;
/// What makes a notification one that is not believed at all.
const FORGERIES: [Twist; 7] =
    [Twist::Forged, Twist::SignTest, Twist::Old, Twist::Future, Twist::WrongSerial, Twist::Unsigned, Twist::Tampered];

/// Whether a forgery is one that this provider's protocol can tell.
fn applies(kind: Kind, twist: Twist) -> bool {
    // Alipay has no window of time, no serial and no probe.
    kind != Kind::Alipay || ![Twist::Old, Twist::Future, Twist::WrongSerial, Twist::SignTest].contains(&twist)
}

fn read(
    fake: &FakePay,
    provider: &dyn PaymentProvider,
    kind: Kind,
    number: &str,
    twist: Twist,
) -> Result<Notification, NotificationRefused> {
    let message = actions::messages(&fake.shared, kind, Some(number)).pop().unwrap();
    let delivery = compose(&fake.shared, &message, twist).unwrap();
    provider.read_notification(&raw(delivery))
}

/// A paid order's number.
async fn paid(fake: &FakePay, provider: &dyn PaymentProvider, kind: Kind) -> domain::orders::PlaceRequest {
    let order = order();
    provider.place(&order).await.unwrap();
    actions::pay(&fake.shared, kind, &order.number.to_string()).unwrap();
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_says_what_a_query_says() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = paid(&fake, &*provider, kind).await;
        let told = read(&fake, &*provider, kind, &order.number.to_string(), Twist::None).unwrap();
        let Notified::Payment { number, state: PaymentState::Captured(capture) } = told.about else {
            panic!("{kind:?}: {told:?}")
        };
        assert_eq!((number, capture.amount, capture.payee_is_ours), (order.number, order.amount, true));
        let Ok(PaymentState::Captured(asked)) = provider.query(order.number, None).await else { panic!("{kind:?}") };
        assert_eq!((asked.transaction, asked.amount), (capture.transaction, capture.amount), "{kind:?}");
        // Delivered again, it is the same message.
        let again = read(&fake, &*provider, kind, &order.number.to_string(), Twist::None).unwrap();
        assert_eq!(again.message, told.message, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_told_of_under_its_own_number() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = paid(&fake, &*provider, kind).await;
        let state = provider.query(order.number, None).await.unwrap();
        let refund = refund_of(&order, &state, "3.00");
        provider.refund(&refund).await.unwrap();
        let told = read(&fake, &*provider, kind, &refund.number.to_string(), Twist::None).unwrap();
        assert!(
            matches!(told.about, Notified::Refund { number, state: RefundState::Succeeded { .. } } if number == refund.number),
            "{kind:?}: {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_wrong_is_read_as_it_is_and_what_is_not_signed_is_not_read() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let order = paid(&fake, &*provider, kind).await;
        let number = order.number.to_string();
        for twist in FORGERIES.into_iter().filter(|twist| applies(kind, *twist)) {
            let refused = read(&fake, &*provider, kind, &number, twist);
            let expected = match twist {
                Twist::Old | Twist::Future => NotificationRefused::Time,
                _ => NotificationRefused::Signature,
            };
            assert_eq!(refused, Err(expected), "{kind:?} {twist:?}");
        }
        let capture = |twist| match read(&fake, &*provider, kind, &number, twist).unwrap().about {
            Notified::Payment { state: PaymentState::Captured(capture), .. } => capture,
            other => panic!("{kind:?} {twist:?}: {other:?}"),
        };
        assert_ne!(capture(Twist::WrongAmount).amount, order.amount, "{kind:?}");
        assert!(!capture(Twist::WrongMerchant).payee_is_ours, "{kind:?}");
        if kind != Kind::Alipay {
            assert_ne!(capture(Twist::WrongCurrency).amount.currency(), order.amount.currency(), "{kind:?}");
        }
        let unknown = read(&fake, &*provider, kind, &number, Twist::UnknownNumber).unwrap();
        assert!(matches!(unknown.about, Notified::Payment { number, .. } if number != order.number), "{kind:?}");
    }
    let provider = adapter(&fake, Kind::Alipay);
    let order = paid(&fake, &*provider, Kind::Alipay).await;
    let gbk = read(&fake, &*provider, Kind::Alipay, &order.number.to_string(), Twist::WrongCharset);
    assert_eq!(gbk, Err(NotificationRefused::Content));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_believed_once_it_is_known_and_the_old_one_still_is() {
    let fake = fake();
    for kind in [Kind::WeChat, Kind::Stripe] {
        let before = adapter(&fake, kind);
        let paid = paid(&fake, &*before, kind).await;
        actions::rotate_keys(&fake.shared, kind).unwrap();
        let number = paid.number.to_string();
        let known = read(&fake, &*before, kind, &number, Twist::None);
        // Stripe signs by both secrets while one is changed.
        assert_eq!(known.is_ok(), kind == Kind::Stripe, "{kind:?}");
        let both = adapter(&fake, kind);
        assert!(read(&fake, &*both, kind, &number, Twist::None).is_ok(), "{kind:?}");
        assert!(both.place(&order()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_deliveries_exactly_the_signed_ones_are_read() {
    let fake = fake();
    for kind in KINDS {
        let provider = adapter(&fake, kind);
        let mut right = Vec::new();
        let mut wrong = Vec::new();
        let forgeries: Vec<_> = FORGERIES.into_iter().filter(|twist| applies(kind, *twist)).collect();
        for place in 0..20 {
            let order = paid(&fake, &*provider, kind).await;
            let message = actions::messages(&fake.shared, kind, Some(&order.number.to_string())).pop().unwrap();
            right.push((order.number, raw(compose(&fake.shared, &message, Twist::None).unwrap())));
            wrong.push(raw(compose(&fake.shared, &message, forgeries[place % forgeries.len()]).unwrap()));
        }
        let mut read = 0;
        for turn in 0..DELIVERIES {
            // A step that shares no factor with the count: every order of delivery comes up, duplicates too.
            let place = turn * 7 % right.len();
            if turn % 3 == 0 {
                assert!(provider.read_notification(&wrong[place]).is_err(), "{kind:?} {turn}");
                continue;
            }
            let (expected, delivery) = &right[place];
            let told = provider.read_notification(delivery).unwrap();
            assert!(matches!(told.about, Notified::Payment { number, .. } if number == *expected), "{kind:?}");
            read += 1;
        }
        assert_eq!(read, DELIVERIES - DELIVERIES.div_ceil(3));
    }
}
