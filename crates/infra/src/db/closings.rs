//! Closing quota periods: which are due, what they were used for, and which terms are renewed.

use super::bulk::Existing;
use super::columns::{one_of, rows_per_statement};
use super::entity::{
    account, billing_record, billing_tariff_mark, quota_period, usage_key, usage_record, user_subscription,
};
use super::error::store_error;
use super::planning::{nulls_in_order, still_null};
use super::repos::Repos;
use super::subscriptions::opened_period;
use super::usage::first_id_at;
use super::{closing_usage, tariff_marks};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{BillKind, BillStatus, BilledRows, ClosingRepository, EndedPeriods, Slot, TariffMark, UsageSum};
use domain::id::AccountId;
use domain::metering::{MAX_EARLY, UsageRecord};
use domain::page::{Page, PageRequest};
use domain::plans::OpenedPeriod;
use domain::store::StoreResult;
use domain::time::Period;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

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
        let query = open(until, began_before).select_only().column(P::AccountId);
        let ids: Vec<Uuid> = nulls_in_order(&self.conn, query, P::ClosedAt)
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
        let (backend, mut periods) = (self.conn.get_database_backend(), Vec::new());
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let ids = chunk.iter().map(|account| account.as_uuid()).collect();
            let query = quota_period::Entity::find()
                .filter(one_of(backend, P::AccountId, ids))
                .filter(still_null(backend, P::ClosedAt))
                .filter(P::PeriodEnd.lte(until))
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
        after: Option<AccountId>,
        most: u64,
    ) -> StoreResult<EndedPeriods> {
        use quota_period::Column as P;
        let accounts = self.accounts_after(after, most).await?;
        let mut periods = Vec::new();
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let query = quota_period::Entity::find()
                .filter(one_of(self.conn.get_database_backend(), P::AccountId, chunk.to_vec()))
                .filter(P::PeriodStart.gte(began.start))
                .filter(P::PeriodStart.lt(began.end))
                .filter(P::PeriodEnd.lte(until))
                .order_by_asc(P::AccountId)
                .order_by_asc(P::PeriodStart);
            for row in query.all(&self.conn).await.map_err(store_error)? {
                periods.push((AccountId::from_uuid(row.account_id), opened_period(&row)?, row.closed_at.is_some()));
            }
        }
        Ok(EndedPeriods { periods, last: accounts.last().copied().map(AccountId::from_uuid) })
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
                    .filter(still_null(backend, P::ClosedAt));
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
        let fresh = tariff_marks::fresh(&self.conn, marks).await?;
        self.together().insert::<billing_tariff_mark::Entity>(&fresh, Existing::Fail).execute(&self.conn).await
    }

    async fn marks(&self, slots: &[Slot]) -> StoreResult<Vec<TariffMark>> {
        tariff_marks::find(&self.conn, slots).await
    }

    async fn usage_sums(&self, slots: &[Slot], only_adjustments: bool) -> StoreResult<Vec<UsageSum>> {
        closing_usage::sums(&self.conn, slots, only_adjustments).await
    }

    async fn rows(&self, slot: Slot, which: &BilledRows, page: PageRequest) -> StoreResult<Page<UsageRecord>> {
        closing_usage::rows(&self.conn, slot, which, page).await
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

impl<C: ConnectionTrait + Send + Sync> Repos<C> {
    async fn accounts_after(&self, after: Option<AccountId>, most: u64) -> StoreResult<Vec<Uuid>> {
        use account::Column as A;
        let next = Condition::all().add_option(after.map(|account| A::Id.gt(account.as_uuid())));
        let query = account::Entity::find().select_only().column(A::Id).filter(next).order_by_asc(A::Id).limit(most);
        query.into_tuple().all(&self.conn).await.map_err(store_error)
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
