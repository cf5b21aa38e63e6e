//! The outbox in `outbox`, numbered by the database.

use super::bulk::Existing;
use super::columns::{padded, to_json};
use super::entity::outbox::{Column, Entity, Model};
use super::error::store_error;
use super::planning::{nulls_in_order, still_null};
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, OutboxId};
use domain::outbox::{Event, Outbox, StoredEvent};
use domain::store::StoreResult;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> Outbox for Repos<C> {
    async fn push(&self, events: &[Event]) -> StoreResult<()> {
        let rows = events.iter().map(row).collect::<StoreResult<Vec<_>>>()?;
        self.insert_all::<Entity>(&rows, Existing::Fail).await
    }

    async fn waiting(&self, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        let waiting =
            nulls_in_order(&self.conn, Entity::find().filter(Column::FannedOutAt.is_null()), Column::FannedOutAt);
        let query = waiting.order_by_asc(Column::Position).limit(u64::from(limit));
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        Ok(rows.into_iter().map(stored).collect())
    }

    async fn find(&self, ids: &[OutboxId]) -> StoreResult<Vec<StoredEvent>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = Entity::find().filter(Column::Id.is_in(uuids(ids)));
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        Ok(rows.into_iter().map(stored).collect())
    }

    async fn mark_fanned_out(&self, ids: &[OutboxId], now: DateTime<Utc>) -> StoreResult<u64> {
        let update = Entity::update_many()
            .col_expr(Column::FannedOutAt, Expr::value(now))
            .filter(Column::Id.is_in(uuids(ids)))
            .filter(still_null(self.conn.get_database_backend(), Column::FannedOutAt));
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected)
    }

    async fn delete_fanned_out(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64> {
        let old: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Position)
            .filter(Column::FannedOutAt.lt(time))
            .limit(u64::from(limit))
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        if old.is_empty() {
            return Ok(0);
        }
        let delete = Entity::delete_many().filter(Column::Position.is_in(padded(old)));
        Ok(delete.exec(&self.conn).await.map_err(store_error)?.rows_affected)
    }
}

fn uuids(ids: &[OutboxId]) -> Vec<uuid::Uuid> {
    padded(ids.iter().map(|id| id.as_uuid()).collect())
}

/// The database gives the position.
fn row(event: &Event) -> StoreResult<Model> {
    Ok(Model {
        position: 0,
        id: event.id.as_uuid(),
        account_id: event.account.as_uuid(),
        kind: event.kind.to_owned(),
        payload: to_json(&event.payload, "outbox", "payload")?,
        created_at: event.created_at,
        fanned_out_at: None,
    })
}

/// An event whose content does not parse is told without it: it must not keep all later ones from being told.
fn stored(row: Model) -> StoredEvent {
    let payload = serde_json::from_str(&row.payload).unwrap_or_else(|_| {
        tracing::error!(event = %row.id, "corrupt column outbox.payload");
        Value::Null
    });
    StoredEvent {
        id: OutboxId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        kind: row.kind,
        payload,
        created_at: row.created_at,
        position: row.position,
    }
}
