//! Whole bills against sums made by hand. Each case says its sum; amounts are what a bill prints.

use super::*;
use crate::billing::{IssuedBill, Reduction, Stretch};
use crate::plans::{Interval, OnExhausted, Rounding};
use crate::quantity::Quantity;
use fixtures::*;

#[path = "issuing_fixtures_tests.rs"]
mod fixtures;

struct Case {
    name: &'static str,
    sum: &'static str,
    /// `None`: nothing is billed.
    bill: Option<IssuedBill>,
    lines: &'static str,
    /// Base, overage, discount and total.
    totals: &'static str,
}

macro_rules! table {
    ($($name:literal, $sum:literal: $bill:expr => $lines:literal, $totals:literal;)+) => {
        vec![$(Case { name: $name, sum: $sum, bill: $bill, lines: $lines, totals: $totals }),+]
    };
}

fn tiers() -> Vec<Case> {
    table! {
        "nothing was used", "0": month(vec![beyond("words", 0)]) => "", "none";
        "nine words", "9 × 0.0005 = 0.0045, less than half a fen": month(vec![beyond("words", 9)]) => "", "none";
        "ten words", "10 × 0.0005 = 0.005 → 0.01": month(vec![beyond("words", 10)]) => "0.01", "0.00 0.01 0.00 0.01";
        "one and a half thousand words", "1.5 × 0.50": month(vec![beyond("words", 1500)]) => "0.75", "0.00 0.75 0.00 0.75";
        "one word more", "5.001 × 0.50 = 2.5005 → 2.50": month(vec![beyond("words", 5001)]) => "2.50", "0.00 2.50 0.00 2.50";
        "just below a tier's edge", "499.999 × 0.10 = 49.9999 → 50.00": month(vec![beyond("cu", 499_999)])
            => "50.00", "0.00 50.00 0.00 50.00";
        "at a tier's edge", "500 × 0.10": month(vec![beyond("cu", 500_000)]) => "50.00", "0.00 50.00 0.00 50.00";
        "just above it", "50.00 + 0.001 × 0.08 = 50.00008 → 50.00": month(vec![beyond("cu", 500_001)])
            => "50.00 0.00", "0.00 50.00 0.00 50.00";
        "one unit above it", "50.00 + 1 × 0.08": month(vec![beyond("cu", 501_000)]) => "50.00 0.08", "0.00 50.08 0.00 50.08";
        "far above it", "50.00 + 500 × 0.08 = 50.00 + 40.00": month(vec![beyond("cu", 1_000_000)])
            => "50.00 40.00", "0.00 90.00 0.00 90.00";
        "ten megabytes of traffic", "10 ÷ 1024 × 0.50 = 0.00488": month(vec![beyond("traffic", 1_000_000)]) => "", "none";
        "eleven megabytes", "11 ÷ 1024 × 0.50 = 0.00537 → 0.01": month(vec![beyond("traffic", 1_100_000)])
            => "0.01", "0.00 0.01 0.00 0.01";
        "every meter", "50.00 + 100 × 0.08; 3 × 0.20; 2 × 0.50; 12.345 × 0.50 = 6.1725 → 6.17":
            month(vec![beyond("cu", 600_000), beyond("storage", 3 * 1_024_000), beyond("traffic", 2 * 102_400_000),
                beyond("words", 12_345)])
            => "50.00 8.00 0.60 1.00 6.17", "0.00 65.77 0.00 65.77";
    }
}

fn gauges() -> Vec<Case> {
    table! {
        "a thousandth of a megabyte too much", "a started GB × 0.20": month(vec![beyond("storage", 1)])
            => "0.20", "0.00 0.20 0.00 0.20";
        "a whole gigabyte too much", "1 × 0.20": month(vec![beyond("storage", 1_024_000)]) => "0.20", "0.00 0.20 0.00 0.20";
        "and a little", "2 started × 0.20": month(vec![beyond("storage", 1_024_001)]) => "0.40", "0.00 0.40 0.00 0.40";
        "150 GB carried over", "(150 − 100) × 0.20": carried(150 * 1_024_000) => "10.00", "0.00 10.00 0.00 10.00";
        "100 GB carried over", "100 − 100 = 0": carried(100 * 1_024_000) => "", "none";
        "100 GB and a little carried over", "1 started × 0.20": carried(100 * 1_024_000 + 1)
            => "0.20", "0.00 0.20 0.00 0.20";
    }
}

