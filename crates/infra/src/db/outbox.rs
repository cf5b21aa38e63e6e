//! The outbox in `outbox`.

use super::columns::{rows_per_statement, to_json};
use super::entity::outbox::{ActiveModel, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::outbox::{Event, Outbox};
use domain::store::StoreResult;
use sea_orm::{ConnectionTrait, EntityTrait};

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> Outbox for Repos<C> {
    async fn push(&self, events: &[Event]) -> StoreResult<()> {
        let rows = events.iter().map(row).collect::<StoreResult<Vec<_>>>()?;
        for chunk in rows.chunks(rows_per_statement(10)) {
            let insert = Entity::insert_many(chunk.iter().cloned().map(ActiveModel::from));
            insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        }
        Ok(())
    }
}

fn row(event: &Event) -> StoreResult<Model> {
    Ok(Model {
        id: event.id.as_uuid(),
        account_id: event.account.as_uuid(),
        kind: event.kind.to_owned(),
        payload: to_json(&event.payload, "outbox", "payload")?,
        attempts: 0,
        created_at: event.created_at,
        available_at: event.created_at,
        delivered_at: None,
        lease_holder: None,
        leased_until: None,
    })
}
