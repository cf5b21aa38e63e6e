//! A year of a professional user: bought, used beyond, upgraded, downgraded, given back, unpaid and suspended, recovered,
//! late, paid for a year with a coupon. Every bill equals what it is derived from, month by month.

use chrono::{DateTime, TimeDelta, Utc};
use domain::billing::{BillKind, BillStatus, CouponWish, IssuedBill, RefundTo, RefundWish};
use domain::change::Change;
use domain::plans::{Interval, PlanCode, PlanWish, SubscriptionStatus};
use domain::time::Period;
use harness::bills::{MINE, amounts, cny, once, wish};
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene, command};

/// Storage is counted in thousandths of a MB, computing units in thousandths.
const GB: i64 = 1024 * 1000;
const CU: i64 = 1000;
/// Overage is billed at once for each 100 yuan.
const SETTINGS: [(&str, &str); 1] = [("SUANPAN__BILLING__INTERIM_OVERAGE", "100.00 CNY")];
/// Noon in Shanghai on the 31st of January of a leap year: half of the first day is over.
const BEGIN: &str = "2028-01-31T04:00:00Z";

struct Year<'a> {
    scene: Scene,
    customer: Customer,
    fresh: &'a Fresh,
    uses: std::cell::Cell<u32>,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Midnight in Shanghai.
fn day(text: &str) -> DateTime<Utc> {
    at(&format!("{text}T00:00:00+08:00"))
}

impl<'a> Year<'a> {
    async fn begin(fresh: &'a Fresh) -> Self {
        let scene = Scene::with(&fresh.url, &SETTINGS).await;
        scene.move_clock(at(BEGIN));
        let customer = scene.customer(None).await;
        scene.correct(customer.account, "5000").await;
        Self { scene, customer, fresh, uses: std::cell::Cell::new(0) }
    }

    async fn uses(&self, meter: &str, atoms: i64) {
        self.uses.set(self.uses.get() + 1);
        let key = format!("use {}", self.uses.get());
        self.scene.consume_one(command(self.customer.account, meter, atoms, &key)).await.unwrap();
    }

    async fn late(&self, meter: &str, atoms: i64, occurred_at: DateTime<Utc>) {
        let mut late = command(self.customer.account, meter, atoms, "late");
        late.occurred_at = Some(occurred_at);
        assert!(self.scene.consume_one(late).await.unwrap().record.adjustment);
    }

    /// Lets days pass, each with a round of the loops.
    async fn pass_to(&self, date: &str) {
        let to = day(date) + TimeDelta::hours(12);
        while self.scene.now() < to {
            self.scene.pass_to((self.scene.now() + TimeDelta::days(1)).min(to)).await;
        }
    }

    async fn buy(&self, wish: &PlanWish, coupon: Option<&str>) -> IssuedBill {
        let bought = self.scene.services.billing.subscribe(&self.customer.actor, &MINE, wish, coupon).await.unwrap();
        bought.bill.unwrap()
    }

    async fn pay(&self, issued: &IssuedBill) {
        self.scene.pay(&self.customer, issued.bill.id).await;
    }

    /// The last bill of a kind.
    async fn last(&self, kind: BillKind) -> IssuedBill {
        self.scene.bills_of(self.customer.account, kind).await.pop().unwrap()
    }

    async fn count(&self, kind: BillKind) -> usize {
        self.scene.bills_of(self.customer.account, kind).await.len()
    }

    /// What the last bill of a kind asks for, which is paid now.
    async fn settle(&self, kind: BillKind) -> String {
        let issued = self.last(kind).await;
        assert_eq!(issued.bill.status, BillStatus::Unpaid);
        self.pay(&issued).await;
        amounts(&issued)
    }

    async fn standing(&self) -> (String, SubscriptionStatus, Period) {
        let subscription = self.scene.subscription(&self.customer).await;
        (subscription.chosen.plan.as_str().to_owned(), subscription.status, subscription.period)
    }

    async fn agrees(&self) {
        self.scene.assert_books_agree(self.fresh).await;
    }

    async fn refund(&self, issued: &IssuedBill, amount: &str) {
        let wish = RefundWish { amount: Some(amount.to_owned()), to: RefundTo::Wallet, reason: "an outage".to_owned() };
        let billing = &self.scene.services.billing;
        billing.refund(&self.scene.operator(), issued.bill.id, &wish, &once(&self.customer)).await.unwrap();
    }
}

