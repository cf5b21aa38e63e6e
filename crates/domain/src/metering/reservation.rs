//! Reservations: quantities held for a use that is under way. Each ends exactly once: captured, released or expired.
//!
//! A reservation holds parts of grants by name. What it holds beside grants lies on the allowance as far as that
//! reaches and on overage beyond; `Counter::held_beside_grants` is the sum over open reservations.

use super::command::{Consume, Dimensions, MAX_ATOMS, Rejection, UsageKey};
use super::decide::{Part, Source};
use super::usage::UsageRecord;
use crate::error::LimitKind;
use crate::id::{AccountId, ApiKeyId, DebtId, GrantId, ReservationId, UsageId, UserId};
use crate::plans::{Meter, MeterCode, MeterKind};
use crate::quantity::Quantity;
use crate::text::hex;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Shortest life of a reservation.
pub const MIN_TTL: TimeDelta = TimeDelta::seconds(1);
/// Longest life of a reservation. Source: Autumn's locks.
pub const MAX_TTL: TimeDelta = TimeDelta::hours(24);
/// How long a reservation lives when nothing is said.
pub const DEFAULT_TTL: TimeDelta = TimeDelta::minutes(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReservationStatus {
    Open,
    Captured,
    Released,
    Expired,
}

impl ReservationStatus {
    pub const ALL: [Self; 4] = [Self::Open, Self::Captured, Self::Released, Self::Expired];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A quantity to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// What is to be used: its key names the reservation, and it occurs when it is reserved.
    pub wanted: Consume,
    /// [`MIN_TTL`] to [`MAX_TTL`].
    pub ttl: TimeDelta,
}

impl Reserve {
    /// Tells apart two reservations with one key.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.wanted.fingerprint());
        hash.update(self.ttl.num_milliseconds().to_be_bytes());
        hex(&hash.finalize()[..16])
    }

    /// Checks the command against its meter, before any account is looked at.
    pub fn admit(&self, meter: &Meter) -> Result<(), Rejection> {
        if meter.kind == MeterKind::Gauge {
            return Err(Rejection::invalid("meter", "is a gauge; only counters can be reserved"));
        }
        if !(MIN_TTL..=MAX_TTL).contains(&self.ttl) {
            let (least, most) = (MIN_TTL.num_seconds(), MAX_TTL.num_seconds());
            return Err(Rejection::invalid("ttl_seconds", format!("must be {least} to {most}")));
        }
        super::command::admit(&self.wanted, meter)
    }
}

/// How a reservation is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// So much was used, above zero; it may be more than was held.
    Capture(Quantity),
    Release,
    /// Its time is over; nothing happens before that.
    Expire,
}

impl Ending {
    /// Checks a quantity before any account is looked at.
    pub fn admit(self) -> Result<(), Rejection> {
        match self {
            Self::Capture(quantity) if !quantity.is_positive() => {
                Err(Rejection::invalid("quantity", "must be above zero; release what was not used"))
            }
            Self::Capture(quantity) if quantity.as_atoms().unsigned_abs() > MAX_ATOMS => {
                Err(Rejection::invalid("quantity", "is too large"))
            }
            _ => Ok(()),
        }
    }
}

/// An end of a reservation, asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub account: AccountId,
    pub reservation: ReservationId,
    pub how: Ending,
    /// With the same key the same end may be asked for again, and is answered again.
    pub key: Option<String>,
}

/// How a reservation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub status: ReservationStatus,
    pub at: DateTime<Utc>,
    /// The key under which the end was asked for.
    pub key: Option<String>,
    /// What was recorded as used; above zero when captured.
    pub captured: Quantity,
    /// What was used beyond and became a debt.
    pub shortfall: Quantity,
    /// The use that a capture recorded.
    pub usage: Option<UsageId>,
}

/// A quantity of a counter held for a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub id: ReservationId,
    pub account: AccountId,
    /// Unique per account among reservations, for ever.
    pub key: String,
    pub fingerprint: String,
    pub meter: MeterCode,
    pub quantity: Quantity,
    /// The period in which it was made, and in which a capture counts while that is open.
    pub period_start: DateTime<Utc>,
    pub user: Option<UserId>,
    pub api_key: Option<ApiKeyId>,
    pub dimensions: Dimensions,
    /// The funds it was decided from. Only the grants are held by name.
    pub parts: Vec<Part>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// `None` while it is open.
    pub ended: Option<Ended>,
}

impl Reservation {
    pub fn status(&self) -> ReservationStatus {
        self.ended.as_ref().map_or(ReservationStatus::Open, |ended| ended.status)
    }

    /// Whether it is open past its time.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && self.expires_at <= now
    }

    /// The parts of grants that it holds while it is open.
    pub fn grants(&self) -> impl Iterator<Item = (GrantId, Quantity)> {
        self.parts.iter().filter_map(|part| match part.source {
            Source::Grant(id) => Some((id, part.quantity)),
            _ => None,
        })
    }

    pub fn of_grants(&self) -> Quantity {
        self.grants().fold(Quantity::ZERO, |sum, (_, quantity)| sum.saturating_add(quantity))
    }

    /// The use that a capture records: it occurred when it was reserved.
    pub fn as_use(&self, quantity: Quantity) -> Consume {
        Consume {
            account: self.account,
            meter: self.meter.clone(),
            quantity,
            key: UsageKey::of_reservation(self.id),
            occurred_at: Some(self.created_at),
            dimensions: self.dimensions.clone(),
            user: self.user,
            api_key: self.api_key,
            key_is_limited: self.api_key.is_some(),
        }
    }

    /// What the end gave back of the quantity; nothing while it is open.
    pub fn given_back(&self) -> Quantity {
        self.ended.as_ref().map_or(Quantity::ZERO, |ended| self.quantity.left_after(ended.captured))
    }

    /// Whether this end is the one that ended it, asked for again under its key.
    pub fn ended_by(&self, end: &End) -> bool {
        let Some(ended) = &self.ended else { return false };
        let same = match end.how {
            Ending::Capture(quantity) => {
                let asked = ended.captured.saturating_add(ended.shortfall);
                ended.status == ReservationStatus::Captured && asked == quantity
            }
            Ending::Release => ended.status == ReservationStatus::Released,
            Ending::Expire => ended.status == ReservationStatus::Expired,
        };
        same && end.key.is_some() && end.key == ended.key
    }
}

/// The answer to a reservation or to an end of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub reservation: Reservation,
    /// What a capture recorded.
    pub usage: Option<Arc<UsageRecord>>,
    /// It was asked for before, and nothing was changed.
    pub duplicate: bool,
}

/// What was used beyond a reservation although no limit allowed it: owed, and for operators to settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    pub id: DebtId,
    pub account: AccountId,
    /// A reservation leaves one debt at most.
    pub reservation: ReservationId,
    /// The use that was recorded for what was held.
    pub usage: UsageId,
    pub meter: MeterCode,
    /// Above zero.
    pub quantity: Quantity,
    /// The limit that refused it; `None` when it could not even be counted or priced.
    pub refused_by: Option<LimitKind>,
    pub user: Option<UserId>,
    pub api_key: Option<ApiKeyId>,
    /// The period in which the use counts.
    pub period_start: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

/// Which reservations are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReservationFilter {
    /// Only those that this user made.
    pub user: Option<UserId>,
    pub status: Option<ReservationStatus>,
    pub meter: Option<MeterCode>,
}

#[cfg(test)]
#[path = "reservation_tests.rs"]
mod tests;
