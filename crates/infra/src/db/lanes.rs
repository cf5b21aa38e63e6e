//! Lanes in `delivery_lanes`. A lane is claimed by one conditional UPDATE and released by another.

use super::bulk::Existing;
use super::columns::{corrupt, padded};
use super::entity::delivery_lane::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, LaneId};
use domain::notices::{Lane, LaneKind, LaneRepository};
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

const TABLE: &str = "delivery_lanes";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> LaneRepository for Repos<C> {
    async fn open(&self, lanes: &[Lane]) -> StoreResult<()> {
        let rows: Vec<_> = lanes.iter().map(row).collect();
        self.insert_all::<Entity>(&rows, Existing::Fail).await
    }

    async fn close(&self, id: LaneId) -> StoreResult<()> {
        let delete = Entity::delete_by_id(id.as_uuid()).exec(&self.conn);
        delete.await.map(drop).map_err(store_error)
    }

    async fn existing(&self, ids: &[LaneId]) -> StoreResult<Vec<LaneId>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = Entity::find().select_only().column(Column::Id).filter(Column::Id.is_in(uuids(ids)));
        let found: Vec<Uuid> = query.into_tuple().all(&self.conn).await.map_err(store_error)?;
        Ok(found.into_iter().map(LaneId::from_uuid).collect())
    }

    async fn wake(&self, ids: &[LaneId], now: DateTime<Utc>) -> StoreResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        // Unconditional on purpose: a row that is due already is locked all the same.
        let due = Func::coalesce([Expr::col(Column::DueAt), Expr::value(now)]);
        let update = Entity::update_many().col_expr(Column::DueAt, due.into()).filter(Column::Id.is_in(uuids(ids)));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn restart(&self, id: LaneId, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::Failures, Expr::value(0_i64))
            .col_expr(Column::FailingSince, Expr::value(None::<DateTime<Utc>>))
            .col_expr(Column::DueAt, Expr::value(now))
            .filter(Column::Id.eq(id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn due_at(&self, id: LaneId) -> StoreResult<Option<DateTime<Utc>>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        Ok(found.and_then(|lane| lane.due_at))
    }

    async fn due(&self, now: DateTime<Utc>, failing: bool, limit: u32) -> StoreResult<Vec<LaneId>> {
        let failures = if failing { Column::Failures.gt(0) } else { Column::Failures.eq(0) };
        let query = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(due_and_free(now))
            .filter(failures)
            .order_by_asc(Column::DueAt)
            .limit(u64::from(limit));
        let found: Vec<Uuid> = query.into_tuple().all(&self.conn).await.map_err(store_error)?;
        Ok(found.into_iter().map(LaneId::from_uuid).collect())
    }

    async fn claim(
        &self,
        ids: &[LaneId],
        token: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<Lane>> {
        let update = Entity::update_many()
            .col_expr(Column::LeaseHolder, Expr::value(token))
            .col_expr(Column::LeasedUntil, Expr::value(until))
            .filter(Column::Id.is_in(uuids(ids)))
            .filter(due_and_free(now));
        if update.exec(&self.conn).await.map_err(store_error)?.rows_affected == 0 {
            return Ok(Vec::new());
        }
        let claimed = Entity::find().filter(Column::Id.is_in(uuids(ids))).filter(Column::LeaseHolder.eq(token));
        let rows = claimed.all(&self.conn).await.map_err(store_error)?;
        rows.iter().map(lane).collect()
    }

    async fn release(&self, lane: &Lane, token: Uuid, due_at: DateTime<Utc>) -> StoreResult<bool> {
        let update = Entity::update_many()
            .col_expr(Column::Failures, Expr::value(i64::from(lane.failures)))
            .col_expr(Column::FailingSince, Expr::value(lane.failing_since))
            .col_expr(Column::DueAt, Expr::value(due_at))
            .col_expr(Column::LeaseHolder, Expr::value(None::<Uuid>))
            .col_expr(Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
            .filter(Column::Id.eq(lane.id.as_uuid()))
            .filter(Column::LeaseHolder.eq(token));
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected > 0)
    }

    async fn rest(&self, id: LaneId) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::DueAt, Expr::value(None::<DateTime<Utc>>))
            .filter(Column::Id.eq(id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }
}

fn due_and_free(now: DateTime<Utc>) -> Condition {
    let free = Condition::any().add(Column::LeasedUntil.is_null()).add(Column::LeasedUntil.lte(now));
    Condition::all().add(Column::DueAt.lte(now)).add(free)
}

fn uuids(ids: &[LaneId]) -> Vec<Uuid> {
    padded(ids.iter().map(|id| id.as_uuid()).collect())
}

fn row(lane: &Lane) -> Model {
    Model {
        id: lane.id.as_uuid(),
        account_id: lane.account.as_uuid(),
        kind: lane.kind.as_str().to_owned(),
        failures: i64::from(lane.failures),
        failing_since: lane.failing_since,
        due_at: None,
        lease_holder: None,
        leased_until: None,
    }
}

fn lane(row: &Model) -> StoreResult<Lane> {
    Ok(Lane {
        id: LaneId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        kind: LaneKind::parse(&row.kind).ok_or(corrupt(TABLE, "kind"))?,
        failures: u32::try_from(row.failures).map_err(|_| corrupt(TABLE, "failures"))?,
        failing_since: row.failing_since,
    })
}
