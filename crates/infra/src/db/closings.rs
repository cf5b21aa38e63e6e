//! Closing quota periods: which are due, what they were used for, and which terms are renewed.

use super::bills::accounts_of;
use super::bulk::{self, Existing};
use super::columns::{corrupt, currency, meter, one_of, rows_per_statement, sum};
use super::entity::{billing_record, billing_tariff_mark, quota_period, usage_key, usage_record, user_subscription};
use super::error::store_error;
use super::repos::Repos;
use super::subscriptions::opened_period;
use super::usage::{first_id_at, record};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{BillKind, BillStatus, BilledRows, ClosingRepository, Slot, TariffMark, UsageSum};
use domain::id::{AccountId, PlanVersionId};
use domain::metering::{MAX_EARLY, UsageRecord};
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::plans::OpenedPeriod;
use domain::quantity::Quantity;
use domain::store::StoreResult;
use domain::time::Period;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const MARKS: &str = "billing_tariff_marks";
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

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ClosingRepository for Repos<C> {
    async fn due(
        &self,
        until: DateTime<Utc>,
        began_before: Option<DateTime<Utc>>,
        skip: u64,
        most: u64,
    ) -> StoreResult<Vec<AccountId>> {
        use quota_period::Column as P;
        let mut query = open(until, began_before).select_only().column(P::AccountId);
        // It is NULL in every row. PostgreSQL sees the index's order only when it is named, MariaDB only when it is not: else
        // each call reads and sorts all that is left.
        if self.conn.get_database_backend() != DbBackend::MySql {
            query = query.order_by_asc(P::ClosedAt);
        }
        let ids: Vec<Uuid> = query
            .order_by_asc(P::PeriodStart)
            .order_by_asc(P::AccountId)
            .offset(skip)
            .limit(most)
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        Ok(ids.into_iter().map(AccountId::from_uuid).collect())
    }

    async fn count_due(&self, until: DateTime<Utc>, began_before: Option<DateTime<Utc>>) -> StoreResult<u64> {
        open(until, began_before).count(&self.conn).await.map_err(store_error)
    }

    async fn open_periods(
        &self,
        accounts: &[AccountId],
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod)>> {
        use quota_period::Column as P;
        let mut periods = Vec::new();
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let ids = chunk.iter().map(|account| account.as_uuid()).collect();
            let query = open(until, None)
                .filter(one_of(self.conn.get_database_backend(), P::AccountId, ids))
                .order_by_asc(P::AccountId)
                .order_by_asc(P::PeriodStart);
            for row in query.all(&self.conn).await.map_err(store_error)? {
                periods.push((AccountId::from_uuid(row.account_id), opened_period(&row)?));
            }
        }
        Ok(periods)
    }

    async fn ended(
        &self,
        began: Period,
        until: DateTime<Utc>,
        after: Option<Slot>,
        most: u64,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod, bool)>> {
        use quota_period::Column as P;
        let mut query = quota_period::Entity::find()
            .filter(P::PeriodStart.gte(began.start))
            .filter(P::PeriodStart.lt(began.end))
            .filter(P::PeriodEnd.lte(until))
            .order_by_asc(P::AccountId)
            .order_by_asc(P::PeriodStart)
            .limit(most);
        if let Some((account, start)) = after {
            let same = Condition::all().add(P::AccountId.eq(account.as_uuid())).add(P::PeriodStart.gt(start));
            query = query.filter(Condition::any().add(P::AccountId.gt(account.as_uuid())).add(same));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        rows.iter()
            .map(|row| Ok((AccountId::from_uuid(row.account_id), opened_period(row)?, row.closed_at.is_some())))
            .collect()
    }

    async fn rows_are_gone(&self, account: AccountId, recorded: Period) -> StoreResult<bool> {
        use usage_key::Column as K;
        use usage_record::Column as U;
        let row = Query::select()
            .expr(Expr::val(1))
            .from(usage_record::Entity)
            .and_where(U::AccountId.into_expr().equals((usage_key::Entity, K::AccountId)))
            .and_where(U::Id.into_expr().equals((usage_key::Entity, K::UsageId)))
            .to_owned();
        let query = usage_key::Entity::find()
            .filter(K::AccountId.eq(account.as_uuid()))
            .filter(K::UsageId.gte(first_id_at(recorded.start - MAX_EARLY)))
            .filter(K::UsageId.lt(first_id_at(recorded.end)))
            .filter(Expr::exists(row).not());
        Ok(query.one(&self.conn).await.map_err(store_error)?.is_some())
    }

    async fn close(&self, periods: &[(AccountId, OpenedPeriod)], now: DateTime<Utc>) -> StoreResult<()> {
        use quota_period::Column as P;
        use user_subscription::Column as S;
        // Accounts of one anchor day share their periods, so there are few groups.
        let (mut starts, mut ends) = (BTreeMap::<_, Vec<Uuid>>::new(), BTreeMap::<AccountId, DateTime<Utc>>::new());
        for (account, opened) in periods {
            starts.entry(opened.period.start).or_default().push(account.as_uuid());
            let end = ends.entry(*account).or_insert(opened.period.end);
            if *end < opened.period.end {
                *end = opened.period.end;
            }
        }
        let backend = self.conn.get_database_backend();
        for (start, accounts) in starts {
            for chunk in accounts.chunks(rows_per_statement(1)) {
                let update = quota_period::Entity::update_many()
                    .col_expr(P::ClosedAt, Expr::value(now))
                    .filter(one_of(backend, P::AccountId, chunk.to_vec()))
                    .filter(P::PeriodStart.eq(start))
                    .filter(P::ClosedAt.is_null());
                update.exec(&self.conn).await.map_err(store_error)?;
            }
        }
        let mut until = BTreeMap::<DateTime<Utc>, Vec<Uuid>>::new();
        for (account, end) in ends {
            until.entry(end).or_default().push(account.as_uuid());
        }
        for (end, accounts) in until {
            for chunk in accounts.chunks(rows_per_statement(1)) {
                let later = Condition::any().add(S::ClosedUntil.is_null()).add(S::ClosedUntil.lt(end));
                let update = user_subscription::Entity::update_many()
                    .col_expr(S::ClosedUntil, Expr::value(end))
                    .filter(one_of(backend, S::AccountId, chunk.to_vec()))
                    .filter(later);
                update.exec(&self.conn).await.map_err(store_error)?;
            }
        }
        Ok(())
    }

    async fn mark(&self, marks: &[TariffMark]) -> StoreResult<()> {
        let slots: Vec<Slot> = marks.iter().map(|mark| (mark.account, mark.period_start)).collect();
        let there = self.marks(&slots).await?;
        let same = |a: &TariffMark, b: &TariffMark| {
            (a.account, a.period_start, &a.meter, a.position) == (b.account, b.period_start, &b.meter, b.position)
        };
        let fresh = marks.iter().filter(|mark| !there.iter().any(|known| same(known, mark)));
        let rows: Vec<_> = fresh.map(mark_row).collect();
        bulk::insert::<billing_tariff_mark::Entity>(&self.conn, &rows, Existing::Fail).await
    }

    async fn marks(&self, slots: &[Slot]) -> StoreResult<Vec<TariffMark>> {
        use billing_tariff_mark::Column as M;
        let wanted: BTreeSet<Slot> = slots.iter().copied().collect();
        let mut marks = Vec::new();
        for chunk in accounts_of(slots).chunks(rows_per_statement(1)) {
            let query = billing_tariff_mark::Entity::find()
                .filter(one_of(self.conn.get_database_backend(), M::AccountId, chunk.to_vec()))
                .order_by_asc(M::Position);
            for row in query.all(&self.conn).await.map_err(store_error)? {
                marks.push(mark_of(&row)?);
            }
        }
        marks.retain(|mark| wanted.contains(&(mark.account, mark.period_start)));
        Ok(marks)
    }

    async fn usage_sums(&self, slots: &[Slot], only_adjustments: bool) -> StoreResult<Vec<UsageSum>> {
        use usage_record::Column as U;
        let (backend, mut sums) = (self.conn.get_database_backend(), Vec::new());
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
                for row in query.into_model::<SumRow>().all(&self.conn).await.map_err(store_error)? {
                    sums.push(usage_sum(&row)?);
                }
            }
        }
        Ok(sums)
    }

    async fn rows(
        &self,
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
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let records = rows.into_iter().map(record).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(records, page.limit, |record| record.id.as_uuid()))
    }

    async fn renewals(
        &self,
        until: DateTime<Utc>,
        free: &[String],
        skip: u64,
        most: u64,
    ) -> StoreResult<Vec<AccountId>> {
        use billing_record::Column as B;
        use user_subscription::Column as S;
        let bills = Query::select()
            .expr(Expr::val(1))
            .from(billing_record::Entity)
            .and_where(B::AccountId.into_expr().equals((user_subscription::Entity, S::AccountId)))
            .and_where(B::PeriodStart.into_expr().equals((user_subscription::Entity, S::TermEnd)))
            .and_where(B::Kind.eq(BillKind::Subscription.name()))
            .and_where(B::Status.ne(BillStatus::Void.name()))
            .to_owned();
        let costs =
            Condition::any().add(S::PlanCode.is_not_in(free.iter().cloned())).add(S::ScheduledChange.is_not_null());
        let ids: Vec<Uuid> = user_subscription::Entity::find()
            .select_only()
            .column(S::AccountId)
            .filter(S::TermEnd.lte(until))
            .filter(S::CancelAtTermEnd.eq(false))
            .filter(S::Status.is_in(["active", "past_due"]))
            .filter(costs)
            .filter(Expr::exists(bills).not())
            .order_by_asc(S::TermEnd)
            .order_by_asc(S::AccountId)
            .offset(skip)
            .limit(most)
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        Ok(ids.into_iter().map(AccountId::from_uuid).collect())
    }
}