fn parts_of_periods() -> Vec<Case> {
    let late = MeterUse { adjusted: Quantity::atoms(150_000), ..beyond("cu", 600_000) };
    let (billed, billed_fee) = (Quantity::atoms(400_003), money("CNY", "40.00"));
    let rest = MeterUse { billed, billed_fee, ..beyond("cu", 600_000) };
    let (_, _, cheap) = professional("words");
    let dear = tariff("CNY", &[(None, 1000, "1.00")], Rounding::Exact);
    let both = told_by("words", 0, 1, vec![owed(2000, &cheap), owed(5000, &dear)], money("CNY", "4.00"));
    let paid = Stretch { to: Quantity::atoms(2000), exhausted: Some(OnExhausted::Wallet(cheap.clone())) };
    let prepaid = told_by("words", 0, 1, vec![paid, owed(5000, &cheap)], money("CNY", "2.50"));
    table! {
        "150 units came late", "450 × 0.10; late: 50 × 0.10, 100 × 0.08": month(vec![late])
            => "45.00 5.00 8.00", "0.00 58.00 0.00 58.00";
        "400.003 units were billed before", "58.00 − 40.00: the first tier's rest 50.00 − 40.00, 100 × 0.08": month(vec![rest])
            => "10.00 8.00", "0.00 18.00 0.00 18.00";
        "a dearer plan from 2,000 words on", "2 × 0.50; 3 × 1.00": month(vec![both]) => "1.00 3.00", "0.00 4.00 0.00 4.00";
        "the wallet paid the first 2,000 words", "3 × 0.50": month(vec![prepaid]) => "1.50", "0.00 1.50 0.00 1.50";
    }
}

fn proration() -> Vec<Case> {
    table! {
        "the first second of a month", "99": bought("2027-01-01", PROFESSIONAL, "2027-01-01T00:00:00Z")
            => "99.00", "99.00 0.00 0.00 99.00";
        "half of November", "99 − 99 × 15/30 = 49.50": bought("2026-11-01", PROFESSIONAL, "2026-11-16T00:00:00Z")
            => "49.50", "49.50 0.00 0.00 49.50";
        "half of February", "99 − 99 × 14/28 = 49.50": bought("2027-02-01", PROFESSIONAL, "2027-02-15T00:00:00Z")
            => "49.50", "49.50 0.00 0.00 49.50";
        "the same day of a leap year", "99 × 14/29 = 47.793 → 47.79; 99 − 47.79":
            bought("2028-02-01", PROFESSIONAL, "2028-02-15T00:00:00Z") => "51.21", "51.21 0.00 0.00 51.21";
        "the 29th of February", "99 × 28/29 = 95.586 → 95.59; 99 − 95.59":
            bought("2028-02-01", PROFESSIONAL, "2028-02-29T00:00:00Z") => "3.41", "3.41 0.00 0.00 3.41";
        "the last hour of November", "99 × 719/720 = 98.8625 → 98.86; 99 − 98.86":
            bought("2026-11-01", PROFESSIONAL, "2026-11-30T23:00:00Z") => "0.14", "0.14 0.00 0.00 0.14";
        "its last second", "99 × 2,591,999/2,592,000 = 98.99996 → 99.00; nothing is left":
            bought("2026-11-01", PROFESSIONAL, "2026-11-30T23:59:59Z") => "", "none";
        "a whole year", "999": bought("2027-01-01", YEAR, "2027-01-01T00:00:00Z") => "999.00", "999.00 0.00 0.00 999.00";
        "a year over a leap day", "999 × 8/366 = 21.836 → 21.84; 999 − 21.84":
            bought("2027-06-01", YEAR, "2027-06-09T00:00:00Z") => "977.16", "977.16 0.00 0.00 977.16";
        "from the 31st of January in a leap year", "99 × 10/29 = 34.138 → 34.14; 99 − 34.14":
            bought("2028-01-31", PROFESSIONAL, "2028-02-10T00:00:00Z") => "64.86", "64.86 0.00 0.00 64.86";
        "the period after it, back to the 31st", "29 Feb to 31 Mar: 99 × 10/31 = 31.935 → 31.94; 99 − 31.94":
            bought("2028-01-31", PROFESSIONAL, "2028-03-10T00:00:00Z") => "67.06", "67.06 0.00 0.00 67.06";
        "the one after that, to the 30th", "31 Mar to 30 Apr: 99 − 99 × 15/30":
            bought("2028-01-31", PROFESSIONAL, "2028-04-15T00:00:00Z") => "49.50", "49.50 0.00 0.00 49.50";
        "from the 31st of January in another year", "31 Jan to 28 Feb: 99 − 99 × 14/28":
            bought("2027-01-31", PROFESSIONAL, "2027-02-14T00:00:00Z") => "49.50", "49.50 0.00 0.00 49.50";
    }
}

