//! Options and leases. A lease is taken by one conditional UPDATE and its count of rows.

use super::columns::corrupt;
use super::entity::{lease, option};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::options::{LeaseRepository, OptionRepository};
use domain::store::{StoreError, StoreResult};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> OptionRepository for Repos<C> {
    async fn find(&self, name: &str) -> StoreResult<Option<String>> {
        let row = option::Entity::find_by_id(name).one(&self.conn).await.map_err(store_error)?;
        Ok(row.map(|row| row.value))
    }

    async fn lock(&self, name: &str, initial: &str, now: DateTime<Utc>) -> StoreResult<String> {
        // An upsert that changes nothing locks the row on every database, also one that was not there.
        let unchanged = OnConflict::column(option::Column::KeyName).update_column(option::Column::KeyName).to_owned();
        let insert = option::Entity::insert(row(name, initial, now)).on_conflict(unchanged);
        insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        let query = option::Entity::find_by_id(name).lock_exclusive();
        let found = query.one(&self.conn).await.map_err(store_error)?;
        found.map(|row| row.value).ok_or(corrupt("options", "key_name"))
    }

    async fn set(&self, name: &str, value: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let existing = OnConflict::column(option::Column::KeyName)
            .update_columns([option::Column::Value, option::Column::UpdatedAt])
            .to_owned();
        let insert = option::Entity::insert(row(name, value, now)).on_conflict(existing);
        insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }
}

fn row(name: &str, value: &str, now: DateTime<Utc>) -> option::ActiveModel {
    let (key_name, value) = (name.to_owned(), value.to_owned());
    option::Model { key_name, value, created_at: now, updated_at: now }.into()
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
