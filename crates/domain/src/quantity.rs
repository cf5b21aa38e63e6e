//! Quantities of a meter, counted in atoms.
//!
//! An atom is `10^-scale` of the meter's unit; the meter knows its scale (words 0, traffic in MB 5).

use crate::decimal::{self, DecimalError};
use serde::{Deserialize, Serialize};

/// A count of a meter's atoms. Signed: a gauge is released with a negative quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i64::MAX);

    /// A count of atoms.
    pub const fn atoms(atoms: i64) -> Self {
        Self(atoms)
    }

    /// Reads a decimal in the meter's unit; `scale` is the meter's.
    pub fn parse(text: &str, scale: u8) -> Result<Self, DecimalError> {
        decimal::parse_scaled(text, scale).map(Self)
    }

    /// Writes the decimal in the meter's unit.
    pub fn to_decimal(self, scale: u8) -> String {
        decimal::format_scaled(self.0, scale, 0)
    }

    pub const fn as_atoms(self) -> i64 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `self × times`, for allowances sold per seat.
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        self.0.checked_mul(i64::from(times)).map(Self)
    }

    /// The difference, but never below zero: what is left of a limit that may have shrunk.
    #[must_use]
    pub fn left_after(self, used: Self) -> Self {
        Self(self.0.saturating_sub(used.0).max(0))
    }

    /// The sum, held at the largest representable count.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
