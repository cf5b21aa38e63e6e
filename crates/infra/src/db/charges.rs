//! Charges that providers made by themselves, in `provider_charges`.

use super::bulk::Existing;
use super::columns::{corrupt, currency};
use super::entity::provider_charge::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, MirrorId};
use domain::money::Money;
use domain::orders::{Charge, ChargeRepository};
use domain::store::StoreResult;
use domain::wallet::Provider;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

const TABLE: &str = "provider_charges";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ChargeRepository for Repos<C> {
    async fn insert(&self, charge: &Charge) -> StoreResult<()> {
        let row = Model {
            provider: charge.provider.name().to_owned(),
            reference: charge.reference.clone(),
            account_id: charge.account.as_uuid(),
            subscription_id: charge.subscription.as_uuid(),
            amount: charge.amount.nanos(),
            currency: charge.amount.currency().code().to_owned(),
            charged_at: charge.charged_at,
            collected_at: charge.collected_at,
        };
        self.together().insert::<Entity>(&[row], Existing::Fail).execute(&self.conn).await
    }

    async fn find(&self, provider: Provider, reference: &str) -> StoreResult<Option<Charge>> {
        let key = (provider.name().to_owned(), reference.to_owned());
        Entity::find_by_id(key).one(&self.conn).await.map_err(store_error)?.map(charge).transpose()
    }

    async fn charged_between(
        &self,
        provider: Provider,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        after: Option<String>,
        limit: u32,
    ) -> StoreResult<Vec<Charge>> {
        let mut query = Entity::find()
            .filter(Column::Provider.eq(provider.name()))
            .filter(Column::ChargedAt.gte(from))
            .filter(Column::ChargedAt.lt(until));
        if let Some(after) = after {
            query = query.filter(Column::Reference.gt(after));
        }
        let query = query.order_by_asc(Column::Reference).limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(charge).collect()
    }
}

fn charge(row: Model) -> StoreResult<Charge> {
    Ok(Charge {
        provider: Provider::parse(&row.provider).ok_or(corrupt(TABLE, "provider"))?,
        reference: row.reference,
        account: AccountId::from_uuid(row.account_id),
        subscription: MirrorId::from_uuid(row.subscription_id),
        amount: Money::from_nanos(row.amount, currency(&row.currency, TABLE)?),
        charged_at: row.charged_at,
        collected_at: row.collected_at,
    })
}
