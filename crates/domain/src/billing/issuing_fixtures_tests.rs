//! Bills made from a few words: of use beyond the allowance, and of terms.

use super::super::*;
use crate::billing::closing::overage_bill;
use crate::billing::purchasing::line;
use crate::billing::{Coupon, IssuedBill, Reduction, Stretch};
use crate::id::{CouponId, PlanVersionId};
use crate::money::Currency;
use crate::plans::{
    Allowance, Choice, Interval, Meter, MeterCode, MeterDisplay, MeterKind, Offer, OnExhausted, OpenedPeriod, Rounding,
    Subscription, Tariff, Tier, quote,
};
use crate::quantity::Quantity;
use crate::quota::{Counter, Subject};
use serde_json::json;

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn day(text: &str) -> DateTime<Utc> {
    at(&format!("{text}T00:00:00Z"))
}

pub(super) fn money(code: &str, text: &str) -> Money {
    Money::parse(text, Currency::parse(code).unwrap()).unwrap()
}

pub(super) fn catalogue(code: &str) -> Catalogue {
    let document = json!({
        "meters": {}, "plans": {"free": {"price": {"month": format!("0 {code}")}, "meters": {}}},
        "billing": {"currency": code, "time_zone": "UTC", "default_plan": "free"}
    });
    Catalogue::parse(&document).unwrap()
}

// ---- use of a month beyond the allowance

