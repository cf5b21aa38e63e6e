//! Bills in the words of their receipts.

use super::*;
use crate::billing::{BillMethod, Chased, IssuedBill, Shown, Totals};
use crate::id::{AccountId, BillId, BillPaymentId};
use crate::money::Currency;
use crate::plans::{Interval, MeterCode};
use crate::quantity::Quantity;
use crate::wallet::Provider;
use serde_json::json;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

/// Midnight in Shanghai.
fn day(month: u32, day: u32) -> DateTime<Utc> {
    let midnight = NaiveDate::from_ymd_opt(2026, month, day).unwrap().and_hms_opt(0, 0, 0).unwrap();
    midnight.and_local_timezone(chrono_tz::Asia::Shanghai).unwrap().to_utc()
}

fn catalogue() -> Catalogue {
    let document = json!({
        "meters": {"storage": {"unit": "MB", "scale": 3, "kind": "gauge", "display": {"name": "GB", "per": 1024}}},
        "plans": {
            "free": {"price": {"month": "0 CNY"}, "meters": {}},
            "pro": {"name": "专业版", "price": {"month": "99 CNY"}, "meters": {}},
        },
        "billing": {
            "currency": "CNY", "time_zone": "Asia/Shanghai",
            "seller": {"name": "算盘科技", "address": "杭州市", "tax_id": "91350100M000100Y43", "contact": "0571"},
        },
    });
    Catalogue::parse(&document).unwrap()
}

fn line(kind: LineKind, amount: &str) -> BillLine {
    BillLine {
        number: 1,
        kind,
        plan: PlanCode::parse("pro").unwrap(),
        version: None,
        interval: Some(Interval::Month),
        seats: 1,
        period: Period { start: day(10, 21), end: day(11, 21) },
        used: None,
        tier: None,
        amount: cny(amount),
        discount: cny("0"),
    }
}

/// Of an overage between two positions, priced for each thousand MB.
fn used(kind: LineKind, from: i64, up_to: Option<i64>) -> BillLine {
    let shown = |atoms| Quantity::atoms(atoms);
    let used = Shown {
        meter: MeterCode::parse("storage").unwrap(),
        quantity: shown(1),
        display: "41500.5".to_owned(),
        unit: "GB".to_owned(),
    };
    let tier = PricedBy {
        from: shown(from),
        up_to: up_to.map(shown),
        per: shown(1_000_000),
        per_text: "1000".to_owned(),
        per_unit: "MB".to_owned(),
        price: cny("0.5"),
    };
    BillLine { used: Some(used), tier: Some(tier), interval: None, ..line(kind, "20.75") }
}

fn view(kind: BillKind, lines: Vec<BillLine>) -> BillView {
    let totals = Totals::of(&lines, cny("0")).unwrap();
    let bill = Bill {
        id: BillId::from_uuid(uuid::Uuid::from_u128(7)),
        account: AccountId::from_uuid(uuid::Uuid::from_u128(1)),
        kind,
        status: BillStatus::Unpaid,
        period: Period { start: day(10, 21), end: day(11, 21) },
        month: "2026-10".to_owned(),
        plan: PlanCode::parse("pro").unwrap(),
        totals,
        refunded: cny("0"),
        refund_of: None,
        activates: None,
        coupon: None,
        remark: None,
        issued_at: day(11, 21),
        due_at: day(11, 28),
        paid_at: None,
        voided_at: None,
        chased: Chased::Issued,
        chase_at: None,
        updated_at: day(11, 21),
    };
    BillView { issued: IssuedBill { bill, lines, overages: Vec::new() }, payments: Vec::new() }
}

fn receipt(view: &BillView, locale: Locale) -> Receipt {
    let buyer = Party { name: "王小明".to_owned(), lines: Vec::new() };
    Describer::new(&catalogue(), locale).receipt(view, buyer).unwrap()
}

