//! The overage of one meter in one period, as lines: a line for each tier it reaches.
//!
//! The fee is one rising curve over the quantity. A line is the difference of two points of it, each rounded to the
//! minor unit: however a period is cut into tiers, interim bills and adjustments, its lines add up to the rounded fee.

use super::line::{BillLine, BillOverage, LineKind, PricedBy, Shown};
use crate::id::BillId;
use crate::money::{Currency, Money, MoneyError};
use crate::plans::{Meter, OnExhausted, OpenedPeriod};
use crate::quantity::Quantity;

/// A part of a period in which one tariff held, up to a point of the overage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The overage so far when another plan began; the whole overage for the last.
    pub to: Quantity,
    /// What the plan said of the meter; `None` when it said nothing.
    pub exhausted: Option<OnExhausted>,
}

/// What was used of a meter beyond its allowance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterUse {
    pub meter: Meter,
    /// In order, rising; the last ends with the whole overage, paid from the wallet or owed.
    pub stretches: Vec<Stretch>,
    /// What was told while it was used: for all of it, also what the wallet paid.
    pub told: Money,
    /// Overage of periods that were closed when it came; a part of the whole.
    pub adjusted: Quantity,
    /// How much of what is owed earlier bills of the period are for.
    pub billed: Quantity,
    /// What those bills ask for it.
    pub billed_fee: Money,
}

impl MeterUse {
    pub fn total(&self) -> Quantity {
        self.stretches.last().map_or(Quantity::ZERO, |stretch| stretch.to)
    }

    /// The same, told what the curve says: a bill within the period leaves corrections to the one at its end.
    pub fn by_the_curve(self, currency: Currency) -> Result<Self, MoneyError> {
        let told = self.cost_at(self.total(), currency, |_| true)?;
        Ok(Self { told, ..self })
    }

    /// The lines beyond what was billed; none when nothing is owed. Numbers are given later.
    pub fn lines(&self, opened: &OpenedPeriod, currency: Currency) -> Result<Vec<BillLine>, MoneyError> {
        let mut lines = Vec::new();
        let late_from = self.total().left_after(self.adjusted);
        for piece in self.pieces() {
            let points = if piece.from < late_from && late_from < piece.to {
                vec![(piece.from, late_from), (late_from, piece.to)]
            } else {
                vec![(piece.from, piece.to)]
            };
            for (from, to) in points {
                let kind = if from >= late_from { LineKind::Adjustment } else { LineKind::Overage };
                let amount = self.owed_at(to, currency)?.checked_sub(self.owed_at(from, currency)?)?;
                let quantity = to.left_after(from);
                lines.push(self.line((kind, opened), (quantity, Some(piece.tier.clone())), amount));
            }
        }
        let rest = self.correction(&lines, currency)?;
        if !rest.is_zero() {
            lines.push(self.line((LineKind::Correction, opened), (Quantity::ZERO, None), rest));
        }
        Ok(lines)
    }

    /// What the bill says of the meter beside its lines.
    pub fn overage(&self, bill: BillId, lines: &[BillLine], currency: Currency) -> Result<BillOverage, MoneyError> {
        let mine = || lines.iter().filter(|line| line.used.as_ref().is_some_and(|used| used.meter == self.meter.code));
        let fee = mine().try_fold(Money::zero(currency), |sum, line| sum.checked_add(line.amount))?;
        let quantity = mine()
            .filter_map(|line| line.used.as_ref())
            .fold(Quantity::ZERO, |sum, used| sum.saturating_add(used.quantity));
        Ok(BillOverage { bill, used: Shown::new(&self.meter, quantity), fee })
    }

    /// What was told and is neither on these lines nor on earlier bills. Never more than was told is asked for.
    fn correction(&self, lines: &[BillLine], currency: Currency) -> Result<Money, MoneyError> {
        let priced = self.cost_at(self.total(), currency, |_| true)?;
        let difference = self.told.checked_sub(priced)?;
        let owed = self.cost_at(self.total(), currency, is_owed)?.checked_add(difference)?;
        let asked = lines.iter().try_fold(self.billed_fee, |sum, line| sum.checked_add(line.amount))?;
        owed.round_half_away_to_minor()?.checked_sub(asked)
    }

