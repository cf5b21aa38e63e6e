//! What usage rows say of a period that is being closed.

use super::columns::{currency, meter, one_of, rows_per_statement, sum};
use super::entity::usage_record;
use super::error::store_error;
use super::usage::{first_id_at, record};
use chrono::{DateTime, Utc};
use domain::billing::{BilledRows, Slot, UsageSum};
use domain::id::AccountId;
use domain::metering::{MAX_EARLY, UsageRecord};
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::BTreeMap;
use uuid::Uuid;

const USAGE: &str = "usage_records";

#[derive(FromQueryResult)]
struct SumRow {
    account_id: Uuid,
    period_start: DateTime<Utc>,
    meter: String,
    adjustment: bool,
    currency: String,
    overage: i64,
    wallet: i64,
    fee: i64,
}

/// What was owed and paid in each slot, by meter.
pub async fn sums(conn: &impl ConnectionTrait, slots: &[Slot], only_adjustments: bool) -> StoreResult<Vec<UsageSum>> {
    use usage_record::Column as U;
    let (backend, mut sums) = (conn.get_database_backend(), Vec::new());
    let mut starts = BTreeMap::<DateTime<Utc>, Vec<Uuid>>::new();
    for (account, start) in slots {
        starts.entry(*start).or_default().push(account.as_uuid());
    }
    for (start, accounts) in starts {
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let mut query = usage_record::Entity::find()
                .select_only()
                .columns([U::AccountId, U::PeriodStart, U::Meter, U::Adjustment, U::Currency])
                .column_as(total(backend, "from_overage"), "overage")
                .column_as(total(backend, "from_wallet"), "wallet")
                .column_as(total(backend, "amount_nanos"), "fee")
                .filter(one_of(backend, U::AccountId, chunk.to_vec()))
                // What counts in a period was recorded after it began, but for the difference of two clocks.
                .filter(U::Id.gte(first_id_at(start - MAX_EARLY)))
                .filter(U::PeriodStart.eq(start))
                .filter(Condition::any().add(U::FromOverage.ne(0)).add(U::FromWallet.ne(0)));
            if only_adjustments {
                query = query.filter(U::Adjustment.eq(true));
            }
            for column in [U::AccountId, U::PeriodStart, U::Meter, U::Adjustment, U::Currency] {
                query = query.group_by(column);
            }
            for row in query.into_model::<SumRow>().all(conn).await.map_err(store_error)? {
                sums.push(usage_sum(&row)?);
            }
        }
    }
    Ok(sums)
}

/// The usage rows that a bill of a slot is made of.
pub async fn rows(
    conn: &impl ConnectionTrait,
    (account, start): Slot,
    which: &BilledRows,
    page: PageRequest,
) -> StoreResult<Page<UsageRecord>> {
    use usage_record::Column as U;
    let conditions = [
        which.meter.as_ref().map(|meter| U::Meter.eq(meter.as_str())),
        which.adjustment.map(|late| U::Adjustment.eq(late)),
        which.since.map(|since| U::RecordedAt.gte(since)),
        which.until.map(|until| U::RecordedAt.lt(until)),
        page.before.map(|before| U::Id.lt(before)),
    ];
    let query = usage_record::Entity::find()
        .filter(U::AccountId.eq(account.as_uuid()))
        .filter(U::Id.gte(first_id_at(start - MAX_EARLY)))
        .filter(U::PeriodStart.eq(start))
        .filter(Condition::any().add(U::FromOverage.ne(0)).add(U::AmountNanos.ne(0)));
    let query = conditions.into_iter().flatten().fold(query, QueryFilter::filter);
    let query = query.order_by_desc(U::Id).limit(u64::from(page.limit) + 1);
    let rows = query.all(conn).await.map_err(store_error)?;
    let records = rows.into_iter().map(record).collect::<StoreResult<Vec<_>>>()?;
    Ok(Page::cut(records, page.limit, |record| record.id.as_uuid()))
}

fn total(backend: DbBackend, column: &'static str) -> SimpleExpr {
    Expr::cust(sum(backend, column))
}

fn usage_sum(row: &SumRow) -> StoreResult<UsageSum> {
    let overage = Quantity::atoms(row.overage).saturating_add(Quantity::atoms(row.wallet));
    Ok(UsageSum {
        account: AccountId::from_uuid(row.account_id),
        period_start: row.period_start,
        meter: meter(&row.meter, USAGE)?,
        adjustment: row.adjustment,
        overage,
        fee: Money::from_nanos(row.fee, currency(&row.currency, USAGE)?),
    })
}
