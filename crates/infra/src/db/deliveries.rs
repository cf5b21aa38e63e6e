//! Deliveries in `deliveries`.

use super::bulk::Existing;
use super::columns::{corrupt, padded};
use super::entity::delivery::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, DeliveryId, LaneId, OutboxId, uuid_v7};
use domain::notices::{Delivery, DeliveryRepository, DeliveryStatus, FailureReason, cursor, position};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

const TABLE: &str = "deliveries";
/// What an attempt or a replay changes.
const CHANGING: Existing =
    Existing::Replace(&["lane_id", "position"], &["status", "attempts", "response_code", "failure", "attempted_at"]);
const ALL: [DeliveryStatus; 4] =
    [DeliveryStatus::Waiting, DeliveryStatus::Delivered, DeliveryStatus::Dead, DeliveryStatus::Cancelled];

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> DeliveryRepository for Repos<C> {
    async fn insert(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        let rows: Vec<_> = deliveries.iter().map(row).collect();
        self.insert_all::<Entity>(&rows, Existing::Fail).await
    }

    async fn waiting(&self, lane: LaneId, limit: u32) -> StoreResult<Vec<Delivery>> {
        let query = Entity::find()
            .filter(Column::LaneId.eq(lane.as_uuid()))
            .filter(Column::Status.eq(DeliveryStatus::Waiting.as_str()))
            .order_by_asc(Column::Position)
            .limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(delivery).collect()
    }

    async fn has_waiting(&self, lane: LaneId) -> StoreResult<bool> {
        Ok(!DeliveryRepository::waiting(self, lane, 1).await?.is_empty())
    }

    async fn save(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        let rows: Vec<_> = deliveries.iter().map(row).collect();
        self.insert_all::<Entity>(&rows, CHANGING).await
    }

    async fn end_waiting(&self, lane: LaneId, status: DeliveryStatus, why: FailureReason) -> StoreResult<u64> {
        let update = Entity::update_many()
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(Column::Failure, Expr::value(why.as_str()))
            .filter(Column::LaneId.eq(lane.as_uuid()))
            .filter(Column::Status.eq(DeliveryStatus::Waiting.as_str()));
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected)
    }

    async fn list(&self, lane: LaneId, page: PageRequest) -> StoreResult<Page<Delivery>> {
        let mut query = Entity::find()
            .filter(Column::LaneId.eq(lane.as_uuid()))
            .order_by_desc(Column::Position)
            .limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Position.lt(position(before)));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let found = rows.into_iter().map(delivery).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(found, page.limit, |delivery| cursor(delivery.position)))
    }

    async fn find(&self, id: DeliveryId) -> StoreResult<Option<Delivery>> {
        let query = Entity::find().filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(delivery).transpose()
    }

    async fn list_dead(&self, page: PageRequest) -> StoreResult<Page<Delivery>> {
        let mut query = Entity::find()
            .filter(Column::Status.eq(DeliveryStatus::Dead.as_str()))
            .order_by_desc(Column::Id)
            .limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let found = rows.into_iter().map(delivery).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(found, page.limit, |delivery| delivery.id.as_uuid()))
    }

    async fn delete_older(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64> {
        // Ids grow with time, and the index on status and id leads to the oldest of each status.
        let mut deleted = 0;
        for status in ALL {
            let old: Vec<Uuid> = Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::Status.eq(status.as_str()))
                .filter(Column::Id.lt(uuid_v7(time)))
                .order_by_asc(Column::Id)
                .limit(u64::from(limit) - deleted)
                .into_tuple()
                .all(&self.conn)
                .await
                .map_err(store_error)?;
            if !old.is_empty() {
                let delete = Entity::delete_many().filter(Column::Id.is_in(padded(old)));
                deleted += delete.exec(&self.conn).await.map_err(store_error)?.rows_affected;
            }
            if deleted >= u64::from(limit) {
                break;
            }
        }
        Ok(deleted)
    }
}

fn row(delivery: &Delivery) -> Model {
    Model {
        lane_id: delivery.lane.as_uuid(),
        position: delivery.position,
        id: delivery.id.as_uuid(),
        account_id: delivery.account.as_uuid(),
        event_id: delivery.event.as_uuid(),
        kind: delivery.kind.clone(),
        status: delivery.status.as_str().to_owned(),
        attempts: i32::try_from(delivery.attempts).unwrap_or(i32::MAX),
        response_code: delivery.response_code.map(i64::from),
        failure: delivery.failure.map(|failure| failure.as_str().to_owned()),
        created_at: delivery.created_at,
        attempted_at: delivery.attempted_at,
    }
}

fn delivery(row: Model) -> StoreResult<Delivery> {
    let failure = |word: String| FailureReason::parse(&word).ok_or(corrupt(TABLE, "failure"));
    let code = |code: i64| u16::try_from(code).map_err(|_| corrupt(TABLE, "response_code"));
    Ok(Delivery {
        id: DeliveryId::from_uuid(row.id),
        lane: LaneId::from_uuid(row.lane_id),
        account: AccountId::from_uuid(row.account_id),
        position: row.position,
        event: OutboxId::from_uuid(row.event_id),
        kind: row.kind,
        status: DeliveryStatus::parse(&row.status).ok_or(corrupt(TABLE, "status"))?,
        attempts: u32::try_from(row.attempts).map_err(|_| corrupt(TABLE, "attempts"))?,
        response_code: row.response_code.map(code).transpose()?,
        failure: row.failure.map(failure).transpose()?,
        created_at: row.created_at,
        attempted_at: row.attempted_at,
    })
}
