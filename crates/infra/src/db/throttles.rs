//! Runs of failed log-ins in the database.

use super::columns::corrupt;
use super::entity::login_throttle::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::identity::{LoginThrottle, ThrottleKey, ThrottleRepository};
use domain::store::StoreResult;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ThrottleRepository for Repos<C> {
    async fn find(&self, key: &ThrottleKey) -> StoreResult<Option<LoginThrottle>> {
        let query = Entity::find_by_id(key.as_str().to_owned());
        query.one(&self.conn).await.map_err(store_error)?.map(throttle).transpose()
    }

    async fn lock(&self, key: &ThrottleKey) -> StoreResult<Option<LoginThrottle>> {
        let query = Entity::find_by_id(key.as_str().to_owned()).lock_exclusive();
        query.one(&self.conn).await.map_err(store_error)?.map(throttle).transpose()
    }

    async fn insert(&self, throttle: &LoginThrottle) -> StoreResult<()> {
        let insert = Entity::insert(row(throttle)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, throttle: &LoginThrottle) -> StoreResult<()> {
        let update = Entity::update_many().set(row(throttle)).filter(Column::Subject.eq(throttle.key.as_str()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn clear(&self, key: &ThrottleKey) -> StoreResult<()> {
        let delete = Entity::delete_by_id(key.as_str().to_owned()).exec(&self.conn);
        delete.await.map(drop).map_err(store_error)
    }

    async fn delete_stale(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        let delete = Entity::delete_many().filter(Column::LastFailedAt.lt(time)).exec(&self.conn);
        delete.await.map(|done| done.rows_affected).map_err(store_error)
    }
}

fn row(throttle: &LoginThrottle) -> ActiveModel {
    let model = Model {
        subject: throttle.key.as_str().to_owned(),
        failures: i64::from(throttle.failures),
        last_failed_at: throttle.last_failed_at,
        locked_until: throttle.locked_until,
    };
    model.into_active_model().reset_all()
}

fn throttle(row: Model) -> StoreResult<LoginThrottle> {
    Ok(LoginThrottle {
        key: ThrottleKey::from_stored(row.subject),
        failures: u32::try_from(row.failures).map_err(|_| corrupt("login_throttles", "failures"))?,
        last_failed_at: row.last_failed_at,
        locked_until: row.locked_until,
    })
}
