//! The audit trail in `audit_log`.

use super::columns::{from_json, to_json};
use super::entity::audit_log::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditLog};
use domain::id::{AccountId, ApiKeyId, AuditId, UserId};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

const TABLE: &str = "audit_log";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> AuditLog for Repos<C> {
    async fn append(&self, event: &AuditEvent) -> StoreResult<()> {
        let row = ActiveModel::from(Model {
            id: event.id.as_uuid(),
            account_id: event.account.map(AccountId::as_uuid),
            actor_user_id: event.actor_user.map(UserId::as_uuid),
            actor_key_id: event.actor_key.map(ApiKeyId::as_uuid),
            action: event.action.clone(),
            target: event.target.clone(),
            detail: to_json(&event.detail, TABLE, "detail")?,
            created_at: event.created_at,
        });
        Entity::insert(row).exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }

    async fn list(&self, page: PageRequest) -> StoreResult<Page<AuditEvent>> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let events = rows.into_iter().map(event).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(events, page.limit, |event| event.id.as_uuid()))
    }
}

fn event(row: Model) -> StoreResult<AuditEvent> {
    Ok(AuditEvent {
        id: AuditId::from_uuid(row.id),
        account: row.account_id.map(AccountId::from_uuid),
        actor_user: row.actor_user_id.map(UserId::from_uuid),
        actor_key: row.actor_key_id.map(ApiKeyId::from_uuid),
        action: row.action,
        target: row.target,
        detail: from_json(&row.detail, TABLE, "detail")?,
        created_at: row.created_at,
    })
}
