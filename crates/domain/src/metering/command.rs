//! The consume command, and what can be said about it without looking at any account.

use super::reservation::ReservationStatus;
use crate::error::{Error, FieldError, Refusal};
use crate::id::{AccountId, ApiKeyId, ReservationId, UsageId, UserId};
use crate::plans::{Meter, MeterCode, MeterKind};
use crate::quantity::Quantity;
use crate::text::hex;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Longest usage key, in characters.
pub const MAX_KEY_CHARS: usize = 255;
/// Most atoms of one event: thousands of them still add up within 64 bits.
pub const MAX_ATOMS: u64 = 1_000_000_000_000_000;
/// Most dimensions of one event.
pub const MAX_DIMENSIONS: usize = 16;
const MAX_DIMENSION_NAME: usize = 64;
const MAX_DIMENSION_VALUE: usize = 128;
/// The code of a repetition whose receipt is gone.
pub const RECEIPT_DELETED: &str = "receipt_deleted";
/// How far back an event may have occurred. Source: Stripe meter events.
pub const MAX_LATE: TimeDelta = TimeDelta::days(35);
/// How far ahead of our clock an event may lie. Source: Stripe meter events.
pub const MAX_EARLY: TimeDelta = TimeDelta::minutes(5);

/// Begins the keys of captured reservations; no client's key has a control character.
const RESERVED_KEY: char = '\u{1f}';

/// The client's name for one use: unique per account, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageKey(String);

impl UsageKey {
    /// 1 to 255 characters without control characters.
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        let plain = (1..=MAX_KEY_CHARS).contains(&length) && !text.chars().any(char::is_control);
        plain.then(|| Self(text.to_owned()))
    }

    /// The key under which the capture of a reservation is recorded.
    pub fn of_reservation(id: ReservationId) -> Self {
        Self(format!("{RESERVED_KEY}{id}"))
    }

    /// The reservation whose capture is recorded under the key.
    pub fn reservation(key: &str) -> Option<ReservationId> {
        key.strip_prefix(RESERVED_KEY)?.parse().ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Free labels of an event; `model` is also a column of the statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dimensions(BTreeMap<String, String>);

impl Dimensions {
    /// Up to 16 names of 64 and values of 128 characters, without control characters.
    pub fn new(labels: BTreeMap<String, String>) -> Result<Self, Error> {
        if labels.len() > MAX_DIMENSIONS {
            return Err(Error::invalid("dimensions", format!("has more than {MAX_DIMENSIONS} entries")));
        }
        let fits = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        for (name, value) in &labels {
            if name.is_empty() || !fits(name, MAX_DIMENSION_NAME) || !fits(value, MAX_DIMENSION_VALUE) {
                return Err(Error::invalid("dimensions", "has an empty, too long or unprintable entry"));
            }
        }
        Ok(Self(labels))
    }

    /// The model used, empty when none was said.
    pub fn model(&self) -> &str {
        self.0.get("model").map_or("", String::as_str)
    }

    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// One use of one meter, to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consume {
    pub account: AccountId,
    pub meter: MeterCode,
    /// In atoms of the meter; negative releases a gauge.
    pub quantity: Quantity,
    pub key: UsageKey,
    /// When it happened; `None` is now.
    pub occurred_at: Option<DateTime<Utc>>,
    pub dimensions: Dimensions,
    /// Who used it, when that is known.
    pub user: Option<UserId>,
    /// The API key through which it came.
    pub api_key: Option<ApiKeyId>,
    /// Whether that key has an allowance of its own, as far as its caller is known.
    pub key_is_limited: bool,
}

impl Consume {
    /// Tells apart two commands with one key: 32 hex digits over everything the client said.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        field(self.meter.as_str().as_bytes());
        field(&self.quantity.as_atoms().to_be_bytes());
        field(self.occurred_at.map_or_else(String::new, |time| time.to_rfc3339()).as_bytes());
        field(self.user.map_or_else(String::new, |user| user.to_string()).as_bytes());
        for (name, value) in self.dimensions.labels() {
            field(name.as_bytes());
            field(value.as_bytes());
        }
        hex(&hash.finalize()[..16])
    }
}

/// Why one command of a batch was not done; the others are not touched by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    Invalid(FieldError),
    Refused(Refusal),
    /// The key was used before for something else.
    KeyReused,
    /// The key was used before for the same thing, and its row was deleted after the retention.
    ReceiptDeleted(UsageId),
    /// No such account.
    UnknownAccount,
    /// No such reservation of this account.
    UnknownReservation,
    /// The reservation ended before, and in another way.
    Closed {
        how: ReservationStatus,
        at: DateTime<Utc>,
    },
}

