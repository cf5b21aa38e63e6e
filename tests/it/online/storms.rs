//! Storms of notifications by each provider's own protocol: duplicated, permuted, late, forged, replayed, sent to another
//! provider's door, of wrong amounts, currencies and merchants, while the provider changes its keys.

use super::{Cashier, cny, count, provider_of};
use crate::payments::kept;
use chrono::TimeDelta;
use domain::orders::{Attempt, MessageOutcome, OrderStatus, RawNotification};
use domain::page::PageRequest;
use domain::wallet::Provider;
use fakepay::postman::{About, Message};
use fakepay::{Kind, Twist, actions, compose};
use harness::databases::Fresh;
use harness::db_test;
use harness::payments::{KINDS, raw};

/// Deliveries per provider; the full figure is 10,000.
const DELIVERIES: usize = 260;
/// What is wrong with most of them.
const TWISTS: [Twist; 12] = [
    Twist::WrongAmount,
    Twist::WrongCurrency,
    Twist::WrongMerchant,
    Twist::UnknownNumber,
    Twist::Forged,
    Twist::SignTest,
    Twist::Old,
    Twist::Future,
    Twist::WrongSerial,
    Twist::Unsigned,
    Twist::Tampered,
    Twist::WrongCharset,
];
/// Deliveries of an order that is told of: every twist, and the right one five times.
const OF_ORDER: usize = TWISTS.len() + 5;

/// What is known of one order of the storm.
struct Buyer {
    made: Attempt,
    /// Whether the customer pays; who does not is lied about.
    pays: bool,
}

impl Buyer {
    fn number(&self) -> String {
        self.made.payment.number().to_string()
    }
}

/// A quarter never pays, a quarter pays and is never told of.
async fn buyers(cashier: &mut Cashier, orders: usize) -> Vec<Buyer> {
    let mut all = Vec::new();
    for index in 0..orders {
        let made = cashier.top_up("10.00").await;
        let pays = index % 4 != 0;
        if pays {
            cashier.pay(&made);
        }
        all.push(Buyer { made, pays });
    }
    all
}

/// Everything that is sent, each with the door it is sent to, in an order that has nothing to do with time.
fn storm(cashier: &Cashier, buyers: &[Buyer]) -> Vec<(Provider, RawNotification)> {
    let own = provider_of(cashier.kind);
    let other = provider_of(*KINDS.iter().find(|kind| **kind != cashier.kind).unwrap());
    let mut sent = Vec::new();
    for (index, buyer) in buyers.iter().enumerate() {
        let compose = |twist| cashier.message(&buyer.number(), twist);
        sent.extend(TWISTS.iter().filter_map(|twist| compose(*twist)).map(|message| (own, message)));
        sent.extend(lies(cashier, buyer).into_iter().map(|message| (own, message)));
        let Some(right) = compose(Twist::None) else { continue };
        sent.push((other, right.clone()));
        if index % 4 != 1 {
            sent.extend((0..3).map(|_| (own, right.clone())));
            sent.extend(compose(Twist::None).map(|again| (own, again)));
        }
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for place in (1..sent.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        sent.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
    }
    sent
}

/// That somebody paid who did not, said by a stranger under the provider's name.
fn lies(cashier: &Cashier, buyer: &Buyer) -> Vec<RawNotification> {
    if buyer.pays {
        return Vec::new();
    }
    let about = About::Paid { number: buyer.number() };
    let message = Message { id: buyer.number(), kind: cashier.kind, url: String::new(), about };
    let twists = [Twist::Forged, Twist::Unsigned, Twist::Tampered];
    twists.iter().filter_map(|twist| compose(&cashier.fake.shared, &message, *twist)).map(raw).collect()
}

async fn deliver(cashier: &Cashier, sent: &[(Provider, RawNotification)]) {
    for (door, message) in sent {
        cashier.orders.notified(*door, message).await.unwrap();
    }
}

async fn survives(fresh: &Fresh, kind: Kind) {
    let mut cashier = Cashier::new(&fresh.url, kind).await;
    let orders = count("SUANPAN_STORM_DELIVERIES", DELIVERIES).div_ceil(OF_ORDER * 3 / 4);
    let before = buyers(&mut cashier, orders / 2).await;
    let after = buyers(&mut cashier, orders - orders / 2).await;
    let mut sent = storm(&cashier, &before);
    deliver(&cashier, &sent).await;
    // The provider signs with a new key before the operator has added it.
    actions::rotate_keys(&cashier.fake.shared, kind).unwrap();
    let new = storm(&cashier, &after);
    deliver(&cashier, &new[..new.len() / 2]).await;
    cashier.learn_keys();
    sent.extend(new);
    deliver(&cashier, &sent).await;
    cashier.scene.move_clock(cashier.scene.now() + TimeDelta::minutes(2));
    cashier.poll().await;
    // Late: everything once more.
    deliver(&cashier, &sent).await;
    check(&cashier, &before, &after).await;
    everything_is_kept(&cashier, &sent).await;
}

async fn check(cashier: &Cashier, before: &[Buyer], after: &[Buyer]) {
    let all: Vec<_> = before.iter().chain(after).collect();
    for buyer in &all {
        let wanted = if buyer.pays { OrderStatus::Delivered } else { OrderStatus::Created };
        assert_eq!(cashier.status(&buyer.made).await, wanted, "{:?} {}", cashier.kind, buyer.number());
    }
    let paid = i64::try_from(all.iter().filter(|buyer| buyer.pays).count()).unwrap();
    assert_eq!(cashier.balance().await.nanos(), paid * cny("10.00").nanos());
    let operator = cashier.scene.operator();
    let page = PageRequest { limit: 200, before: None };
    let items = cashier.orders.list_suspense(&operator, None, page).await.unwrap().rows;
    assert!(items.is_empty(), "{items:?}");
    println!("{:?}: {} orders", cashier.kind, all.len());
}

/// Good or bad, byte for byte, and nothing else.
async fn everything_is_kept(cashier: &Cashier, sent: &[(Provider, RawNotification)]) {
    let kept = kept::all(&cashier.orders, &cashier.scene.operator()).await;
    assert!(kept.iter().all(|message| message.outcome != MessageOutcome::Received));
    let different = kept::assert_whole(&kept, sent.iter().map(|(door, message)| (*door, message)));
    let refused = kept.iter().filter(|message| matches!(message.outcome, MessageOutcome::Refused(_))).count();
    println!(
        "{:?}: {} deliveries, each two or three times; {different} different ones, all kept, {refused} not believed",
        cashier.kind,
        sent.len()
    );
}

async fn a_storm_of_wechat_pay_delivers_each_paid_order_once(fresh: &Fresh) {
    Box::pin(survives(fresh, Kind::WeChat)).await;
}
db_test!(wechat, a_storm_of_wechat_pay_delivers_each_paid_order_once);

async fn a_storm_of_alipay_delivers_each_paid_order_once(fresh: &Fresh) {
    Box::pin(survives(fresh, Kind::Alipay)).await;
}
db_test!(alipay, a_storm_of_alipay_delivers_each_paid_order_once);

async fn a_storm_of_stripe_delivers_each_paid_order_once(fresh: &Fresh) {
    Box::pin(survives(fresh, Kind::Stripe)).await;
}
db_test!(stripe, a_storm_of_stripe_delivers_each_paid_order_once);