/// Description, quantity and rate of the only line.
fn said(line: BillLine, locale: Locale) -> (String, String, String) {
    let line = receipt(&view(BillKind::Month, vec![line]), locale).lines.remove(0);
    (line.description, line.quantity, line.rate)
}

fn texts(texts: [&str; 3]) -> (String, String, String) {
    let [description, quantity, rate] = texts.map(str::to_owned);
    (description, quantity, rate)
}

#[test]
fn a_term_says_its_plan_its_days_and_more_seats_than_one() {
    let team = || BillLine { seats: 3, ..line(LineKind::Base, "297") };
    let chinese = texts(["专业版（月付），2026-10-21 至 2026-11-20", "3 席位", ""]);
    assert_eq!(said(team(), Locale::Chinese), chinese);
    let english = texts(["专业版, monthly, 2026-10-21 – 2026-11-20", "3 seats", ""]);
    assert_eq!(said(team(), Locale::English), english);
    assert_eq!(said(line(LineKind::Base, "99"), Locale::English).1, "");
    let gone = BillLine { plan: PlanCode::parse("old").unwrap(), ..line(LineKind::Credit, "-9") };
    assert_eq!(said(gone, Locale::English).0, "Unused part of old, 2026-10-21 – 2026-11-20");
}

#[test]
fn overage_says_what_was_used_which_part_of_the_tariff_and_its_rate() {
    let rated = |description| texts([description, "41,500.5 GB", "0.50 / 1,000 MB"]);
    let overage = |from, up_to| used(LineKind::Overage, from, up_to);
    let cases = [
        (overage(0, None), "storage beyond the allowance", "storage 超额用量"),
        (
            overage(0, Some(5_000_000)),
            "storage beyond the allowance, the first 5,000 MB",
            "storage 超额用量，5,000 MB 以内",
        ),
        (
            overage(5_000_000, Some(8_000_000)),
            "storage beyond the allowance, from 5,000 to 8,000 MB",
            "storage 超额用量，5,000 至 8,000 MB",
        ),
        (
            overage(8_000_000, None),
            "storage beyond the allowance, above 8,000 MB",
            "storage 超额用量，超过 8,000 MB 的部分",
        ),
    ];
    for (line, english, chinese) in cases {
        assert_eq!(said(line.clone(), Locale::English), rated(english));
        assert_eq!(said(line, Locale::Chinese), rated(chinese));
    }
    let late = said(used(LineKind::Adjustment, 0, None), Locale::English).0;
    assert_eq!(late, "storage beyond the allowance, reported after its period was billed");
    let unit =
        |line: BillLine| BillLine { tier: line.tier.map(|tier| PricedBy { per_text: "1".into(), ..tier }), ..line };
    assert_eq!(said(unit(overage(0, None)), Locale::English).2, "0.50 / MB");
}

#[test]
fn days_are_those_of_the_billing_time_zone_and_only_what_is_owed_is_due() {
    let mut view = view(BillKind::Month, vec![line(LineKind::Base, "99")]);
    let unpaid = receipt(&view, Locale::Chinese);
    let on = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    assert_eq!((unpaid.issued_on, unpaid.due_on), (on(11, 21), Some(on(11, 28))));
    assert_eq!(unpaid.period, Some((on(10, 21), on(11, 20))));
    assert_eq!((unpaid.state, unpaid.document().unwrap().title), (ReceiptState::Unpaid, "账单".to_owned()));
    view.issued.bill.status = BillStatus::Paid;
    let paid = receipt(&view, Locale::English);
    assert_eq!((paid.due_on, paid.document().unwrap().title), (None, "Receipt".to_owned()));
}

