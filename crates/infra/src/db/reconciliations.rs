//! Differences in `reconciliation_items`, and the days that were compared in `reconciled_days`.

use super::columns::{corrupt, currency};
use super::entity::reconciled_day;
use super::entity::reconciliation_item::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::id::{DifferenceId, UserId};
use domain::money::Money;
use domain::orders::{Difference, DifferenceClass, DifferenceStatus, ReconciliationRepository};
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};
use domain::wallet::Provider;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

const TABLE: &str = "reconciliation_items";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ReconciliationRepository for Repos<C> {
    async fn find(&self, id: DifferenceId) -> StoreResult<Option<Difference>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        found.map(difference).transpose()
    }

    async fn insert(&self, difference: &Difference) -> StoreResult<()> {
        let insert = Entity::insert(row(difference)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, difference: &Difference) -> StoreResult<()> {
        let update = Entity::update_many().set(row(difference)).filter(Column::Id.eq(difference.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn of_day(&self, provider: Provider, day: NaiveDate) -> StoreResult<Vec<Difference>> {
        let query = Entity::find()
            .filter(Column::Provider.eq(provider.name()))
            .filter(Column::Day.eq(day.to_string()))
            .order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(difference).collect()
    }

    async fn list(&self, status: Option<DifferenceStatus>, page: PageRequest) -> StoreResult<Page<Difference>> {
        let asked = Condition::all().add_option(status.map(|status| Column::Status.eq(status.name())));
        let query = Entity::find().filter(asked);
        newest(&self.conn, (query, Column::Id), page, difference, |found| found.id.as_uuid()).await
    }

    async fn finish_day(&self, provider: Provider, day: NaiveDate, now: DateTime<Utc>) -> StoreResult<()> {
        let row =
            reconciled_day::Model { provider: provider.name().to_owned(), day: day.to_string(), finished_at: now };
        let insert = reconciled_day::Entity::insert(row.into_active_model().reset_all());
        insert.exec_without_returning(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn is_finished(&self, provider: Provider, day: NaiveDate) -> StoreResult<bool> {
        let key = (provider.name().to_owned(), day.to_string());
        let found = reconciled_day::Entity::find_by_id(key).one(&self.conn).await.map_err(store_error)?;
        Ok(found.is_some())
    }
}

fn row(difference: &Difference) -> ActiveModel {
    let code = |money: Option<Money>| money.map(|money| money.currency().code().to_owned());
    let model = Model {
        id: difference.id.as_uuid(),
        provider: difference.provider.name().to_owned(),
        day: difference.day.to_string(),
        class: difference.class.name().to_owned(),
        number: difference.number.clone(),
        transaction_id: difference.transaction.clone(),
        ours: difference.ours.map(Money::nanos),
        theirs: difference.theirs.map(Money::nanos),
        our_currency: code(difference.ours),
        their_currency: code(difference.theirs),
        status: difference.status.name().to_owned(),
        note: difference.note.clone(),
        resolved_by: difference.resolved_by.map(UserId::as_uuid),
        created_at: difference.created_at,
        resolved_at: difference.resolved_at,
    };
    model.into_active_model().reset_all()
}

fn money(nanos: Option<i64>, code: Option<String>) -> StoreResult<Option<Money>> {
    match (nanos, code) {
        (None, None) => Ok(None),
        (Some(nanos), Some(code)) => Ok(Some(Money::from_nanos(nanos, currency(&code, TABLE)?))),
        _ => Err(corrupt(TABLE, "currency")),
    }
}

fn difference(row: Model) -> StoreResult<Difference> {
    let bad = |column| -> StoreError { corrupt(TABLE, column) };
    Ok(Difference {
        id: DifferenceId::from_uuid(row.id),
        provider: Provider::parse(&row.provider).ok_or_else(|| bad("provider"))?,
        day: row.day.parse().map_err(|_| bad("day"))?,
        class: DifferenceClass::parse(&row.class).ok_or_else(|| bad("class"))?,
        number: row.number,
        transaction: row.transaction_id,
        ours: money(row.ours, row.our_currency)?,
        theirs: money(row.theirs, row.their_currency)?,
        status: DifferenceStatus::parse(&row.status).ok_or_else(|| bad("status"))?,
        note: row.note,
        resolved_by: row.resolved_by.map(UserId::from_uuid),
        created_at: row.created_at,
        resolved_at: row.resolved_at,
    })
}