fn open(until: DateTime<Utc>, began_before: Option<DateTime<Utc>>) -> Select<quota_period::Entity> {
    use quota_period::Column as P;
    let query = quota_period::Entity::find().filter(P::ClosedAt.is_null()).filter(P::PeriodEnd.lte(until));
    match began_before {
        Some(time) => query.filter(P::PeriodStart.lt(time)),
        None => query,
    }
}

fn total(backend: sea_orm::DbBackend, column: &'static str) -> SimpleExpr {
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

fn mark_row(mark: &TariffMark) -> billing_tariff_mark::Model {
    billing_tariff_mark::Model {
        account_id: mark.account.as_uuid(),
        period_start: mark.period_start,
        meter: mark.meter.to_string(),
        position: mark.position.as_atoms(),
        plan_version_id: mark.version.as_uuid(),
        seats: i32::try_from(mark.seats).unwrap_or(i32::MAX),
    }
}

fn mark_of(row: &billing_tariff_mark::Model) -> StoreResult<TariffMark> {
    if row.position < 0 {
        return Err(corrupt(MARKS, "position"));
    }
    Ok(TariffMark {
        account: AccountId::from_uuid(row.account_id),
        period_start: row.period_start,
        meter: meter(&row.meter, MARKS)?,
        position: Quantity::atoms(row.position),
        version: PlanVersionId::from_uuid(row.plan_version_id),
        seats: u32::try_from(row.seats).map_err(|_| corrupt(MARKS, "seats"))?,
    })
}
