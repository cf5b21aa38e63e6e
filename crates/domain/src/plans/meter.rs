//! Meters: what is counted, in which unit, and how finely.

use super::MeterCode;
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};

/// Most decimals of a meter's unit.
pub const MAX_SCALE: u8 = 9;

/// How a meter's level behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterKind {
    /// Starts at zero each period and only rises.
    Counter,
    /// A level that goes up and down, carries over, and is billed on the period's peak.
    Gauge,
}

impl MeterKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// How bills show a meter: in units of `per` times the meter's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterDisplay {
    pub name: String,
    /// The meter's units in one display unit, at least 1: 1024 for MB shown in GB.
    pub per: i64,
}

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    pub code: MeterCode,
    /// The unit of quantities in requests and answers.
    pub unit: String,
    /// An atom is `10^-scale` of the unit; 0 to [`MAX_SCALE`].
    pub scale: u8,
    pub kind: MeterKind,
    pub display: MeterDisplay,
}

impl Meter {
    /// Writes a quantity in the meter's unit.
    pub fn to_decimal(&self, quantity: Quantity) -> String {
        quantity.to_decimal(self.scale)
    }
}
