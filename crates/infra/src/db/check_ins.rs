//! Check-ins in `check_ins`.

use super::columns::corrupt;
use super::entity::check_in::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use super::rewards::{self, RewardColumns};
use async_trait::async_trait;
use chrono::NaiveDate;
use domain::id::UserId;
use domain::incentives::{CheckIn, CheckInRepository};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

const TABLE: &str = "check_ins";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> CheckInRepository for Repos<C> {
    async fn insert(&self, check_in: &CheckIn) -> StoreResult<()> {
        let insert = Entity::insert(row(check_in)?.into_active_model()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find(&self, user: UserId, day: NaiveDate) -> StoreResult<Option<CheckIn>> {
        let query = Entity::find_by_id((user.as_uuid(), day.to_string()));
        query.one(&self.conn).await.map_err(store_error)?.map(check_in).transpose()
    }

    async fn latest(&self, user: UserId, until: NaiveDate) -> StoreResult<Option<CheckIn>> {
        let query = Entity::find()
            .filter(Column::UserId.eq(user.as_uuid()))
            .filter(Column::Day.lte(until.to_string()))
            .order_by_desc(Column::Day);
        query.one(&self.conn).await.map_err(store_error)?.map(check_in).transpose()
    }
}

fn row(check_in: &CheckIn) -> StoreResult<Model> {
    let reward = rewards::columns(&check_in.reward, TABLE)?;
    Ok(Model {
        user_id: check_in.user.as_uuid(),
        day: check_in.day.to_string(),
        streak: i32::try_from(check_in.streak).map_err(|_| corrupt(TABLE, "streak"))?,
        amount_nanos: reward.amount_nanos,
        currency: reward.currency,
        meter: reward.meter,
        quantity: reward.quantity,
        models: reward.models,
        valid_days: reward.valid_days,
        checked_in_at: check_in.checked_in_at,
    })
}

fn check_in(row: Model) -> StoreResult<CheckIn> {
    let columns = RewardColumns {
        amount_nanos: row.amount_nanos,
        currency: row.currency,
        meter: row.meter,
        quantity: row.quantity,
        models: row.models,
        valid_days: row.valid_days,
    };
    Ok(CheckIn {
        user: UserId::from_uuid(row.user_id),
        day: row.day.parse().map_err(|_| corrupt(TABLE, "day"))?,
        streak: u32::try_from(row.streak).map_err(|_| corrupt(TABLE, "streak"))?,
        reward: rewards::reward(columns, TABLE)?,
        checked_in_at: row.checked_in_at,
    })
}