/// A tier up to so many atoms, with the price of so many.
pub(super) type Step = (Option<i64>, i64, &'static str);

pub(super) fn tariff(code: &str, steps: &[Step], round: Rounding) -> Tariff {
    let tier = |(up_to, per, price): &Step| Tier {
        up_to: up_to.map(Quantity::atoms),
        per: Quantity::atoms(*per),
        price: money(code, price),
    };
    Tariff::new(steps.iter().map(tier).collect(), round).unwrap()
}

/// The meters of the default plan, and what its professionals pay.
pub(super) fn professional(meter: &str) -> (u8, i64, Tariff) {
    match meter {
        "words" => (0, 1, tariff("CNY", &[(None, 1000, "0.50")], Rounding::Exact)),
        "storage" => (3, 1024, tariff("CNY", &[(None, 1_024_000, "0.20")], Rounding::Up)),
        "cu" => (3, 1, tariff("CNY", &[(Some(500_000), 1000, "0.10"), (None, 1000, "0.08")], Rounding::Exact)),
        "traffic" => (5, 1024, tariff("CNY", &[(None, 102_400_000, "0.50")], Rounding::Exact)),
        other => unreachable!("{other}"),
    }
}

pub(super) fn told_by(code: &str, scale: u8, per: i64, stretches: Vec<Stretch>, told: Money) -> MeterUse {
    let display = MeterDisplay { name: code.to_owned(), per };
    let meter = MeterCode::parse(code).unwrap();
    MeterUse {
        meter: Meter { code: meter, unit: code.to_owned(), scale, kind: MeterKind::Counter, display },
        stretches,
        told,
        adjusted: Quantity::ZERO,
        billed: Quantity::ZERO,
        billed_fee: Money::zero(told.currency()),
    }
}

pub(super) fn owed(to: i64, tariff: &Tariff) -> Stretch {
    Stretch { to: Quantity::atoms(to), exhausted: Some(OnExhausted::Overage(tariff.clone())) }
}

/// So many atoms beyond the allowance of a professional.
pub(super) fn beyond(meter: &str, atoms: i64) -> MeterUse {
    let (scale, per, tariff) = professional(meter);
    let told = tariff.fee(Quantity::atoms(atoms)).unwrap();
    told_by(meter, scale, per, vec![owed(atoms, &tariff)], told)
}

pub(super) fn month_in(code: &str, uses: Vec<MeterUse>) -> Option<IssuedBill> {
    let (start, catalogue) = (day("2026-11-01"), catalogue(code));
    let (period, version) = (Period { start, end: day("2026-12-01") }, PlanVersionId::new(start));
    let plan = PlanCode::parse("professional").unwrap();
    let opened = OpenedPeriod { period, version, plan, seats: 1, interval: Interval::Month };
    let draft = overage_bill(BillKind::Month, &catalogue, (AccountId::new(start), &opened), uses).unwrap();
    draft.map(|draft| draft.compose(&catalogue, day("2026-12-02")).unwrap())
}

pub(super) fn month(uses: Vec<MeterUse>) -> Option<IssuedBill> {
    month_in("CNY", uses)
}

/// What one tier of a currency makes of some atoms.
pub(super) fn abroad(code: &str, per: i64, price: &str, atoms: i64) -> Option<IssuedBill> {
    let tariff =
        Tariff::new(vec![Tier { up_to: None, per: Quantity::atoms(per), price: money(code, price) }], Rounding::Exact);
    let tariff = tariff.unwrap();
    let told = tariff.fee(Quantity::atoms(atoms)).unwrap();
    month_in(code, vec![told_by("calls", 0, 1, vec![owed(atoms, &tariff)], told)])
}

/// A level of so many atoms that was carried into the month, with 100 GB included.
pub(super) fn carried(level: i64) -> Option<IssuedBill> {
    let (scale, per, tariff) = professional("storage");
    let (before, code) = (Period { start: day("2026-10-01"), end: day("2026-11-01") }, MeterCode::parse("storage"));
    let account = AccountId::new(before.start);
    let mut gauge = Counter::opening(account, Subject::Account, code.unwrap(), before, Currency::CNY);
    gauge.used = Quantity::atoms(level);
    let (now, limit) = (Period { start: before.end, end: day("2026-12-01") }, Quantity::atoms(100 * 1_024_000));
    let terms = OnExhausted::Overage(tariff.clone());
    let opened = gauge.carried_into(now, Allowance::Limited(limit), &terms).unwrap();
    let stretch = owed(opened.drawn.overage.as_atoms(), &tariff);
    month(vec![told_by("storage", scale, per, vec![stretch], opened.drawn.fee)])
}

// ---- terms

pub(super) fn offer(code: &str, plan: &str, interval: Interval, seats: u32, price: &str) -> Offer {
    let version = PlanVersionId::from_uuid(uuid::Uuid::from_u128(plan.len() as u128));
    let choice = Choice { version, plan: PlanCode::parse(plan).unwrap(), interval, seats };
    Offer { choice, price: money(code, price) }
}

/// A plan of a month or a year, and its price.
pub(super) type Sold = (&'static str, Interval, u32, &'static str);

pub(super) const FREE: Sold = ("free", Interval::Month, 1, "0");
pub(super) const PROFESSIONAL: Sold = ("professional", Interval::Month, 1, "99");
pub(super) const YEAR: Sold = ("professional", Interval::Year, 1, "999");

pub(super) const fn seats(count: u32, price: &'static str) -> Sold {
    ("team", Interval::Month, count, price)
}

pub(super) struct Purchase {
    pub(super) code: &'static str,
    pub(super) anchor: &'static str,
    pub(super) from: (Sold, &'static str),
    pub(super) to: Sold,
    pub(super) at: &'static str,
    pub(super) coupon: Option<Reduction>,
}

impl Purchase {
    /// The bill of a change from one plan, for which so much was paid, to another.
    pub(super) fn bill(&self) -> Option<IssuedBill> {
        let sold = |(plan, interval, seats, price): Sold| offer(self.code, plan, interval, seats, price);
        let (old, new, now) = (sold(self.from.0), sold(self.to), at(self.at));
        let began = Subscription::begin(AccountId::new(now), old.choice.clone(), chrono_tz::UTC, day(self.anchor));
        let subscription = began.advance(now, &old.choice).subscription;
        let quoted = quote(&subscription, (&old, money(self.code, self.from.1)), &new, now).unwrap();
        if !quoted.due.is_positive() {
            return None;
        }
        let lines = quoted.lines.iter().map(line).collect();
        let period = Period { start: now, end: quoted.lines.last()?.period.end };
        let draft = Draft::new(subscription.account, BillKind::Subscription, period, new.choice.plan.clone(), lines);
        let discount = self.coupon.map(|reduction| {
            let off = coupon(reduction, now).takes_off(&new.choice.plan, quoted.due, now).unwrap();
            ("SPRING".to_owned(), off)
        });
        let draft = Draft { discount, activates: Some(new.choice), ..draft };
        Some(draft.compose(&catalogue(self.code), now).unwrap())
    }
}

pub(super) fn coupon(reduction: Reduction, now: DateTime<Utc>) -> Coupon {
    Coupon {
        id: CouponId::new(now),
        code: "SPRING".to_owned(),
        reduction,
        max_uses: None,
        uses: 0,
        valid_from: None,
        valid_until: None,
        plan: None,
        disabled: false,
        created_at: now,
        updated_at: now,
    }
}

pub(super) fn change(
    anchor: &'static str,
    from: (Sold, &'static str),
    to: Sold,
    at: &'static str,
) -> Option<IssuedBill> {
    Purchase { code: "CNY", anchor, from, to, at, coupon: None }.bill()
}

/// Professional, bought by somebody whose periods begin on the anchor's day.
pub(super) fn bought(anchor: &'static str, to: Sold, at: &'static str) -> Option<IssuedBill> {
    change(anchor, (FREE, "0"), to, at)
}

pub(super) fn with_coupon(
    reduction: Reduction,
    from: (Sold, &'static str),
    to: Sold,
    at: &'static str,
) -> Option<IssuedBill> {
    let anchor = if at.starts_with("2028-02") { "2028-02-01" } else { "2026-11-01" };
    Purchase { code: "CNY", anchor, from, to, at, coupon: Some(reduction) }.bill()
}

pub(super) fn fixed(amount: &str) -> Reduction {
    Reduction::Fixed(money("CNY", amount))
}
