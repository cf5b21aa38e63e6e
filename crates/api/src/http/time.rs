//! Times on the wire: RFC 3339, UTC, with as many decimals as the time has.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

pub fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A time in a request. RFC 3339 has four digits for the year, and so have the databases.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Time(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time = DateTime::<Utc>::deserialize(deserializer)?;
        if (1..=9999).contains(&time.year()) {
            Ok(Self(time))
        } else {
            Err(D::Error::custom("must lie in the years 1 to 9999"))
        }
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).examples(["2026-11-21T08:00:00Z"]).into()
    }
}

impl ToSchema for Time {}
