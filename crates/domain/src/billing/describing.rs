//! What a receipt says of a bill: its lines, sums and payments in the words of one language.

use super::document::{day, with_commas};
use super::line_words::{LineWords, fill};
use super::{
    Bill, BillKind, BillLine, BillPayment, BillStatus, BillView, LineKind, Party, PricedBy, Receipt, ReceiptLine,
    ReceiptPayment, ReceiptState, ReceiptTitle, Sum, SumKind,
};
use crate::error::Result;
use crate::money::Money;
use crate::notices::Locale;
use crate::plans::{Catalogue, PlanCode};
use crate::time::Period;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Who asks how.
#[derive(Clone, Copy)]
pub(super) struct Describer<'a> {
    catalogue: &'a Catalogue,
    locale: Locale,
    words: &'static LineWords,
}

impl<'a> Describer<'a> {
    pub fn new(catalogue: &'a Catalogue, locale: Locale) -> Self {
        Self { catalogue, locale, words: LineWords::of(locale) }
    }

    /// The receipt of a bill; all that goes back is negative.
    pub fn receipt(&self, view: &BillView, buyer: Party) -> Result<Receipt> {
        let bill = &view.issued.bill;
        let lines = view.issued.lines.iter().map(|line| self.line(bill, line)).collect::<Result<_>>()?;
        Ok(Receipt {
            locale: self.locale,
            title: if bill.kind == BillKind::Refund { ReceiptTitle::Refund } else { ReceiptTitle::Bill },
            number: bill.id.to_string(),
            state: state(bill),
            issued_at: bill.issued_at,
            issued_on: self.day_of(bill.issued_at),
            due_on: (bill.status == BillStatus::Unpaid).then(|| self.day_of(bill.due_at)),
            period: Some(self.days_of(bill.period)),
            coupon: bill.coupon.clone(),
            seller: self.seller(),
            buyer,
            currency: bill.totals.total.currency(),
            lines,
            sums: sums(bill)?,
            payments: view.payments.iter().filter_map(|payment| self.payment(payment)).collect(),
        })
    }

    fn seller(&self) -> Party {
        let seller = &self.catalogue.seller;
        let tax_id = seller.tax_id.as_ref().map(|id| fill(self.words.tax_id, &[("id", id)]));
        let lines = [seller.address.clone(), tax_id, seller.contact.clone()];
        Party { name: seller.name.clone().unwrap_or_default(), lines: lines.into_iter().flatten().collect() }
    }

    fn line(&self, bill: &Bill, line: &BillLine) -> Result<ReceiptLine> {
        let zero = Money::zero(line.amount.currency());
        let counted = line.used.as_ref().map(|used| format!("{} {}", with_commas(&used.display), used.unit));
        let seats = (line.kind == LineKind::Base && line.seats > 1)
            .then(|| fill(self.words.seats, &[("seats", &line.seats.to_string())]));
        Ok(ReceiptLine {
            description: self.description(bill, line),
            quantity: counted.or(seats).unwrap_or_default(),
            rate: line.tier.as_ref().map(rate).unwrap_or_default(),
            amount: if line.kind == LineKind::Refund { zero.checked_sub(line.amount)? } else { line.amount },
        })
    }

    fn description(&self, bill: &Bill, line: &BillLine) -> String {
        let words = self.words;
        let (from, to) = self.days_of(line.period);
        let (from, to, plan) = (day(from), day(to), self.plan(&line.plan));
        let interval = line.interval.map(|interval| words.interval(interval)).unwrap_or_default();
        let term = [("interval", interval), ("from", &from), ("to", &to), ("plan", &plan)];
        let meter = line.used.as_ref().map(|used| used.meter.as_str()).unwrap_or_default();
        let of_meter = |text: &str| self.in_tier(line, fill(text, &[("meter", meter)]));
        match line.kind {
            LineKind::Base => fill(words.base, &term),
            LineKind::Credit => fill(words.credit, &term),
            LineKind::Overage => of_meter(words.overage),
            LineKind::Adjustment => of_meter(words.adjustment),
            LineKind::Correction => fill(words.correction, &[("meter", meter)]),
            LineKind::Refund => self.refund(bill),
        }
    }

