//! Subscriptions at providers in `provider_subscriptions`.

use super::bulk::Existing;
use super::columns::{corrupt, currency};
use super::entity::provider_subscription::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{Mirror, MirrorRepository, MirrorStatus};
use domain::id::{AccountId, BillId, MirrorId};
use domain::money::Money;
use domain::plans::Interval;
use domain::store::StoreResult;
use domain::time::Period;
use domain::wallet::Provider;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

const TABLE: &str = "provider_subscriptions";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> MirrorRepository for Repos<C> {
    async fn insert(&self, mirror: &Mirror) -> StoreResult<()> {
        self.together().insert::<Entity>(&[row(mirror)], Existing::Fail).execute(&self.conn).await
    }

    async fn save(&self, mirror: &Mirror) -> StoreResult<()> {
        let changed: ActiveModel = row(mirror).into_active_model().reset_all();
        changed.update(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn find(&self, id: MirrorId) -> StoreResult<Option<Mirror>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        found.as_ref().map(mirror).transpose()
    }

    async fn find_by_bill(&self, bill: BillId) -> StoreResult<Option<Mirror>> {
        let query = Entity::find().filter(Column::BillId.eq(bill.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.as_ref().map(mirror).transpose()
    }

    async fn find_by_reference(&self, provider: Provider, reference: &str) -> StoreResult<Option<Mirror>> {
        let query = Entity::find().filter(Column::Provider.eq(provider.name())).filter(Column::Reference.eq(reference));
        query.one(&self.conn).await.map_err(store_error)?.as_ref().map(mirror).transpose()
    }

    async fn of_account(&self, account: AccountId) -> StoreResult<Vec<Mirror>> {
        let query = Entity::find().filter(Column::AccountId.eq(account.as_uuid())).order_by_desc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.iter().map(mirror).collect()
    }

    async fn silent(&self, before: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Mirror>> {
        let going_on = MirrorStatus::ALL.into_iter().filter(|status| *status != MirrorStatus::Ended);
        let query = Entity::find()
            .filter(Column::Status.is_in(going_on.map(MirrorStatus::name)))
            .filter(Column::Reference.is_not_null())
            .filter(Column::UpdatedAt.lt(before))
            .order_by_asc(Column::UpdatedAt)
            .limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.iter().map(mirror).collect()
    }
}

fn row(mirror: &Mirror) -> Model {
    Model {
        id: mirror.id.as_uuid(),
        account_id: mirror.account.as_uuid(),
        bill_id: mirror.bill.as_uuid(),
        provider: mirror.provider.name().to_owned(),
        reference: mirror.reference.clone(),
        customer: mirror.customer.clone(),
        status: mirror.status.name().to_owned(),
        currency: mirror.price.currency().code().to_owned(),
        price_nanos: mirror.price.nanos(),
        billing_interval: mirror.interval.name().to_owned(),
        period_start: mirror.period.map(|period| period.start),
        period_end: mirror.period.map(|period| period.end),
        cancel_at_period_end: mirror.cancel_at_period_end,
        ended_at: mirror.ended_at,
        created_at: mirror.created_at,
        updated_at: mirror.updated_at,
        revision: mirror.revision,
        checkout: mirror.checkout.clone(),
    }
}

fn mirror(row: &Model) -> StoreResult<Mirror> {
    let period = row.period_start.zip(row.period_end).map(|(start, end)| Period { start, end });
    Ok(Mirror {
        id: MirrorId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        bill: BillId::from_uuid(row.bill_id),
        provider: Provider::parse(&row.provider).ok_or(corrupt(TABLE, "provider"))?,
        reference: row.reference.clone(),
        customer: row.customer.clone(),
        status: MirrorStatus::parse(&row.status).ok_or(corrupt(TABLE, "status"))?,
        price: Money::from_nanos(row.price_nanos, currency(&row.currency, TABLE)?),
        interval: Interval::parse(&row.billing_interval).ok_or(corrupt(TABLE, "billing_interval"))?,
        period,
        cancel_at_period_end: row.cancel_at_period_end,
        ended_at: row.ended_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        revision: row.revision,
        checkout: row.checkout.clone(),
    })
}
