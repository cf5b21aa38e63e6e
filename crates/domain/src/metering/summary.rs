//! Rollups: sums of usage by hour and day, written in the transaction that writes the usage.

use super::usage::UsageRecord;
use crate::id::{AccountId, ApiKeyId, UserId};
use crate::plans::MeterCode;
use crate::time::{hour_start, local_day};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// What one rollup row is about, besides its bucket of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RollupKey<B> {
    pub account: AccountId,
    pub bucket: B,
    pub meter: MeterCode,
    /// Empty when none was said.
    pub model: String,
    pub api_key: Option<ApiKeyId>,
    pub user: Option<UserId>,
}

/// Sums to be added to one rollup row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RollupSums {
    pub quantity: i64,
    pub amount_nanos: i64,
    pub events: i64,
}

/// What a commit adds to the hourly and daily sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    pub hourly: BTreeMap<RollupKey<DateTime<Utc>>, RollupSums>,
    pub daily: BTreeMap<RollupKey<NaiveDate>, RollupSums>,
}

impl Rollup {
    /// Sums rows by UTC hour and by local day of `zone`.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a UsageRecord>, zone: Tz) -> Self {
        let mut rollup = Self::default();
        for record in records {
            add(&mut rollup.hourly, hour_start(record.occurred_at), record);
            add(&mut rollup.daily, local_day(record.occurred_at, zone), record);
        }
        rollup
    }
}

fn add<B: Ord>(sums: &mut BTreeMap<RollupKey<B>, RollupSums>, bucket: B, record: &UsageRecord) {
    let key = RollupKey {
        account: record.account,
        bucket,
        meter: record.meter.clone(),
        model: record.dimensions.model().to_owned(),
        api_key: record.api_key,
        user: record.user,
    };
    let row = sums.entry(key).or_default();
    row.quantity = row.quantity.saturating_add(record.quantity.as_atoms());
    row.amount_nanos = row.amount_nanos.saturating_add(record.amount().nanos());
    row.events += 1;
}

/// How `GET /usage/summary` groups its sums, each time also by meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    Hour,
    Day,
    Meter,
    Model,
    ApiKey,
    User,
}

/// Which usage is summed: `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummaryFilter {
    pub account: AccountId,
    /// Whose usage; `None` is everybody's.
    pub user: Option<UserId>,
    pub group_by: GroupBy,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub zone: Tz,
}

/// One sum; the amount is in the billing currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The hour (RFC 3339), day, meter, model or id that the row is about.
    pub group: String,
    pub meter: MeterCode,
    pub quantity: i64,
    pub amount_nanos: i64,
    pub events: i64,
}