#[test]
fn the_sums_are_those_of_the_bill_and_nothing_is_listed_that_is_not_there() {
    let reduced = BillLine { discount: cny("10"), ..line(LineKind::Base, "99") };
    let mut view = view(BillKind::Month, vec![reduced, used(LineKind::Overage, 0, None)]);
    let sums = |view: &BillView| -> Vec<(SumKind, String)> {
        receipt(view, Locale::English).sums.iter().map(|sum| (sum.kind, sum.amount.to_decimal())).collect()
    };
    let row = |kind, text: &str| (kind, text.to_owned());
    let parts = [row(SumKind::Base, "99.00"), row(SumKind::Overage, "20.75"), row(SumKind::Discount, "-10.00")];
    let with = |more: &[(SumKind, String)]| [&parts, more].concat();
    let (total, due) = (row(SumKind::Total, "109.75"), row(SumKind::Due, "109.75"));
    assert_eq!(sums(&view), with(&[total.clone(), due]));
    view.issued.bill.status = BillStatus::Paid;
    view.issued.bill.refunded = cny("9.75");
    let (paid, back, nothing) =
        (row(SumKind::Paid, "109.75"), row(SumKind::Refunded, "-9.75"), row(SumKind::Due, "0.00"));
    assert_eq!(sums(&view), with(&[total.clone(), paid, back, nothing]));
    assert_eq!(receipt(&view, Locale::English).state, ReceiptState::Paid);
    view.issued.bill.refunded = cny("109.75");
    assert_eq!(receipt(&view, Locale::English).state, ReceiptState::Refunded);
    view.issued.bill.status = BillStatus::Void;
    assert_eq!(sums(&view), with(&[total]));
}

#[test]
fn a_refund_is_a_paper_of_its_own_whose_amounts_are_negative() {
    let mut view = view(BillKind::Refund, vec![line(LineKind::Refund, "20")]);
    view.issued.bill.status = BillStatus::Paid;
    view.issued.bill.refund_of = Some(BillId::from_uuid(uuid::Uuid::from_u128(9)));
    view.issued.bill.remark = Some("outage {bill}".to_owned());
    let refund = receipt(&view, Locale::English);
    let of = "bil_00000000000000000000000000000009";
    assert_eq!(refund.lines[0].description, format!("Refund of bill {of}: outage {{bill}}"));
    assert_eq!((refund.lines[0].amount, refund.sums.len(), refund.sums[0].amount), (cny("-20"), 1, cny("-20")));
    let document = refund.document().unwrap();
    assert_eq!((document.title, document.stamp), ("Refund".to_owned(), None));
    assert_eq!(receipt(&view, Locale::Chinese).document().unwrap().title, "退款单");
}

#[test]
fn payments_say_how_with_the_providers_number() {
    let mut view = view(BillKind::Month, vec![line(LineKind::Base, "99")]);
    let payment = |method, transaction: Option<&str>| BillPayment {
        id: BillPaymentId::from_uuid(uuid::Uuid::from_u128(1)),
        account: view.issued.bill.account,
        bill: view.issued.bill.id,
        method,
        amount: cny("99"),
        transaction: transaction.map(str::to_owned),
        paid_at: day(11, 22),
    };
    view.payments = vec![
        payment(BillMethod::Wallet, None),
        payment(BillMethod::Provider(Provider::WeChat), Some("4200")),
        payment(BillMethod::Nothing, None),
    ];
    let means = |locale| receipt(&view, locale).payments.into_iter().map(|payment| payment.means).collect::<Vec<_>>();
    assert_eq!(means(Locale::English), ["Prepaid balance", "WeChat Pay 4200"]);
    assert_eq!(means(Locale::Chinese), ["账户余额", "微信支付 4200"]);
}

#[test]
fn the_seller_is_as_the_settings_say() {
    let view = view(BillKind::Month, vec![line(LineKind::Base, "99")]);
    let seller = receipt(&view, Locale::English).seller;
    assert_eq!(
        (seller.name.as_str(), seller.lines.join("|").as_str()),
        ("算盘科技", "杭州市|Tax id 91350100M000100Y43|0571")
    );
}
