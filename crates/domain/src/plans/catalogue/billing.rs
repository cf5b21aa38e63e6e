//! Reads `billing` and `warnings`.

use super::DEFAULT_PLAN;
use super::document::{Fields, Mistakes, Node};
use crate::money::{Currency, Money};
use crate::plans::{BillTerms, MAX_SELLER_TEXT, Percent, PlanCode, Seller};
use crate::text::visible_line;
use chrono_tz::Tz;

/// Most warning thresholds.
const MAX_WARNINGS: usize = 16;

/// A renewal is billed within the last month of its term.
const MAX_RENEWAL_DAYS: i64 = 27;
const MAX_DAYS: i64 = 365;
/// Late events come within 35 days.
const MAX_CLOSE_HOURS: i64 = 35 * 24;

/// What `billing` says, as far as it could be read.
#[derive(Default)]
pub(super) struct Billing {
    pub(super) currency: Option<Currency>,
    pub(super) zone: Option<Tz>,
    pub(super) spend_cap: Option<Money>,
    pub(super) interim_overage: Option<Money>,
    pub(super) default_plan: Option<PlanCode>,
    pub(super) bills: BillTerms,
    pub(super) seller: Seller,
}

pub(super) fn read(root: &Fields, mistakes: &mut Mistakes) -> Billing {
    let known = ["currency", "time_zone", "spend_cap", "interim_overage", "default_plan", "bills", "seller"];
    let section = root.require("billing", mistakes).and_then(|node| node.fields(&known, mistakes));
    let Some(fields) = section else { return Billing::default() };
    let currency = fields
        .require("currency", mistakes)
        .and_then(|node| node.word("a currency code such as CNY", Currency::parse, mistakes));
    let zone = fields.require("time_zone", mistakes).and_then(|node| {
        node.word("a time zone of the IANA database such as Asia/Shanghai", |name| name.parse().ok(), mistakes)
    });
    let spend_cap = fields.get("spend_cap").and_then(|node| node.money(Money::parse_minor, currency, mistakes));
    let interim_overage = fields.get("interim_overage").and_then(|node| {
        let amount = node.money(Money::parse_minor, currency, mistakes)?;
        if !amount.is_positive() {
            mistakes.add(&node.path, "must be above zero, or null");
        }
        Some(amount)
    });
    let default_plan = match fields.get("default_plan") {
        Some(node) => node.word("a plan's code", PlanCode::parse, mistakes),
        None => PlanCode::parse(DEFAULT_PLAN),
    };
    let bills = read_bills(&fields, mistakes);
    let seller = read_seller(&fields, mistakes);
    Billing { currency, zone, spend_cap, interim_overage, default_plan, bills, seller }
}

fn read_seller(billing: &Fields, mistakes: &mut Mistakes) -> Seller {
    let mut seller = Seller::default();
    let known = ["name", "address", "tax_id", "contact"];
    let Some(fields) = billing.get("seller").and_then(|node| node.fields(&known, mistakes)) else { return seller };
    let texts = [
        ("name", &mut seller.name),
        ("address", &mut seller.address),
        ("tax_id", &mut seller.tax_id),
        ("contact", &mut seller.contact),
    ];
    let expected = format!("one line of visible text of at most {MAX_SELLER_TEXT} characters");
    for (key, text) in texts {
        let line = |text: &str| visible_line(text, MAX_SELLER_TEXT).ok();
        *text = fields.get(key).and_then(|node| node.word(&expected, line, mistakes));
    }
    seller
}

/// When bills are issued, due and chased; what is left out is as by default.
fn read_bills(billing: &Fields, mistakes: &mut Mistakes) -> BillTerms {
    let mut bills = BillTerms::default();
    let known = ["renewal_days", "due_days", "reminder_days", "suspend_days", "expire_days", "close_after_hours"];
    let Some(fields) = billing.get("bills").and_then(|node| node.fields(&known, mistakes)) else { return bills };
    let numbers = [
        ("renewal_days", &mut bills.renewal_days, MAX_RENEWAL_DAYS),
        ("due_days", &mut bills.due_days, MAX_DAYS),
        ("reminder_days", &mut bills.reminder_days, MAX_DAYS),
        ("suspend_days", &mut bills.suspend_days, MAX_DAYS),
        ("expire_days", &mut bills.expire_days, MAX_DAYS),
        ("close_after_hours", &mut bills.close_after_hours, MAX_CLOSE_HOURS),
    ];
    for (key, number, most) in numbers {
        let whole = fields.get(key).and_then(|node| node.whole(0..=most, mistakes));
        *number = whole.and_then(|whole| u32::try_from(whole).ok()).unwrap_or(*number);
    }
    bills
}

/// The thresholds in rising order; none when the section is absent.
pub(super) fn read_warnings(root: &Fields, mistakes: &mut Mistakes) -> Vec<Percent> {
    let section = root.get("warnings").and_then(|node| node.fields(&["at"], mistakes));
    let list = section.and_then(|fields| fields.require("at", mistakes));
    let Some(list) = list else { return Vec::new() };
    let items = list.items(mistakes).unwrap_or_default();
    if items.len() > MAX_WARNINGS {
        mistakes.add(list.path, format!("holds more than {MAX_WARNINGS} percentages"));
    }
    let mut warnings = Vec::with_capacity(items.len());
    for item in items {
        read_warning(&item, &mut warnings, mistakes);
    }
    warnings.sort_unstable();
    warnings
}

fn read_warning(item: &Node, warnings: &mut Vec<Percent>, mistakes: &mut Mistakes) {
    let percent = item
        .whole(1..=i64::from(Percent::MAX), mistakes)
        .and_then(|whole| u16::try_from(whole).ok())
        .and_then(Percent::new);
    match percent {
        Some(percent) if warnings.contains(&percent) => mistakes.add(&item.path, "is listed twice"),
        Some(percent) => warnings.push(percent),
        None => {}
    }
}
