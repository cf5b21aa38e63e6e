//! Answers kept under idempotency keys, in `idempotency_keys`.

use super::entity::idempotency_key::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::idempotency::{IdempotencyRepository, IdempotentRequest, StoredAnswer};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> IdempotencyRepository for Repos<C> {
    async fn find(&self, request: &IdempotentRequest) -> StoreResult<Option<StoredAnswer>> {
        let key = (request.user.as_uuid(), request.scope.to_owned(), request.key.clone());
        let row = Entity::find_by_id(key).one(&self.conn).await.map_err(store_error)?;
        Ok(row.map(|row| StoredAnswer { fingerprint: row.fingerprint, answer: row.answer }))
    }

    async fn insert(&self, request: &IdempotentRequest, answer: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let row = ActiveModel::from(Model {
            user_id: request.user.as_uuid(),
            scope: request.scope.to_owned(),
            idempotency_key: request.key.clone(),
            fingerprint: request.fingerprint.clone(),
            answer: answer.to_owned(),
            created_at: now,
        });
        Entity::insert(row).exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }

    async fn delete_older_than(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        let delete = Entity::delete_many().filter(Column::CreatedAt.lt(time));
        delete.exec(&self.conn).await.map(|done| done.rows_affected).map_err(store_error)
    }
}
