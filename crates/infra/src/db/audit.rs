//! The audit trail in `audit_log`. Events wait in the unit of work until it commits; then the head of the chain is
//! locked, as the last row of all, and they are linked to it.

use super::columns::{from_json, to_json};
use super::entity::audit_head;
use super::entity::audit_log::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::DateTime;
use domain::audit::{AuditEvent, AuditFilter, AuditLog, Recorded};
use domain::audit_chain::{ChainHead, ChainRow};
use domain::id::{AccountId, ApiKeyId, AuditId, UserId};
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::sync::PoisonError;

const TABLE: &str = "audit_log";
/// The chain's only head.
const HEAD: &str = "audit";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> AuditLog for Repos<C> {
    async fn append(&self, event: &AuditEvent) -> StoreResult<()> {
        let Some(pending) = &self.pending else {
            return Err(StoreError::Other("an audit event outside of a unit of work".into()));
        };
        pending.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        Ok(())
    }

    async fn list(&self, filter: &AuditFilter, page: PageRequest) -> StoreResult<Page<Recorded>> {
        let query = Entity::find().filter(condition(filter, page)).order_by_desc(Column::Id);
        let rows = query.limit(u64::from(page.limit) + 1).all(&self.conn).await.map_err(store_error)?;
        let events = rows.into_iter().map(recorded).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(events, page.limit, |recorded| recorded.event.id.as_uuid()))
    }

    async fn chain(&self, after: i64, limit: u32) -> StoreResult<Vec<ChainRow>> {
        chain_rows(&self.conn, after, limit).await
    }

    async fn head(&self) -> StoreResult<ChainHead> {
        chain_head(&self.conn).await
    }

    async fn count_unchained(&self) -> StoreResult<i64> {
        count_unchained(&self.conn).await
    }
}

/// Rows of the chain after a position, in order.
pub(super) async fn chain_rows<C: ConnectionTrait>(conn: &C, after: i64, limit: u32) -> StoreResult<Vec<ChainRow>> {
    let query = Entity::find().filter(Column::Position.gt(after)).order_by_asc(Column::Position);
    let rows = query.limit(u64::from(limit)).all(conn).await.map_err(store_error)?;
    Ok(rows.into_iter().map(chain_row).collect())
}

pub(super) async fn chain_head<C: ConnectionTrait>(conn: &C) -> StoreResult<ChainHead> {
    let row = audit_head::Entity::find_by_id(HEAD).one(conn).await.map_err(store_error)?;
    row.map(head).ok_or(NO_HEAD)
}

pub(super) async fn count_unchained<C: ConnectionTrait>(conn: &C) -> StoreResult<i64> {
    let count = Entity::find().filter(Column::Position.is_null()).count(conn).await.map_err(store_error)?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

const NO_HEAD: StoreError = StoreError::Corrupt { table: "audit_heads", column: "name" };

/// Ids begin with their time, so a time is also a bound of the id, by which the indexes are walked.
fn condition(filter: &AuditFilter, page: PageRequest) -> Condition {
    let first_id = |time| {
        let id = domain::id::uuid_v7(time).as_u128();
        sea_orm::prelude::Uuid::from_u128(id & (u128::MAX << 80))
    };
    Condition::all()
        .add_option(filter.actor.map(|user| Column::ActorUserId.eq(user.as_uuid())))
        .add_option(filter.account.map(|account| Column::AccountId.eq(account.as_uuid())))
        .add_option(filter.target.as_ref().map(|target| Column::Target.eq(target)))
        .add_option(filter.action.as_ref().map(|action| Column::Action.eq(action)))
        .add_option(filter.from.map(|from| Column::Id.gte(first_id(from))))
        .add_option(filter.from.map(|from| Column::CreatedAt.gte(from)))
        .add_option(filter.until.map(|until| Column::CreatedAt.lt(until)))
        .add_option(page.before.map(|before| Column::Id.lt(before)))
}

/// Links what waits in the unit of work to the chain and writes it; nothing is locked afterwards.
pub(super) async fn write_pending(work: &Repos<DatabaseTransaction>) -> StoreResult<()> {
    let events = match &work.pending {
        Some(pending) => std::mem::take(&mut *pending.lock().unwrap_or_else(PoisonError::into_inner)),
        None => return Ok(()),
    };
    if events.is_empty() {
        return Ok(());
    }
    let query = audit_head::Entity::find_by_id(HEAD).lock_exclusive();
    let mut last = query.one(&work.conn).await.map_err(store_error)?.map(head).ok_or(NO_HEAD)?;
    for event in &events {
        let row = unplaced(event)?.chained(&last);
        last = last.after(&row);
        let insert = Entity::insert(model(row)).exec_without_returning(&work.conn);
        insert.await.map_err(store_error)?;
    }
    audit_head::Entity::update_many()
        .col_expr(audit_head::Column::Position, Expr::value(last.position))
        .col_expr(audit_head::Column::Hash, Expr::value(last.hash))
        .filter(audit_head::Column::Name.eq(HEAD))
        .exec(&work.conn)
        .await
        .map(drop)
        .map_err(store_error)
}

fn head(row: audit_head::Model) -> ChainHead {
    ChainHead { position: row.position, hash: row.hash, unchained: row.unchained }
}

/// An event as it will be stored, without a place in the chain yet.
fn unplaced(event: &AuditEvent) -> StoreResult<ChainRow> {
    Ok(ChainRow {
        position: 0,
        id: event.id.as_uuid(),
        account: event.account.map(AccountId::as_uuid),
        actor_user: event.actor_user.map(UserId::as_uuid),
        actor_key: event.actor_key.map(ApiKeyId::as_uuid),
        action: event.action.clone(),
        target: event.target.clone(),
        detail: to_json(&event.detail, TABLE, "detail")?,
        created_at_micros: event.created_at.timestamp_micros(),
        previous_hash: String::new(),
        hash: String::new(),
    })
}

fn model(row: ChainRow) -> ActiveModel {
    ActiveModel::from(Model {
        id: row.id,
        account_id: row.account,
        actor_user_id: row.actor_user,
        actor_key_id: row.actor_key,
        action: row.action,
        target: row.target,
        detail: row.detail,
        created_at: DateTime::from_timestamp_micros(row.created_at_micros).unwrap_or_default(),
        position: Some(row.position),
        previous_hash: Some(row.previous_hash),
        hash: Some(row.hash),
    })
}

/// A row as it is; what is missing was taken away by somebody, and an empty hash is never right.
fn chain_row(row: Model) -> ChainRow {
    ChainRow {
        position: row.position.unwrap_or_default(),
        id: row.id,
        account: row.account_id,
        actor_user: row.actor_user_id,
        actor_key: row.actor_key_id,
        action: row.action,
        target: row.target,
        detail: row.detail,
        created_at_micros: row.created_at.timestamp_micros(),
        previous_hash: row.previous_hash.unwrap_or_default(),
        hash: row.hash.unwrap_or_default(),
    }
}

fn recorded(row: Model) -> StoreResult<Recorded> {
    let event = AuditEvent {
        id: AuditId::from_uuid(row.id),
        account: row.account_id.map(AccountId::from_uuid),
        actor_user: row.actor_user_id.map(UserId::from_uuid),
        actor_key: row.actor_key_id.map(ApiKeyId::from_uuid),
        action: row.action,
        target: row.target,
        detail: from_json(&row.detail, TABLE, "detail")?,
        created_at: row.created_at,
    };
    Ok(Recorded { event, position: row.position, hash: row.hash })
}
