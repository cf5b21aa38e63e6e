//! The rollups `usage_hourly` and `usage_daily`: the rows of a commit, and summing them up.

use super::bulk::Existing;
use super::columns::{meter, sum};
use super::entity::{usage_daily, usage_hourly};
use super::error::store_error;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::id::{ApiKeyId, UserId};
use domain::metering::{GroupBy, Rollup, RollupKey, RollupSums, SummaryFilter, SummaryRow};
use domain::store::StoreResult;
use domain::time::local_day;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

const SUMS: [&str; 3] = ["quantity", "amount_nanos", "events"];
const KEY: [&str; 6] = ["account_id", "bucket", "meter", "model", "api_key_id", "user_id"];

/// What is added to the row of a rollup that exists.
pub const ADDING: Existing = Existing::Add(&KEY, &SUMS);

/// The rows that a commit adds to `usage_hourly`.
pub fn hourly(rollup: &Rollup) -> Vec<usage_hourly::Model> {
    let row = |(key, sums): (&RollupKey<DateTime<Utc>>, &RollupSums)| usage_hourly::Model {
        account_id: key.account.as_uuid(),
        bucket: key.bucket,
        meter: key.meter.to_string(),
        model: key.model.clone(),
        api_key_id: key.api_key.map_or(Uuid::nil(), ApiKeyId::as_uuid),
        user_id: key.user.map_or(Uuid::nil(), UserId::as_uuid),
        quantity: sums.quantity,
        amount_nanos: sums.amount_nanos,
        events: sums.events,
    };
    rollup.hourly.iter().map(row).collect()
}

/// The rows that a commit adds to `usage_daily`.
pub fn daily(rollup: &Rollup) -> Vec<usage_daily::Model> {
    let row = |(key, sums): (&RollupKey<NaiveDate>, &RollupSums)| usage_daily::Model {
        account_id: key.account.as_uuid(),
        bucket: key.bucket.to_string(),
        meter: key.meter.to_string(),
        model: key.model.clone(),
        api_key_id: key.api_key.map_or(Uuid::nil(), ApiKeyId::as_uuid),
        user_id: key.user.map_or(Uuid::nil(), UserId::as_uuid),
        quantity: sums.quantity,
        amount_nanos: sums.amount_nanos,
        events: sums.events,
    };
    rollup.daily.iter().map(row).collect()
}

/// Sums the rollup that fits the filter: hours by the hour, everything else by the day.
pub async fn summarise<C: ConnectionTrait>(
    conn: &C,
    filter: &SummaryFilter,
    most: u64,
) -> StoreResult<Vec<SummaryRow>> {
    let group = column_of(filter.group_by);
    let mut select = Query::select();
    select.column(Alias::new(group)).column(Alias::new("meter"));
    for column in SUMS {
        select.expr_as(Expr::cust(sum(conn.get_database_backend(), column)), Alias::new(format!("sum_{column}")));
    }
    between(&mut select, filter);
    select.and_where(Expr::col(Alias::new("account_id")).eq(filter.account.as_uuid()));
    if let Some(user) = filter.user {
        select.and_where(Expr::col(Alias::new("user_id")).eq(user.as_uuid()));
    }
    select.add_group_by([Expr::col(Alias::new(group)), Expr::col(Alias::new("meter"))]);
    select.order_by(Alias::new(group), Order::Asc).order_by(Alias::new("meter"), Order::Asc).limit(most);
    let rows = conn.query_all(&select).await.map_err(store_error)?;
    rows.iter().map(|row| summary_row(row, filter.group_by)).collect()
}

fn column_of(group_by: GroupBy) -> &'static str {
    match group_by {
        GroupBy::Hour | GroupBy::Day => "bucket",
        GroupBy::Meter => "meter",
        GroupBy::Model => "model",
        GroupBy::ApiKey => "api_key_id",
        GroupBy::User => "user_id",
    }
}

fn between(select: &mut SelectStatement, filter: &SummaryFilter) {
    let bucket = || Expr::col(Alias::new("bucket"));
    if filter.group_by == GroupBy::Hour {
        select.from(Alias::new("usage_hourly"));
        select.and_where(bucket().gte(filter.from)).and_where(bucket().lt(filter.to));
    } else {
        select.from(Alias::new("usage_daily"));
        let last = filter.to - chrono::TimeDelta::microseconds(1);
        select.and_where(bucket().gte(local_day(filter.from, filter.zone).to_string()));
        select.and_where(bucket().lte(local_day(last, filter.zone).to_string()));
    }
}

fn summary_row(row: &QueryResult, group_by: GroupBy) -> StoreResult<SummaryRow> {
    let code: String = row.try_get("", "meter").map_err(store_error)?;
    let named = |id: Uuid, name: String| if id.is_nil() { String::new() } else { name };
    let group = match group_by {
        GroupBy::Hour => {
            let hour: DateTime<Utc> = row.try_get("", "bucket").map_err(store_error)?;
            hour.to_rfc3339_opts(SecondsFormat::Secs, true)
        }
        GroupBy::Day => row.try_get("", "bucket").map_err(store_error)?,
        GroupBy::Meter => code.clone(),
        GroupBy::Model => row.try_get("", "model").map_err(store_error)?,
        GroupBy::ApiKey => {
            let id: Uuid = row.try_get("", "api_key_id").map_err(store_error)?;
            named(id, ApiKeyId::from_uuid(id).to_string())
        }
        GroupBy::User => {
            let id: Uuid = row.try_get("", "user_id").map_err(store_error)?;
            named(id, UserId::from_uuid(id).to_string())
        }
    };
    Ok(SummaryRow {
        group,
        meter: meter(&code, "usage_daily")?,
        quantity: row.try_get("", "sum_quantity").map_err(store_error)?,
        amount_nanos: row.try_get("", "sum_amount_nanos").map_err(store_error)?,
        events: row.try_get("", "sum_events").map_err(store_error)?,
    })
}