/// From the purchase on the 31st of January to the end of February.
async fn first_month(year: &Year<'_>) {
    let bought = year.buy(&wish("professional"), None).await;
    // 99 × 0.5/29 = 1.707 → 1.71; 99 − 1.71.
    assert_eq!(amounts(&bought), "97.29");
    year.pay(&bought).await;
    assert_eq!(year.standing().await.2, Period { start: day("2028-01-31"), end: day("2028-02-29") });
    year.uses("words", 305_001).await;
    year.uses("storage", 110 * GB).await;
    year.uses("cu", 1_100 * CU).await;
    year.pass_to("2028-02-23").await;
    // The next term is billed a week ahead.
    assert_eq!(year.settle(BillKind::Subscription).await, "99.00");
    year.pass_to("2028-02-29").await;
    // 500 × 0.10 and 100 × 0.08; 10 × 0.20; 5.001 × 0.50 = 2.5005.
    assert_eq!(year.settle(BillKind::Month).await, "50.00 8.00 2.00 2.50");
    year.agrees().await;
}

/// A team from the middle of March on, and professional again when the term ends.
async fn up_and_down(year: &Year<'_>) {
    assert_eq!(year.standing().await.2, Period { start: day("2028-02-29"), end: day("2028-03-31") });
    year.uses("words", 320_000).await;
    year.pass_to("2028-03-15").await;
    let upgrade = year.buy(&wish("team"), None).await;
    // 15.5 of 31 days are over: 99 × 15.5/31 = 49.50; 297 × 15.5/31 = 148.50.
    assert_eq!(amounts(&upgrade), "-49.50 148.50");
    year.pay(&upgrade).await;
    assert_eq!(year.standing().await.0, "team");
    // 900 000 are included now, and 300 000 of them were used: 10 000 beyond.
    year.uses("words", 610_000).await;
    let down = year.scene.services.billing.subscribe(&year.customer.actor, &MINE, &wish("professional"), None).await;
    assert!(down.unwrap().bill.is_none(), "a downgrade waits and costs nothing");
    year.pass_to("2028-03-25").await;
    let renewal = year.last(BillKind::Subscription).await;
    assert_eq!((renewal.bill.plan.as_str(), amounts(&renewal)), ("professional", "99.00".to_owned()));
    year.pay(&renewal).await;
    year.pass_to("2028-03-31").await;
    assert_eq!(year.standing().await.0, "professional");
    // 110 GB were carried over and are 10 too many for a professional; 20 × 0.50 by one plan, 10 × 0.50 by the other.
    assert_eq!(year.settle(BillKind::Month).await, "2.00 10.00 5.00");
    year.agrees().await;
}

/// April, with a refund of a part of the term's fee.
async fn given_back(year: &Year<'_>) {
    assert_eq!(year.standing().await.2, Period { start: day("2028-03-31"), end: day("2028-04-30") });
    let term = year.last(BillKind::Subscription).await;
    let before = year.scene.balance(year.customer.account).await;
    year.refund(&term, "20.00").await;
    let after = cny(&before).checked_add(cny("20")).unwrap();
    assert_eq!(year.scene.balance(year.customer.account).await, after.to_decimal());
    year.uses("storage", -30 * GB).await;
    year.pass_to("2028-04-24").await;
    assert_eq!(year.settle(BillKind::Subscription).await, "99.00");
    year.pass_to("2028-04-30").await;
    // The level fell, and the peak of the period was carried over into it.
    assert_eq!(year.settle(BillKind::Month).await, "2.00");
    year.agrees().await;
}

/// May's use is not paid in June: past due, suspended, and well again.
async fn unpaid(year: &Year<'_>) {
    assert_eq!(year.standing().await.2, Period { start: day("2028-04-30"), end: day("2028-05-31") });
    year.uses("words", 340_000).await;
    year.pass_to("2028-05-25").await;
    assert_eq!(year.settle(BillKind::Subscription).await, "99.00");
    year.pass_to("2028-06-01").await;
    let month = year.last(BillKind::Month).await;
    assert_eq!(amounts(&month), "20.00");
    year.pass_to("2028-06-09").await;
    assert_eq!(year.standing().await.1, SubscriptionStatus::PastDue);
    year.uses("words", 1).await;
    year.pass_to("2028-06-16").await;
    assert_eq!(year.standing().await.1, SubscriptionStatus::Suspended);
    let refused = year.scene.consume_one(command(year.customer.account, "words", 1, "suspended")).await;
    assert!(refused.is_err());
    year.agrees().await;
    year.pay(&month).await;
    assert_eq!(year.standing().await.1, SubscriptionStatus::Active);
    year.uses("words", 299_999).await;
    // Use of May that comes now is on June's bill.
    year.late("words", 4_000, day("2028-05-30")).await;
    year.pass_to("2028-06-24").await;
    assert_eq!(year.settle(BillKind::Subscription).await, "99.00");
    year.pass_to("2028-07-01").await;
    let june = year.last(BillKind::Month).await;
    assert_eq!((amounts(&june), june.lines[0].kind.name()), ("2.00".to_owned(), "adjustment"));
    year.pay(&june).await;
    year.agrees().await;
}

