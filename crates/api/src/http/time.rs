//! Times on the wire: RFC 3339, UTC, with as many decimals as the time has.

use chrono::{DateTime, SecondsFormat, Utc};

pub fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