    /// What is owed for the overage up to a point, in whole minor units.
    fn owed_at(&self, point: Quantity, currency: Currency) -> Result<Money, MoneyError> {
        self.cost_at(point, currency, is_owed)?.round_half_away_to_minor()
    }

    /// The exact fee up to a point, of the stretches that count.
    fn cost_at(
        &self,
        point: Quantity,
        currency: Currency,
        counts: fn(&OnExhausted) -> bool,
    ) -> Result<Money, MoneyError> {
        let (mut cost, mut from) = (Money::zero(currency), Quantity::ZERO);
        for stretch in &self.stretches {
            let to = stretch.to.min(point);
            if let Some(exhausted) = stretch.exhausted.as_ref().filter(|exhausted| counts(exhausted))
                && let (true, Some(tariff)) = (to > from, exhausted.tariff())
            {
                cost = cost.checked_add(tariff.step_fee(from, to)?)?;
            }
            from = from.max(to);
        }
        Ok(cost)
    }

    /// The parts that are owed and not billed, each within one tier.
    fn pieces(&self) -> Vec<Piece> {
        let (mut pieces, mut from) = (Vec::new(), Quantity::ZERO);
        let billed = point_of_owed(&self.stretches, self.billed);
        for stretch in &self.stretches {
            if let Some(OnExhausted::Overage(tariff)) = &stretch.exhausted {
                let mut floor = Quantity::ZERO;
                for tier in tariff.tiers() {
                    let ceiling = tier.up_to.unwrap_or(Quantity::MAX);
                    let (start, end) = (from.max(floor).max(billed), stretch.to.min(ceiling));
                    if start < end {
                        let tier = self.priced_by(floor, tier);
                        pieces.push(Piece { from: start, to: end, tier });
                    }
                    floor = ceiling;
                }
            }
            from = from.max(stretch.to);
        }
        pieces
    }

    fn priced_by(&self, from: Quantity, tier: &crate::plans::Tier) -> PricedBy {
        PricedBy {
            from,
            up_to: tier.up_to,
            per: tier.per,
            per_text: self.meter.to_decimal(tier.per),
            per_unit: self.meter.unit.clone(),
            price: tier.price,
        }
    }

    fn line(
        &self,
        (kind, opened): (LineKind, &OpenedPeriod),
        (quantity, tier): (Quantity, Option<PricedBy>),
        amount: Money,
    ) -> BillLine {
        BillLine {
            number: 0,
            kind,
            plan: opened.plan.clone(),
            version: None,
            interval: None,
            seats: opened.seats,
            period: opened.period,
            used: Some(Shown::new(&self.meter, quantity)),
            tier,
            amount,
            discount: Money::zero(amount.currency()),
        }
    }
}

/// A part of the overage within one tier.
struct Piece {
    from: Quantity,
    to: Quantity,
    tier: PricedBy,
}

/// The point of the curve up to which so much is owed: what the wallet paid before it is not owed and lies there too.
pub(super) fn point_of_owed(stretches: &[Stretch], owed: Quantity) -> Quantity {
    let (mut left, mut from) = (owed, Quantity::ZERO);
    for stretch in stretches.iter().filter(|_| owed.is_positive()) {
        if stretch.exhausted.as_ref().is_some_and(is_owed) {
            let length = stretch.to.left_after(from);
            if left <= length {
                return from.saturating_add(left);
            }
            left = left.left_after(length);
        }
        from = from.max(stretch.to);
    }
    from
}

fn is_owed(exhausted: &OnExhausted) -> bool {
    matches!(exhausted, OnExhausted::Overage(_))
}

#[cfg(test)]
#[path = "rating_tests.rs"]
mod tests;