    fn refund(&self, bill: &Bill) -> String {
        let of = bill.refund_of.map(|id| id.to_string()).unwrap_or_default();
        match &bill.remark {
            Some(reason) => fill(self.words.refund_because, &[("bill", &of), ("reason", reason)]),
            None => fill(self.words.refund, &[("bill", &of)]),
        }
    }

    /// The line with the part of the tariff that priced it; a tariff of one tier needs no word.
    fn in_tier(&self, line: &BillLine, text: String) -> String {
        let meter = line.used.as_ref().and_then(|used| self.catalogue.meters.get(&used.meter));
        let (Some(tier), Some(meter)) = (&line.tier, meter) else { return text };
        let shown = |quantity| with_commas(&meter.to_decimal(quantity));
        let (from, to) = (shown(tier.from), tier.up_to.map(shown).unwrap_or_default());
        let range = match (tier.from.is_zero(), tier.up_to) {
            (true, None) => return text,
            (true, Some(_)) => self.words.first,
            (false, Some(_)) => self.words.between,
            (false, None) => self.words.above,
        };
        fill(range, &[("from", &from), ("to", &to), ("unit", &tier.per_unit), ("line", &text)])
    }

    fn payment(&self, payment: &BillPayment) -> Option<ReceiptPayment> {
        let method = self.words.method(payment.method)?;
        let number = payment.transaction.as_deref().unwrap_or_default();
        let means = format!("{method} {number}").trim_end().to_owned();
        Some(ReceiptPayment { on: self.day_of(payment.paid_at), means, amount: payment.amount })
    }

    /// The plan's name, or its code when it is not sold any more.
    fn plan(&self, code: &PlanCode) -> String {
        self.catalogue.plans.get(code).map_or_else(|| code.to_string(), |plan| plan.name.clone())
    }

    fn day_of(&self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.catalogue.zone).date_naive()
    }

    /// First and last day: a period ends before its end.
    fn days_of(&self, period: Period) -> (NaiveDate, NaiveDate) {
        (self.day_of(period.start), self.day_of(period.end - TimeDelta::microseconds(1)))
    }
}

fn rate(tier: &PricedBy) -> String {
    let price = with_commas(&tier.price.to_decimal());
    match tier.per_text.as_str() {
        "1" => format!("{price} / {}", tier.per_unit),
        per => format!("{price} / {} {}", with_commas(per), tier.per_unit),
    }
}

fn state(bill: &Bill) -> ReceiptState {
    let back = bill.kind == BillKind::Refund || (bill.refunded.is_positive() && bill.refunded == bill.totals.total);
    match bill.status {
        BillStatus::Unpaid => ReceiptState::Unpaid,
        BillStatus::Void => ReceiptState::Void,
        BillStatus::Paid if back => ReceiptState::Refunded,
        BillStatus::Paid => ReceiptState::Paid,
    }
}

fn sums(bill: &Bill) -> Result<Vec<Sum>> {
    let totals = &bill.totals;
    let zero = Money::zero(totals.total.currency());
    let less = |amount| zero.checked_sub(amount);
    if bill.kind == BillKind::Refund {
        return Ok(vec![Sum { kind: SumKind::Total, amount: less(totals.total)? }]);
    }
    let parts =
        [(SumKind::Base, totals.base), (SumKind::Overage, totals.overage), (SumKind::Discount, less(totals.discount)?)];
    let mut sums: Vec<_> = parts.into_iter().filter(|(_, amount)| !amount.is_zero()).collect();
    sums.push((SumKind::Total, totals.total));
    match bill.status {
        BillStatus::Void => {}
        BillStatus::Unpaid => sums.push((SumKind::Due, totals.total)),
        BillStatus::Paid => {
            sums.push((SumKind::Paid, totals.total));
            if bill.refunded.is_positive() {
                sums.push((SumKind::Refunded, less(bill.refunded)?));
            }
            sums.push((SumKind::Due, zero));
        }
    }
    Ok(sums.into_iter().map(|(kind, amount)| Sum { kind, amount }).collect())
}

#[cfg(test)]
#[path = "describing_tests.rs"]
mod tests;
