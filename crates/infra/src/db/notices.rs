//! Notices in `notices`.

use super::bulk::Existing;
use super::columns::{from_json, padded, to_json};
use super::entity::notice::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, NoticeId};
use domain::notices::{Notice, NoticeRepository, cursor, position};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

const TABLE: &str = "notices";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> NoticeRepository for Repos<C> {
    async fn insert(&self, notices: &[Notice]) -> StoreResult<()> {
        let rows = notices.iter().map(row).collect::<StoreResult<Vec<_>>>()?;
        self.insert_all::<Entity>(&rows, Existing::Fail).await
    }

    async fn find(&self, account: AccountId, id: NoticeId) -> StoreResult<Option<Notice>> {
        let found = Entity::find_by_id((account.as_uuid(), id.as_uuid())).one(&self.conn).await.map_err(store_error)?;
        found.map(notice).transpose()
    }

    async fn list(&self, account: AccountId, unread: bool, page: PageRequest) -> StoreResult<Page<Notice>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(Column::Position)
            .limit(u64::from(page.limit) + 1);
        if unread {
            query = query.filter(Column::ReadAt.is_null());
        }
        if let Some(before) = page.before {
            query = query.filter(Column::Position.lt(position(before)));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let notices = rows.into_iter().map(notice).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(notices, page.limit, |notice| cursor(notice.position)))
    }

    async fn mark_read(&self, account: AccountId, id: NoticeId, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::ReadAt, Expr::value(now))
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::ReadAt.is_null());
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn mark_all_read(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64> {
        let update = Entity::update_many()
            .col_expr(Column::ReadAt, Expr::value(now))
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::ReadAt.is_null());
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected)
    }

    async fn delete_older(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64> {
        let old: Vec<(Uuid, Uuid)> = Entity::find()
            .select_only()
            .columns([Column::AccountId, Column::Id])
            .filter(Column::CreatedAt.lt(time))
            .limit(u64::from(limit))
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        if old.is_empty() {
            return Ok(0);
        }
        // An id is one event's, so the accounts only lead to the key.
        let (accounts, ids): (Vec<Uuid>, Vec<Uuid>) = old.into_iter().unzip();
        let delete = Entity::delete_many()
            .filter(Column::AccountId.is_in(padded(accounts)))
            .filter(Column::Id.is_in(padded(ids)));
        Ok(delete.exec(&self.conn).await.map_err(store_error)?.rows_affected)
    }
}

fn row(notice: &Notice) -> StoreResult<Model> {
    Ok(Model {
        account_id: notice.account.as_uuid(),
        id: notice.id.as_uuid(),
        kind: notice.kind.clone(),
        payload: to_json(&notice.payload, TABLE, "payload")?,
        position: notice.position,
        created_at: notice.created_at,
        read_at: notice.read_at,
    })
}

fn notice(row: Model) -> StoreResult<Notice> {
    Ok(Notice {
        id: NoticeId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        kind: row.kind,
        payload: from_json(&row.payload, TABLE, "payload")?,
        position: row.position,
        created_at: row.created_at,
        read_at: row.read_at,
    })
}
