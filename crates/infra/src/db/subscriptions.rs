//! Subscriptions in `user_subscriptions`, and their periods in `quota_periods`.

use super::bulk::Existing;
use super::columns::{corrupt, currency, from_json, one_of, rows_per_statement, to_json};
use super::entity::{quota_period, user_subscription};
use super::error::store_error;
use super::planning::nulls_in_order;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, PlanVersionId, SubscriptionId};
use domain::money::Money;
use domain::plans::{
    Choice, Interval, OpenedPeriod, PlanCode, Subscription, SubscriptionRepository, SubscriptionStatus,
};
use domain::store::StoreResult;
use domain::time::Period;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use user_subscription::{ActiveModel, Column, Entity, Model};
use uuid::Uuid;

const TABLE: &str = "user_subscriptions";
const PERIODS: &str = "quota_periods";
/// How a period that was opened before takes another plan.
const REPLANNED: Existing =
    Existing::Replace(&["account_id", "period_start"], &["plan_version_id", "plan_code", "plan_interval", "seats"]);

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> SubscriptionRepository for Repos<C> {
    async fn find(&self, account: AccountId) -> StoreResult<Option<Subscription>> {
        let row = Entity::find_by_id(account.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        row.map(subscription).transpose()
    }

    async fn insert(&self, subscription: &Subscription) -> StoreResult<()> {
        let insert = Entity::insert(ActiveModel::from(row(subscription)?));
        insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }

    async fn save(&self, subscription: &Subscription) -> StoreResult<()> {
        let account = subscription.account.as_uuid();
        let update = Entity::update_many()
            .set(ActiveModel::from(row(subscription)?).reset_all())
            .filter(Column::AccountId.eq(account));
        update.exec(&self.conn).await.map_err(store_error)?;
        Ok(())
    }

    async fn put_periods(&self, account: AccountId, periods: &[OpenedPeriod]) -> StoreResult<()> {
        let rows = periods.iter().map(|period| period_row(account, period)).collect::<StoreResult<Vec<_>>>()?;
        self.insert_all::<quota_period::Entity>(&rows, REPLANNED).await
    }

    async fn find_period_at(&self, account: AccountId, time: DateTime<Utc>) -> StoreResult<Option<OpenedPeriod>> {
        let row = period_at(account, time).one(&self.conn).await.map_err(store_error)?;
        row.as_ref().map(opened_period).transpose()
    }

    async fn periods_since(
        &self,
        accounts: &[AccountId],
        time: DateTime<Utc>,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod)>> {
        use quota_period::Column as P;
        let mut periods = Vec::new();
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let ids = chunk.iter().map(|account| account.as_uuid()).collect();
            let query = quota_period::Entity::find()
                .filter(one_of(self.conn.get_database_backend(), P::AccountId, ids))
                .filter(P::PeriodEnd.gt(time));
            for row in query.all(&self.conn).await.map_err(store_error)? {
                periods.push((AccountId::from_uuid(row.account_id), opened_period(&row)?));
            }
        }
        Ok(periods)
    }

    async fn oldest_open_period(&self) -> StoreResult<Option<DateTime<Utc>>> {
        use quota_period::Column as P;
        let open = quota_period::Entity::find().select_only().column(P::PeriodStart).filter(P::ClosedAt.is_null());
        let query = nulls_in_order(&self.conn, open, P::ClosedAt).order_by_asc(P::PeriodStart).limit(1);
        query.into_tuple().one(&self.conn).await.map_err(store_error)
    }

    async fn due(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<AccountId>> {
        let ids: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::AccountId)
            .filter(Column::PeriodEnd.lte(now))
            .order_by_asc(Column::PeriodEnd)
            .order_by_asc(Column::AccountId)
            .offset(skip)
            .limit(most)
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        Ok(ids.into_iter().map(AccountId::from_uuid).collect())
    }
}

/// Periods of one account never overlap: at most one begins before `time` and ends after it.
fn period_at(account: AccountId, time: DateTime<Utc>) -> Select<quota_period::Entity> {
    use quota_period::Column as P;
    quota_period::Entity::find()
        .filter(P::AccountId.eq(account.as_uuid()))
        .filter(P::PeriodStart.lte(time))
        .filter(P::PeriodEnd.gt(time))
}