fn upgrades() -> Vec<Case> {
    let november = "2026-11-01";
    table! {
        "from one person to a team, half-way", "−99 × 15/30; 297 × 15/30":
            change(november, (PROFESSIONAL, "99"), seats(3, "297"), "2026-11-16T00:00:00Z")
            => "-49.50 148.50", "99.00 0.00 0.00 99.00";
        "no more credit than was paid", "49.50 is left of 99, and 30.00 were paid; 297 × 15/30":
            change(november, (PROFESSIONAL, "30"), seats(3, "297"), "2026-11-16T00:00:00Z")
            => "-30.00 148.50", "118.50 0.00 0.00 118.50";
        "two more seats, half-way", "−297 × 15/30; 495 × 15/30":
            change(november, (seats(3, "297"), "297"), seats(5, "495"), "2026-11-16T00:00:00Z")
            => "-148.50 247.50", "99.00 0.00 0.00 99.00";
        "two more seats for a third", "−(297 − 198); 495 − 330":
            change(november, (seats(3, "297"), "297"), seats(5, "495"), "2026-11-21T00:00:00Z")
            => "-99.00 165.00", "66.00 0.00 0.00 66.00";
        "one more seat in a leap February", "297 × 10/29 = 102.414 → 102.41, −194.59; 396 × 10/29 = 136.552 → 136.55, 259.45":
            change("2028-02-01", (seats(3, "297"), "297"), seats(4, "396"), "2028-02-11T00:00:00Z")
            => "-194.59 259.45", "64.86 0.00 0.00 64.86";
        "from a month to a year", "−(99 − 33); 999 × 10/365 = 27.370 → 27.37, 971.63":
            change(november, (PROFESSIONAL, "99"), YEAR, "2026-11-11T00:00:00Z")
            => "-66.00 971.63", "905.63 0.00 0.00 905.63";
    }
}

