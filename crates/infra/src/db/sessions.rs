//! Sessions in the database.

use super::columns::corrupt;
use super::entity::session::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{SessionId, UserId};
use domain::identity::{Session, SessionRepository, TokenHash};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

const TABLE: &str = "sessions";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> SessionRepository for Repos<C> {
    async fn insert(&self, session: &Session) -> StoreResult<()> {
        let insert = Entity::insert(row(session).into_active_model()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find_by_hash(&self, hash: TokenHash) -> StoreResult<Option<Session>> {
        let query = Entity::find().filter(Column::TokenHash.eq(hash.to_hex()));
        query.one(&self.conn).await.map_err(store_error)?.map(session).transpose()
    }

    async fn find(&self, user: UserId, id: SessionId) -> StoreResult<Option<Session>> {
        let query = Entity::find_by_id((user.as_uuid(), id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(session).transpose()
    }

    async fn end(&self, user: UserId, id: SessionId) -> StoreResult<()> {
        let delete = Entity::delete_by_id((user.as_uuid(), id.as_uuid())).exec(&self.conn);
        delete.await.map(drop).map_err(store_error)
    }

    async fn end_all(&self, user: UserId, but: Option<SessionId>) -> StoreResult<()> {
        let mut delete = Entity::delete_many().filter(Column::UserId.eq(user.as_uuid()));
        if let Some(but) = but {
            delete = delete.filter(Column::Id.ne(but.as_uuid()));
        }
        delete.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn delete_expired(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        let delete = Entity::delete_many().filter(Column::ExpiresAt.lt(time)).exec(&self.conn);
        delete.await.map(|done| done.rows_affected).map_err(store_error)
    }
}

fn row(session: &Session) -> Model {
    Model {
        user_id: session.user.as_uuid(),
        id: session.id.as_uuid(),
        token_hash: session.token_hash.to_hex(),
        ip: session.ip.map(|ip| ip.to_string()),
        created_at: session.created_at,
        expires_at: session.expires_at,
    }
}

fn session(row: Model) -> StoreResult<Session> {
    Ok(Session {
        id: SessionId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        token_hash: TokenHash::from_hex(&row.token_hash).ok_or_else(|| corrupt(TABLE, "token_hash"))?,
        ip: row.ip.map(|ip| ip.parse()).transpose().map_err(|_| corrupt(TABLE, "ip"))?,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}