fn row(subscription: &Subscription) -> StoreResult<Model> {
    let json =
        |choice: &Option<Choice>, column| choice.as_ref().map(|choice| to_json(choice, TABLE, column)).transpose();
    Ok(Model {
        account_id: subscription.account.as_uuid(),
        id: subscription.id.as_uuid(),
        plan_version_id: subscription.chosen.version.as_uuid(),
        plan_code: subscription.chosen.plan.to_string(),
        plan_interval: subscription.chosen.interval.name().to_owned(),
        seats: i32::try_from(subscription.chosen.seats).map_err(|_| corrupt(TABLE, "seats"))?,
        status: subscription.status.name().to_owned(),
        anchor_day: subscription.anchor.to_string(),
        time_zone: subscription.zone.name().to_owned(),
        term_start: subscription.term.start,
        term_end: subscription.term.end,
        paid_nanos: subscription.paid.map(Money::nanos),
        paid_currency: subscription.paid.map(|paid| paid.currency().code().to_owned()),
        period_start: subscription.period.start,
        period_end: subscription.period.end,
        closed_until: subscription.closed_until,
        selected_ai_model: subscription.selected_ai_model.clone(),
        scheduled_change: json(&subscription.scheduled, "scheduled_change")?,
        awaiting_payment: json(&subscription.awaiting_payment, "awaiting_payment")?,
        cancel_at_term_end: subscription.cancel_at_term_end,
        auto_pay: subscription.auto_pay,
        started_at: subscription.started_at,
        cancelled_at: subscription.cancelled_at,
        created_at: subscription.created_at,
        updated_at: subscription.updated_at,
    })
}

pub fn subscription(row: Model) -> StoreResult<Subscription> {
    let choice = |json: Option<String>, column| json.map(|json| from_json(&json, TABLE, column)).transpose();
    Ok(Subscription {
        id: SubscriptionId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        chosen: Choice {
            version: PlanVersionId::from_uuid(row.plan_version_id),
            plan: PlanCode::parse(&row.plan_code).ok_or(corrupt(TABLE, "plan_code"))?,
            interval: Interval::parse(&row.plan_interval).ok_or(corrupt(TABLE, "plan_interval"))?,
            seats: u32::try_from(row.seats).map_err(|_| corrupt(TABLE, "seats"))?,
        },
        status: SubscriptionStatus::parse(&row.status).ok_or(corrupt(TABLE, "status"))?,
        anchor: row.anchor_day.parse().map_err(|_| corrupt(TABLE, "anchor_day"))?,
        zone: row.time_zone.parse().map_err(|_| corrupt(TABLE, "time_zone"))?,
        term: Period { start: row.term_start, end: row.term_end },
        paid: paid(row.paid_nanos, row.paid_currency.as_deref())?,
        period: Period { start: row.period_start, end: row.period_end },
        closed_until: row.closed_until,
        selected_ai_model: row.selected_ai_model,
        scheduled: choice(row.scheduled_change, "scheduled_change")?,
        awaiting_payment: choice(row.awaiting_payment, "awaiting_payment")?,
        cancel_at_term_end: row.cancel_at_term_end,
        auto_pay: row.auto_pay,
        started_at: row.started_at,
        cancelled_at: row.cancelled_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn paid(nanos: Option<i64>, code: Option<&str>) -> StoreResult<Option<Money>> {
    match (nanos, code) {
        (None, None) => Ok(None),
        (Some(nanos), Some(code)) => Ok(Some(Money::from_nanos(nanos, currency(code, TABLE)?))),
        _ => Err(corrupt(TABLE, "paid_nanos")),
    }
}

fn period_row(account: AccountId, opened: &OpenedPeriod) -> StoreResult<quota_period::Model> {
    Ok(quota_period::Model {
        account_id: account.as_uuid(),
        period_start: opened.period.start,
        period_end: opened.period.end,
        plan_version_id: opened.version.as_uuid(),
        plan_code: opened.plan.to_string(),
        plan_interval: opened.interval.name().to_owned(),
        seats: i32::try_from(opened.seats).map_err(|_| corrupt(PERIODS, "seats"))?,
        closed_at: None,
    })
}

pub(super) fn opened_period(row: &quota_period::Model) -> StoreResult<OpenedPeriod> {
    Ok(OpenedPeriod {
        period: Period { start: row.period_start, end: row.period_end },
        version: PlanVersionId::from_uuid(row.plan_version_id),
        plan: PlanCode::parse(&row.plan_code).ok_or(corrupt(PERIODS, "plan_code"))?,
        seats: u32::try_from(row.seats).map_err(|_| corrupt(PERIODS, "seats"))?,
        interval: Interval::parse(&row.plan_interval).ok_or(corrupt(PERIODS, "plan_interval"))?,
    })
}
