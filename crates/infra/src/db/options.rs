//! Options and leases. A lease is taken by one conditional UPDATE and its count of rows.

use super::entity::{lease, option};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::options::{LeaseRepository, OptionRepository};
use domain::store::{StoreError, StoreResult};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> OptionRepository for Repos<C> {
    async fn find(&self, name: &str) -> StoreResult<Option<String>> {
        let row = option::Entity::find_by_id(name).one(&self.conn).await.map_err(store_error)?;
        Ok(row.map(|row| row.value))
    }

    async fn set(&self, name: &str, value: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let row =
            option::Model { key_name: name.to_owned(), value: value.to_owned(), created_at: now, updated_at: now };
        let existing = OnConflict::column(option::Column::KeyName)
            .update_columns([option::Column::Value, option::Column::UpdatedAt])
            .to_owned();
        let insert = option::Entity::insert(option::ActiveModel::from(row)).on_conflict(existing);
        insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> LeaseRepository for Repos<C> {
    async fn claim(&self, name: &str, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<bool> {
        let free = Condition::any().add(lease::Column::Holder.eq(holder)).add(lease::Column::LeasedUntil.lte(now));
        let taken = lease::Entity::update_many()
            .col_expr(lease::Column::Holder, Expr::value(holder))
            .col_expr(lease::Column::LeasedUntil, Expr::value(until))
            .filter(lease::Column::Name.eq(name))
            .filter(free)
            .exec(&self.conn)
            .await
            .map_err(store_error)?;
        if taken.rows_affected > 0 {
            return Ok(true);
        }
        let held = lease::Entity::find_by_id(name).one(&self.conn).await.map_err(store_error)?;
        if held.is_some() {
            return Ok(false);
        }
        let row = lease::Model { name: name.to_owned(), holder, leased_until: until };
        let insert = lease::Entity::insert(lease::ActiveModel::from(row)).exec_without_returning(&self.conn).await;
        match insert.map_err(store_error) {
            Ok(_) => Ok(true),
            Err(StoreError::Duplicate) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
