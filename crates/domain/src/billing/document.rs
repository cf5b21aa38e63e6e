//! A receipt in words: everything that is printed, in its language, before anybody thinks of fonts and pages.

use crate::billing::receipt::{Party, Receipt, ReceiptLine, ReceiptPayment, SumKind};
use crate::billing::words::Words;
use crate::money::Money;
use crate::notices::Locale;
use crate::text::is_hidden;
use chrono::{DateTime, NaiveDate, Utc};
use unicode_normalization::UnicodeNormalization;

/// Most characters of one text; what is longer ends in an ellipsis.
pub const MAX_TEXT: usize = 400;
/// Joins emoji to one picture, which no font of receipts has.
const JOINER: char = '\u{200D}';
/// Asks for the picture of a character.
const PICTURE: char = '\u{FE0F}';
/// Combining marks that may follow one letter; more only pile up.
const MAX_MARKS: usize = 2;

/// How a row of sums is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Plain,
    /// The total, and what is still due.
    Strong,
}

/// A label with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub label: String,
    pub value: String,
    pub mark: Mark,
}

/// Everything a receipt says. Texts have no control, invisible or bidirectional characters, and are bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub locale: Locale,
    pub title: String,
    /// What marks the whole page: void, refunded; `None` for a bill in order.
    pub stamp: Option<String>,
    pub number: String,
    pub issued_at: DateTime<Utc>,
    pub facts: Vec<Row>,
    pub seller: (String, Party),
    pub buyer: (String, Party),
    /// Headings of the four columns of `lines`.
    pub columns: [String; 4],
    /// Description, quantity, rate, amount.
    pub lines: Vec<[String; 4]>,
    pub sums: Vec<Row>,
    /// Heading of `payments`.
    pub payments_title: String,
    /// Day, means, amount.
    pub payments: Vec<[String; 3]>,
    /// What this paper is not.
    pub note: String,
    /// `{page}` and `{pages}` are put in by whoever counts them.
    pub page_of: String,
}

impl Document {
    pub(super) fn of(receipt: &Receipt) -> Self {
        let words = Words::of(receipt.locale);
        Self {
            locale: receipt.locale,
            title: words.title(receipt.title, receipt.state).to_owned(),
            stamp: words.stamp(receipt.title, receipt.state).map(str::to_owned),
            number: clean(&receipt.number),
            issued_at: receipt.issued_at,
            facts: facts(receipt, words),
            seller: (words.seller.to_owned(), party(&receipt.seller)),
            buyer: (words.buyer.to_owned(), party(&receipt.buyer)),
            columns: words.columns(receipt.currency),
            lines: receipt.lines.iter().map(line).collect(),
            sums: sums(receipt, words),
            payments_title: words.payments.to_owned(),
            payments: receipt.payments.iter().map(payment).collect(),
            note: words.note.to_owned(),
            page_of: words.page_of.to_owned(),
        }
    }
}

fn facts(receipt: &Receipt, words: &Words) -> Vec<Row> {
    let mut facts = vec![
        plain(words.number, clean(&receipt.number)),
        plain(words.issued, day(receipt.issued_on)),
        plain(words.state, words.state_of(receipt.state).to_owned()),
    ];
    let period = receipt.period.map(|(first, last)| plain(words.period, format!("{} – {}", day(first), day(last))));
    facts.extend(period);
    facts.extend(receipt.due_on.map(|due| plain(words.due_on, day(due))));
    facts.extend(receipt.coupon.as_ref().map(|code| plain(words.coupon, clean(code))));
    facts.push(plain(words.currency, receipt.currency.to_string()));
    facts
}

fn sums(receipt: &Receipt, words: &Words) -> Vec<Row> {
    let row = |kind: SumKind, amount: Money| Row {
        label: words.sum(kind).to_owned(),
        value: format!("{} {}", grouped(amount), amount.currency()),
        mark: if matches!(kind, SumKind::Total | SumKind::Due) { Mark::Strong } else { Mark::Plain },
    };
    receipt.sums.iter().map(|sum| row(sum.kind, sum.amount)).collect()
}

fn plain(label: &str, value: String) -> Row {
    Row { label: label.to_owned(), value, mark: Mark::Plain }
}

fn party(party: &Party) -> Party {
    Party { name: clean(&party.name), lines: party.lines.iter().map(|line| clean(line)).collect() }
}

fn line(line: &ReceiptLine) -> [String; 4] {
    [clean(&line.description), clean(&line.quantity), clean(&line.rate), grouped(line.amount)]
}

fn payment(payment: &ReceiptPayment) -> [String; 3] {
    [day(payment.on), clean(&payment.means), grouped(payment.amount)]
}

pub(super) fn day(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// The decimal amount with commas between thousands: `-1,234.50`.
fn grouped(amount: Money) -> String {
    with_commas(&amount.to_decimal())
}

/// A decimal with commas between thousands.
pub(super) fn with_commas(decimal: &str) -> String {
    let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// Composed, one line, nothing invisible, at most [`MAX_TEXT`] characters, few marks on a letter.
fn clean(text: &str) -> String {
    let mut kept = String::new();
    let (mut letters, mut marks) = (0, 0);
    for letter in text.nfc() {
        if letters == MAX_TEXT {
            kept.push('…');
            break;
        }
        let shown = match letter {
            '\n' | '\r' | '\t' => Some(' '),
            JOINER | PICTURE => None,
            _ if is_hidden(letter) => None,
            _ => Some(letter),
        };
        let is_mark = unicode_normalization::char::is_combining_mark(letter);
        marks = if is_mark { marks + 1 } else { 0 };
        if let Some(letter) = shown.filter(|_| marks <= MAX_MARKS) {
            kept.push(letter);
            letters += 1;
        }
    }
    kept.trim().to_owned()
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