impl Rejection {
    pub fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self::Invalid(FieldError { field: field.to_owned(), reason: reason.into() })
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Invalid(field) => Self::Invalid(vec![field]),
            Rejection::Refused(refusal) => refusal.into(),
            Rejection::KeyReused => Self::KeyReused,
            Rejection::ReceiptDeleted(usage) => Self::conflict(
                RECEIPT_DELETED,
                format!(
                    "The key was used before, for {usage}. Its receipt is no longer kept; nothing was counted again."
                ),
            ),
            Rejection::UnknownAccount => Self::NotFound("account"),
            Rejection::UnknownReservation => Self::NotFound("reservation"),
            Rejection::Closed { how, at } => Self::Ended { how: how.name(), at },
        }
    }
}

/// Checks a command against its meter, before any account is looked at.
pub fn admit(command: &Consume, meter: &Meter) -> Result<(), Rejection> {
    let quantity = command.quantity;
    if quantity.is_zero() {
        return Err(Rejection::invalid("quantity", "must not be zero"));
    }
    if quantity.as_atoms().unsigned_abs() > MAX_ATOMS {
        return Err(Rejection::invalid("quantity", "is too large"));
    }
    if quantity.is_negative() && meter.kind == MeterKind::Counter {
        return Err(Rejection::invalid("quantity", "must be above zero: this meter only counts up"));
    }
    Ok(())
}

/// Checks when a use occurred. Only new keys are asked: a repetition is answered however late it comes.
pub fn admit_time(command: &Consume, now: DateTime<Utc>) -> Result<(), Rejection> {
    match command.occurred_at {
        Some(time) if time > now + MAX_EARLY => {
            Err(Rejection::invalid("occurred_at", "lies more than 5 minutes in the future"))
        }
        Some(time) if time < now - MAX_LATE => Err(Rejection::invalid("occurred_at", "lies more than 35 days back")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::MeterDisplay;

    fn meter(kind: MeterKind) -> Meter {
        Meter {
            code: MeterCode::parse("words").unwrap(),
            unit: "word".into(),
            scale: 0,
            kind,
            display: MeterDisplay { name: "字".into(), per: 1 },
        }
    }

    fn command(quantity: i64, occurred_at: Option<DateTime<Utc>>) -> Consume {
        Consume {
            account: AccountId::from_uuid(uuid::Uuid::nil()),
            meter: MeterCode::parse("words").unwrap(),
            quantity: Quantity::atoms(quantity),
            key: UsageKey::parse("k").unwrap(),
            occurred_at,
            dimensions: Dimensions::default(),
            user: None,
            api_key: None,
            key_is_limited: false,
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_counter_takes_only_what_is_above_zero_and_a_gauge_also_releases() {
        assert!(admit(&command(1, None), &meter(MeterKind::Counter)).is_ok());
        assert!(admit(&command(0, None), &meter(MeterKind::Gauge)).is_err());
        assert!(admit(&command(-1, None), &meter(MeterKind::Counter)).is_err());
        assert!(admit(&command(-1, None), &meter(MeterKind::Gauge)).is_ok());
    }

    #[test]
    fn absurd_quantities_are_refused_at_their_bound() {
        let most = i64::try_from(MAX_ATOMS).unwrap();
        for (quantity, fits) in [(most, true), (most + 1, false), (i64::MAX, false), (-most, true), (i64::MIN, false)] {
            assert_eq!(admit(&command(quantity, None), &meter(MeterKind::Gauge)).is_ok(), fits, "{quantity}");
        }
    }

    #[test]
    fn events_are_taken_from_35_days_back_to_5_minutes_ahead() {
        let micro = TimeDelta::microseconds(1);
        for (time, fits) in [
            (now() + MAX_EARLY, true),
            (now() + MAX_EARLY + micro, false),
            (now() - MAX_LATE, true),
            (now() - MAX_LATE - micro, false),
        ] {
            assert_eq!(admit_time(&command(1, Some(time)), now()).is_ok(), fits, "{time}");
        }
    }

    #[test]
    fn other_content_has_another_fingerprint() {
        let base = command(1, None);
        let mut labelled = base.clone();
        labelled.dimensions = Dimensions::new([("model".to_owned(), "a".to_owned())].into()).unwrap();
        let mut shifted = base.clone();
        shifted.dimensions = Dimensions::new([("modela".to_owned(), String::new())].into()).unwrap();
        let prints = [base.clone(), command(2, None), command(1, Some(now())), labelled, shifted];
        let unique: std::collections::BTreeSet<_> = prints.iter().map(Consume::fingerprint).collect();
        assert_eq!(unique.len(), prints.len());
        assert_eq!(base.fingerprint(), base.clone().fingerprint());
    }
}