fn coupons() -> Vec<Case> {
    let (whole, half) = ("2026-11-01T00:00:00Z", "2026-11-16T00:00:00Z");
    let free = (FREE, "0");
    table! {
        "a tenth", "99 × 10 %": with_coupon(Reduction::Percent(10), free, PROFESSIONAL, whole)
            => "99.00", "99.00 0.00 9.90 89.10";
        "a third, nearly", "99 × 33 % = 32.67": with_coupon(Reduction::Percent(33), free, PROFESSIONAL, whole)
            => "99.00", "99.00 0.00 32.67 66.33";
        "of a part of a leap February", "51.21 × 15 % = 7.6815 → 7.68":
            with_coupon(Reduction::Percent(15), free, PROFESSIONAL, "2028-02-15T00:00:00Z")
            => "51.21", "51.21 0.00 7.68 43.53";
        "twenty yuan", "99 − 20": with_coupon(fixed("20"), free, PROFESSIONAL, whole) => "99.00", "99.00 0.00 20.00 79.00";
        "more than is due", "99 − 99": with_coupon(fixed("200"), free, PROFESSIONAL, whole)
            => "99.00", "99.00 0.00 99.00 0.00";
        "everything", "100 %": with_coupon(Reduction::Percent(100), free, PROFESSIONAL, whole)
            => "99.00", "99.00 0.00 99.00 0.00";
        "of what an upgrade costs after its credit", "(148.50 − 49.50) × 10 %":
            with_coupon(Reduction::Percent(10), (PROFESSIONAL, "99"), seats(3, "297"), half)
            => "-49.50 148.50", "99.00 0.00 9.90 89.10";
    }
}

fn currencies() -> Vec<Case> {
    let yen = |anchor, at, price, coupon| {
        let to = ("professional", Interval::Month, 1, price);
        Purchase { code: "JPY", anchor, from: (FREE, "0"), to, at, coupon }.bill()
    };
    table! {
        "half a yen", "5/10 × 7 = 3.5 → 4": abroad("JPY", 10, "7", 5) => "4", "0 4 0 4";
        "less than half a yen more", "4/10 × 8 = 3.2 → 3": abroad("JPY", 10, "8", 4) => "3", "0 3 0 3";
        "half a fils", "1/2 × 0.001 = 0.0005 → 0.001": abroad("KWD", 2, "0.001", 1) => "0.001", "0.000 0.001 0.000 0.001";
        "half a cent", "1/2 × 0.01 = 0.005 → 0.01": abroad("USD", 2, "0.01", 1) => "0.01", "0.00 0.01 0.00 0.01";
        "a part of a month in yen", "990 × 10/29 = 341.379 → 341; 990 − 341":
            yen("2028-02-01", "2028-02-11T00:00:00Z", "990", None) => "649", "649 0 0 649";
        "a tenth of a yen price", "95 × 10 % = 9.5 → 10":
            yen("2026-11-01", "2026-11-01T00:00:00Z", "95", Some(Reduction::Percent(10))) => "95", "95 0 10 85";
    }
}

/// At least so many cases were promised.
const PROMISED: usize = 40;

#[test]
fn bills_equal_the_sums_made_by_hand() {
    let parts = [tiers(), gauges(), parts_of_periods(), proration(), upgrades(), coupons(), currencies()];
    let cases: Vec<Case> = parts.into_iter().flatten().collect();
    assert!(cases.len() >= PROMISED, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for Case { name, sum, bill, lines, totals } in &cases {
        let (printed, summed) = match bill {
            None => (String::new(), "none".to_owned()),
            Some(issued) => printed(issued),
        };
        if (printed.as_str(), summed.as_str()) != (*lines, *totals) {
            wrong.push(format!("{name}: {sum}: expected {lines:?} {totals:?}, got {printed:?} {summed:?}"));
        }
        if let Some(issued) = bill {
            let settled = issued.bill.totals.total.is_zero();
            assert_eq!(issued.bill.status == BillStatus::Paid, settled, "{name}: a bill over nothing is paid");
            let discounts = issued.lines.iter().map(|line| line.discount.nanos()).sum::<i64>();
            assert_eq!(discounts, issued.bill.totals.discount.nanos(), "{name}: the discount is spread over the lines");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn printed(issued: &IssuedBill) -> (String, String) {
    let lines: Vec<_> = issued.lines.iter().map(|line| line.amount.to_decimal()).collect();
    let Totals { base, overage, discount, total } = issued.bill.totals;
    let totals = [base, overage, discount, total].map(Money::to_decimal);
    (lines.join(" "), totals.join(" "))
}
