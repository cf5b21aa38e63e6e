//! Lines of bills, and what a bill says of each meter.

use crate::id::{BillId, PlanVersionId};
use crate::money::Money;
use crate::plans::{Interval, Meter, MeterCode, PlanCode};
use crate::quantity::Quantity;
use crate::time::Period;
use serde::{Deserialize, Serialize};

/// Decimals of quantities in display units.
pub const DISPLAY_DECIMALS: u32 = 6;

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The fee of a term, or of the rest of one.
    Base,
    /// What is left of a term that ends early; negative.
    Credit,
    /// Use beyond the allowance, in one tier.
    Overage,
    /// The same for use of a period that was closed when it came.
    Adjustment,
    /// What was told when the use was booked less what its tiers come to.
    Correction,
    /// What goes back, on a refund bill.
    Refund,
}

impl LineKind {
    pub const ALL: [Self; 6] =
        [Self::Base, Self::Credit, Self::Overage, Self::Adjustment, Self::Correction, Self::Refund];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Credit => "credit",
            Self::Overage => "overage",
            Self::Adjustment => "adjustment",
            Self::Correction => "correction",
            Self::Refund => "refund",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    pub const fn is_overage(self) -> bool {
        match self {
            Self::Overage | Self::Adjustment | Self::Correction => true,
            Self::Base | Self::Credit | Self::Refund => false,
        }
    }
}

/// A quantity as a bill shows it, whatever becomes of the meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub meter: MeterCode,
    /// In atoms.
    pub quantity: Quantity,
    /// In the display unit, with at most [`DISPLAY_DECIMALS`] decimals.
    pub display: String,
    /// The display unit.
    pub unit: String,
}

impl Shown {
    pub fn new(meter: &Meter, quantity: Quantity) -> Self {
        Self {
            meter: meter.code.clone(),
            quantity,
            display: display(meter, quantity),
            unit: meter.display.name.clone(),
        }
    }
}

/// The tier that a quantity was priced by: `(from, up_to]` of the overage, `price` for each `per`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedBy {
    pub from: Quantity,
    pub up_to: Option<Quantity>,
    pub per: Quantity,
    /// `per` in the meter's unit.
    pub per_text: String,
    /// The meter's own unit.
    pub per_unit: String,
    pub price: Money,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// From 1.
    pub number: u32,
    pub kind: LineKind,
    pub plan: PlanCode,
    /// The version whose price it is; of fees and credits.
    pub version: Option<PlanVersionId>,
    /// How long the term is; of fees and credits.
    pub interval: Option<Interval>,
    pub seats: u32,
    /// What of the bill's period it is for.
    pub period: Period,
    pub used: Option<Shown>,
    pub tier: Option<PricedBy>,
    /// Whole minor units; negative for a credit.
    pub amount: Money,
    /// What of the bill's discount falls on it; not negative.
    pub discount: Money,
}

/// What a bill comes to for one meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillOverage {
    pub bill: BillId,
    pub used: Shown,
    /// The sum of the meter's lines.
    pub fee: Money,
}

/// A quantity in display units, rounded half away from zero.
pub fn display(meter: &Meter, quantity: Quantity) -> String {
    let unit = 10_i128.pow(u32::from(meter.scale)) * i128::from(meter.display.per.max(1));
    let scaled = i128::from(quantity.as_atoms()) * 10_i128.pow(DISPLAY_DECIMALS);
    let rounded = (2 * scaled.abs() + unit) / (2 * unit) * scaled.signum();
    let whole = 10_i128.pow(DISPLAY_DECIMALS);
    let sign = if rounded < 0 { "-" } else { "" };
    let decimals = format!("{:06}", rounded.abs() % whole);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals}", rounded.abs() / whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{MeterDisplay, MeterKind};

    fn meter(scale: u8, per: i64) -> Meter {
        let display = MeterDisplay { name: "GB".to_owned(), per };
        let code = MeterCode::parse("storage").unwrap();
        Meter { code, unit: "MB".to_owned(), scale, kind: MeterKind::Gauge, display }
    }

    #[test]
    fn quantities_are_shown_in_display_units_without_trailing_zeros() {
        let shown = |scale, per, atoms| display(&meter(scale, per), Quantity::atoms(atoms));
        assert_eq!(shown(3, 1024, 1_024_000), "1");
        assert_eq!(shown(3, 1024, 512_000), "0.5");
        assert_eq!(shown(0, 60, 1), "0.016667");
        assert_eq!(shown(0, 1, -1500), "-1500");
        assert_eq!(shown(5, 1024, 0), "0");
        assert_eq!(shown(9, i64::MAX, i64::MAX), "0");
    }
}
