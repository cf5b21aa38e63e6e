//! Orders and refunds whose outcome the server does not learn: the provider works and the answer is lost, or neither.

use super::{Cashier, cny, count};
use chrono::TimeDelta;
use domain::orders::{Attempt, OrderStatus, PaymentStatus, Refund, RefundStatus, RefundWish};
use fakepay::{Fault, Kind, Misdeed, actions};
use harness::databases::Fresh;
use harness::db_test;

/// Orders per provider, each with an unknown charge and an unknown refund; the full figure is 1,000.
const RUNS: usize = 12;
const BATCH: usize = 10;
/// One in `LATE` is answered after the server has stopped waiting, which takes its time.
const LATE: usize = 50;
const LOST: [Misdeed; 5] =
    [Misdeed::DropAfter, Misdeed::DropBefore, Misdeed::ErrorAfter, Misdeed::ErrorBefore, Misdeed::Garbage];

fn misdeed(run: usize) -> Misdeed {
    if run % LATE == LATE - 1 { Misdeed::Delay(2_000) } else { LOST[run % LOST.len()] }
}

/// The call that does it; the ones that only ask are left alone.
const fn charge_at(kind: Kind) -> &'static str {
    match kind {
        Kind::WeChat => "POST /v3/pay/transactions/native",
        Kind::Alipay => "alipay.trade.precreate",
        Kind::Stripe => "POST /v1/checkout/sessions",
    }
}

const fn refund_at(kind: Kind) -> &'static str {
    match kind {
        Kind::WeChat => "POST /v3/refund",
        Kind::Alipay => "alipay.trade.refund",
        Kind::Stripe => "POST /v1/refunds",
    }
}

impl Cashier {
    fn spoil(&self, at: &str, misdeed: Misdeed) {
        self.fake.shared.clear_faults();
        self.fake.shared.add_fault(Fault::once(self.kind, at, misdeed));
    }

    async fn payment(&self, made: &Attempt) -> domain::orders::Payment {
        self.scene.services.store.payments().find(made.payment.id).await.unwrap().unwrap()
    }

    /// The janitor's rounds: as long as anything is due within the next hours.
    async fn look_after(&self) {
        for _ in 0..6 {
            self.scene.move_clock(self.scene.now() + TimeDelta::minutes(2));
            self.poll().await;
            while self.orders.follow_refunds().await.unwrap() > 0 {}
        }
    }

    async fn refund(&self, made: &Attempt, amount: &str) -> Refund {
        let wish = RefundWish { amount: Some(amount.to_owned()), reason: "test".to_owned(), even_if_used: false };
        let operator = self.scene.operator();
        let once = crate::payments::once(&operator);
        self.orders.refund(&operator, made.payment.id, &wish, &once).await.unwrap().value
    }
}

async fn nothing_is_done_twice(fresh: &Fresh, kind: Kind) {
    let mut cashier = Cashier::new(&fresh.url, kind).await;
    let runs = count("SUANPAN_UNKNOWN_RUNS", RUNS);
    let (mut orders, mut refunds) = (Vec::new(), Vec::new());
    // Few at once: an order is closed when its time is over.
    while orders.len() < runs {
        let batch = BATCH.min(runs - orders.len());
        let placed = charge(&mut cashier, orders.len(), batch).await;
        refunds.extend(pay_back(&cashier, orders.len(), &placed).await);
        orders.extend(placed);
    }
    assert_eq!(cashier.fake.shared.book().trades(kind).count(), runs, "{kind:?}: one trade per order");
    check(&cashier, &orders, &refunds).await;
    println!("{kind:?}: {runs} charges and {runs} refunds of unknown outcome, each done once");
}

async fn charge(cashier: &mut Cashier, first: usize, batch: usize) -> Vec<Attempt> {
    let kind = cashier.kind;
    let mut placed = Vec::new();
    for run in first..first + batch {
        cashier.spoil(charge_at(kind), misdeed(run));
        let made = cashier.top_up("10.00").await;
        assert_eq!(made.payment.status, PaymentStatus::Unknown, "{kind:?} {run}");
        placed.push(made);
    }
    cashier.fake.shared.clear_faults();
    cashier.look_after().await;
    for made in &placed {
        assert_eq!(cashier.payment(made).await.status, PaymentStatus::Pending, "{kind:?}");
    }
    placed
}

async fn pay_back(cashier: &Cashier, first: usize, placed: &[Attempt]) -> Vec<Refund> {
    let kind = cashier.kind;
    let mut refunds = Vec::new();
    for made in placed {
        cashier.pay(made);
    }
    for (made, run) in placed.iter().zip(first..) {
        cashier.orders.came_back(made.payment.id).await.unwrap();
        assert_eq!(cashier.status(made).await, OrderStatus::Delivered, "{kind:?} {run}");
        cashier.spoil(refund_at(kind), misdeed(run));
        let refund = cashier.refund(made, "4.00").await;
        assert_eq!(refund.status, RefundStatus::Unknown, "{kind:?} {run} {:?}", misdeed(run));
        refunds.push(refund);
    }
    cashier.fake.shared.clear_faults();
    cashier.look_after().await;
    refunds
}

async fn check(cashier: &Cashier, orders: &[Attempt], refunds: &[Refund]) {
    for (made, refund) in orders.iter().zip(refunds) {
        let found = cashier.scene.services.store.refunds().find(refund.id).await.unwrap().unwrap();
        assert_eq!(found.status, RefundStatus::Succeeded, "{:?}", cashier.kind);
        assert_eq!(cashier.payment(made).await.status, PaymentStatus::PartiallyRefunded);
        let number = made.payment.number().to_string();
        assert_eq!(cashier.fake.shared.book().refunded(cashier.kind, &number), 400, "{:?}", cashier.kind);
    }
    let left = i64::try_from(orders.len()).unwrap() * cny("6.00").nanos();
    assert_eq!(cashier.balance().await.nanos(), left);
    let paid = cashier.fake.shared.book().trades(cashier.kind).filter(|trade| trade.paid_at.is_some()).count();
    assert_eq!(paid, orders.len());
    let told = actions::messages(&cashier.fake.shared, cashier.kind, None).len();
    assert!(told >= orders.len(), "{told}");
}

async fn wechat_pay_charges_and_refunds_once(fresh: &Fresh) {
    Box::pin(nothing_is_done_twice(fresh, Kind::WeChat)).await;
}
db_test!(wechat, wechat_pay_charges_and_refunds_once);

async fn alipay_charges_and_refunds_once(fresh: &Fresh) {
    Box::pin(nothing_is_done_twice(fresh, Kind::Alipay)).await;
}
db_test!(alipay, alipay_charges_and_refunds_once);

async fn stripe_charges_and_refunds_once(fresh: &Fresh) {
    Box::pin(nothing_is_done_twice(fresh, Kind::Stripe)).await;
}
db_test!(stripe, stripe_charges_and_refunds_once);