/// From July on the year is paid at once, with a coupon, and what is used beyond from the balance.
async fn whole_year(year: &Year<'_>) {
    assert_eq!(year.standing().await.2, Period { start: day("2028-06-30"), end: day("2028-07-31") });
    let coupon = CouponWish {
        code: "SUMMER".to_owned(),
        percent: Some(10),
        amount: None,
        max_uses: Some(1),
        valid_from: None,
        valid_until: None,
        plan: None,
    };
    year.scene.services.billing.make_coupon(&year.scene.operator(), &coupon).await.unwrap();
    let yearly =
        PlanWish { plan: PlanCode::parse("professional").unwrap(), interval: Some(Interval::Year), seats: None };
    year.pass_to("2028-07-10").await;
    let bought = year.buy(&yearly, Some("SUMMER")).await;
    // 10.5 of 31 days, and of 365, are over: 99 × 10.5/31 = 33.532 → 33.53; 999 × 10.5/365 = 28.738 → 28.74.
    assert_eq!(amounts(&bought), "-65.47 970.26");
    assert_eq!(bought.bill.totals.discount, cny("90.48"), "a tenth of 904.79, to the fen");
    year.pay(&bought).await;
    let keep = Change::Keep;
    year.scene.services.subscriptions.prefer(&year.customer.actor, &MINE, keep, Some(true)).await.unwrap();
    let months = ["2028-07-31", "2028-08-31", "2028-09-30", "2028-10-31", "2028-11-30", "2028-12-31", "2029-01-31"];
    for month in months {
        // 100 GB of storage are included, of which 80 are in use.
        year.uses("storage", 5 * GB).await;
        year.uses("words", 510_000).await;
        year.scene.pass(1).await;
        year.uses("words", 20_000).await;
        year.pass_to(month).await;
        year.agrees().await;
    }
    assert_eq!(year.count(BillKind::Overage).await, months.len(), "each month 100 yuan were passed once");
    let interim = year.last(BillKind::Overage).await;
    assert_eq!((amounts(&interim), interim.bill.status), ("3.00 105.00".to_owned(), BillStatus::Paid));
    // 80 + 7 × 5 GB = 115 GB, of which the interim bill has 15 already.
    let month = year.last(BillKind::Month).await;
    assert_eq!((amounts(&month), month.bill.status), ("10.00".to_owned(), BillStatus::Paid));
}

/// The paper of each bill, in both languages.
#[cfg(feature = "pdf")]
async fn every_bill_has_its_paper(year: &Year<'_>) {
    use domain::notices::Locale;
    for (number, issued) in year.scene.bills(year.customer.account).await.iter().enumerate() {
        for (name, locale) in [("en", Locale::English), ("zh", Locale::Chinese)] {
            let receipts = &year.scene.services.receipts;
            let file = receipts.pdf(&year.customer.actor, issued.bill.id, Some(locale)).await.unwrap();
            assert!(file.starts_with(b"%PDF-1.") && file.trim_ascii_end().ends_with(b"%%EOF"));
            crate::http::receipts::files::keep(&format!("year-{number:02}-{}-{name}", issued.bill.kind.name()), &file);
        }
    }
}

async fn a_professional_user_for_a_year(fresh: &Fresh) {
    let year = Year::begin(fresh).await;
    first_month(&year).await;
    up_and_down(&year).await;
    given_back(&year).await;
    unpaid(&year).await;
    whole_year(&year).await;
    assert_eq!(year.standing().await.2, Period { start: day("2029-01-31"), end: day("2029-02-28") });
    let bills = year.scene.bills(year.customer.account).await;
    assert!(bills.iter().all(|issued| issued.bill.status == BillStatus::Paid), "everything is paid");
    let paid =
        bills.iter().filter(|issued| issued.bill.kind != BillKind::Refund).map(|issued| issued.bill.totals.total);
    let paid = paid.fold(cny("0"), |sum, total| sum.checked_add(total).unwrap());
    let left = cny("5020").checked_sub(paid).unwrap();
    assert_eq!(year.scene.balance(year.customer.account).await, left.to_decimal(), "the balance less what was paid");
    #[cfg(feature = "pdf")]
    every_bill_has_its_paper(&year).await;
}

db_test!(year, a_professional_user_for_a_year);
