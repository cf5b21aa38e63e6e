//! Receipts for tests.

use chrono::{DateTime, NaiveDate};
use domain::billing::{
    Document, Party, Receipt, ReceiptLine, ReceiptPayment, ReceiptState, ReceiptTitle, Sum, SumKind,
};
use domain::money::{Currency, Money};
use domain::notices::Locale;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn on(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap()
}

fn line(description: &str, quantity: &str, rate: &str, amount: &str) -> ReceiptLine {
    let [description, quantity, rate] = [description, quantity, rate].map(str::to_owned);
    ReceiptLine { description, quantity, rate, amount: cny(amount) }
}

fn chinese_lines() -> Vec<ReceiptLine> {
    vec![
        line("专业版 · 2026-10-21 至 2026-11-20", "1 个月", "99.00", "99"),
        line("字数超额（第 1 档，超出 300,000 字的部分）", "41,500 字", "0.50 / 1,000 字", "20.75"),
        line("存储超额，按本期峰值计", "12.5 GB", "0.20 / GB", "2.6"),
        line("优惠券 WELCOME", "", "", "-10"),
    ]
}

fn english_lines() -> Vec<ReceiptLine> {
    vec![
        line("Professional, 2026-10-21 to 2026-11-20", "1 month", "99.00", "99"),
        line("Words beyond the allowance (tier 1, above 300,000)", "41,500 words", "0.50 / 1,000 words", "20.75"),
        line("Storage beyond the allowance, peak of the period", "12.5 GB", "0.20 / GB", "2.6"),
        line("Coupon WELCOME", "", "", "-10"),
    ]
}

fn parties(locale: Locale) -> (Party, Party) {
    let party = |name: &str, lines: &[&str]| Party {
        name: name.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    };
    match locale {
        Locale::Chinese => (
            party("杭州算盘科技有限公司", &["浙江省杭州市西湖区文三路 100 号", "统一社会信用代码 91330100799655058B"]),
            party("阿依古丽·买买提", &["aygul@example.com"]),
        ),
        Locale::English => (
            party("Suanpan Technology Co., Ltd.", &["100 Wensan Road, Hangzhou", "Tax id 91330100799655058B"]),
            party("José Müller-Østergård", &["jose@example.com", "São Paulo"]),
        ),
    }
}

/// A paid bill with four lines.
pub fn receipt(locale: Locale) -> Receipt {
    let (seller, buyer) = parties(locale);
    let sums = [
        (SumKind::Base, "99"),
        (SumKind::Overage, "23.35"),
        (SumKind::Discount, "-10"),
        (SumKind::Total, "112.35"),
        (SumKind::Paid, "112.35"),
        (SumKind::Due, "0"),
    ];
    Receipt {
        locale,
        title: ReceiptTitle::Bill,
        number: "bil_019ab0c2f3d47a5e8f10b2c4d6e8f012".to_owned(),
        state: ReceiptState::Paid,
        issued_at: DateTime::from_timestamp(1_795_222_800, 0).unwrap(),
        issued_on: on(11, 21),
        due_on: Some(on(12, 5)),
        period: Some((on(10, 21), on(11, 20))),
        coupon: None,
        seller,
        buyer,
        currency: Currency::CNY,
        lines: match locale {
            Locale::Chinese => chinese_lines(),
            Locale::English => english_lines(),
        },
        sums: sums.map(|(kind, amount)| Sum { kind, amount: cny(amount) }).to_vec(),
        payments: vec![ReceiptPayment {
            on: on(11, 22),
            means: match locale {
                Locale::Chinese => "微信支付 4200002345202611220123456789".to_owned(),
                Locale::English => "Card (Stripe) pi_3QxyzAbCdEfGhIjK".to_owned(),
            },
            amount: cny("112.35"),
        }],
    }
}

/// The same with so many lines.
pub fn long(locale: Locale, count: usize) -> Receipt {
    let mut receipt = receipt(locale);
    receipt.lines = receipt.lines.iter().cycle().take(count).cloned().collect();
    receipt
}

pub fn document(receipt: &Receipt) -> Document {
    receipt.document().unwrap()
}
