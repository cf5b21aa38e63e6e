//! Receipts in words.

use super::*;
use crate::billing::receipt::{MAX_LINES, ReceiptMistake, ReceiptState, ReceiptTitle, Sum};
use crate::money::Currency;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn on(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn receipt(locale: Locale) -> Receipt {
    Receipt {
        locale,
        title: ReceiptTitle::Bill,
        number: "bil_1".to_owned(),
        state: ReceiptState::Paid,
        issued_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        issued_on: on(2026, 11, 21),
        due_on: Some(on(2026, 12, 5)),
        period: Some((on(2026, 10, 21), on(2026, 11, 20))),
        coupon: None,
        seller: Party { name: "算盘科技".to_owned(), lines: vec!["91350100M000100Y43".to_owned()] },
        buyer: Party { name: "王小明".to_owned(), lines: Vec::new() },
        currency: Currency::CNY,
        lines: vec![ReceiptLine {
            description: "专业版".to_owned(),
            quantity: "1 个月".to_owned(),
            rate: "99.00".to_owned(),
            amount: cny("99"),
        }],
        sums: vec![Sum { kind: SumKind::Total, amount: cny("1234567.5") }],
        payments: vec![ReceiptPayment { on: on(2026, 11, 22), means: "Wallet".to_owned(), amount: cny("99") }],
    }
}

#[test]
fn a_receipt_is_titled_a_bill_or_a_receipt_and_never_an_invoice() {
    for (locale, title) in [(Locale::Chinese, "账单"), (Locale::English, "Receipt")] {
        let document = receipt(locale).document().unwrap();
        assert_eq!(document.title, title);
        let labels = document.facts.iter().chain(&document.sums).map(|row| row.label.as_str());
        let mut printed = labels.chain(document.columns.iter().map(String::as_str));
        assert!(printed.all(|text| !text.contains("发票") && !text.to_lowercase().contains("invoice")));
        assert!(document.note.contains("不是税务发票") || document.note.contains("not a tax invoice"));
    }
}

#[test]
fn amounts_have_commas_their_decimals_and_their_currency() {
    assert_eq!(receipt(Locale::English).document().unwrap().sums[0].value, "1,234,567.50 CNY");
    assert_eq!(grouped(cny("-1000")), "-1,000.00");
    assert_eq!(grouped(cny("999.995")), "999.995");
    assert_eq!(grouped(Money::parse("123456", Currency::parse("JPY").unwrap()).unwrap()), "123,456");
}

#[test]
fn the_facts_are_number_days_state_and_currency() {
    let facts = receipt(Locale::English).document().unwrap().facts;
    let facts: Vec<_> = facts.iter().map(|row| (row.label.as_str(), row.value.as_str())).collect();
    let expected = [
        ("Bill number", "bil_1"),
        ("Issued", "2026-11-21"),
        ("State", "Paid"),
        ("Period", "2026-10-21 – 2026-11-20"),
        ("Due", "2026-12-05"),
        ("Currency", "CNY"),
    ];
    assert_eq!(facts, expected);
}

#[test]
fn only_a_bill_that_is_not_paid_in_order_is_stamped() {
    let stamp = |state| Receipt { state, ..receipt(Locale::English) }.document().unwrap().stamp;
    assert_eq!(stamp(ReceiptState::Paid), None);
    assert_eq!(stamp(ReceiptState::Void).as_deref(), Some("Void"));
    assert_eq!(stamp(ReceiptState::Unpaid).as_deref(), Some("Unpaid"));
}

#[test]
fn names_lose_what_turns_or_hides_text_and_keep_everything_that_is_seen() {
    assert_eq!(clean("a\u{202E}b\u{0}c\u{200B}"), "abc");
    assert_eq!(clean("line\r\nbreak"), "line  break");
    assert_eq!(clean("𠮷野家 · 阿依古丽"), "𠮷野家 · 阿依古丽");
    assert_eq!(clean("👩\u{200D}💻"), "👩💻");
    assert_eq!(clean("e\u{301}"), "é");
    assert_eq!(clean(&format!("a{}", "\u{335}".repeat(500))), "a\u{335}\u{335}");
    let long = clean(&"字".repeat(5_000));
    assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_TEXT + 1, true));
}

#[test]
fn a_receipt_has_one_currency_and_a_bounded_number_of_lines() {
    let mut mixed = receipt(Locale::English);
    mixed.payments[0].amount = Money::zero(Currency::parse("USD").unwrap());
    assert_eq!(mixed.document(), Err(ReceiptMistake::CurrencyMismatch));
    let mut long = receipt(Locale::English);
    long.lines = vec![long.lines[0].clone(); MAX_LINES];
    assert_eq!(long.document().unwrap().lines.len(), MAX_LINES);
    long.lines.push(long.lines[0].clone());
    assert_eq!(long.document(), Err(ReceiptMistake::TooManyLines));
}
