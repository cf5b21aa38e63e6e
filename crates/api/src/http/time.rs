//! Times on the wire: RFC 3339, UTC, with as many decimals as the time has.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

pub fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// How chrono writes a leap second: as more than a second of nanoseconds, which no database keeps.
const LEAP_NANOS: u32 = 1_000_000_000;

/// A time in a request. RFC 3339 has four digits for the year, and so have the databases.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Time(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time = DateTime::<Utc>::deserialize(deserializer)?;
        if !(1..=9999).contains(&time.year()) {
            return Err(D::Error::custom("must lie in the years 1 to 9999"));
        }
        if time.nanosecond() >= LEAP_NANOS {
            return Err(D::Error::custom("must not be a leap second"));
        }
        Ok(Self(time))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).examples(["2026-11-21T08:00:00Z"]).into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_second_is_no_time_and_the_seconds_beside_it_are() {
        let read = |text: &str| serde_json::from_str::<Time>(&format!("\"{text}\""));
        for valid in ["2016-12-31T23:59:59.999999999Z", "2017-01-01T00:00:00Z"] {
            assert!(read(valid).is_ok(), "{valid}");
        }
        for leap in ["2016-12-31T23:59:60Z", "2017-01-01T07:59:60.5+08:00"] {
            let error = read(leap).unwrap_err().to_string();
            assert!(error.contains("leap second"), "{leap}: {error}");
        }
    }
}
