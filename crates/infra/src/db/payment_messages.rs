//! Providers' messages in `payment_messages`.

use super::columns::corrupt;
use super::entity::payment_message::{Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::PaymentMessageId;
use domain::orders::{MessageOutcome, PaymentMessage, PaymentMessageRepository};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::wallet::Provider;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};

const TABLE: &str = "payment_messages";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> PaymentMessageRepository for Repos<C> {
    async fn find_by_message(&self, provider: Provider, message: &str) -> StoreResult<Option<PaymentMessage>> {
        let query = Entity::find().filter(Column::Provider.eq(provider.name())).filter(Column::Message.eq(message));
        query.one(&self.conn).await.map_err(store_error)?.map(kept).transpose()
    }

    async fn insert(&self, message: &PaymentMessage) -> StoreResult<()> {
        let row = Model {
            id: message.id.as_uuid(),
            provider: message.provider.name().to_owned(),
            message: message.message.clone(),
            outcome: message.outcome.name().to_owned(),
            bytes: i64::from(message.bytes),
            sha256: message.sha256.clone(),
            body: message.body.clone(),
            headers: message.headers.clone(),
            received_at: message.received_at,
            done_at: message.done_at,
        };
        let insert = Entity::insert(row.into_active_model().reset_all()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn count_hashed(&self, provider: Provider, beginning: &str) -> StoreResult<u64> {
        // A range rather than LIKE, which no index of all engines answers; `g` is behind every digit in any collation.
        let query = Entity::find()
            .filter(Column::Provider.eq(provider.name()))
            .filter(Column::Message.gte(beginning))
            .filter(Column::Message.lt([beginning, "g"].concat()));
        query.count(&self.conn).await.map_err(store_error)
    }

    async fn conclude(&self, id: PaymentMessageId, outcome: MessageOutcome, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::Outcome, Expr::value(outcome.name()))
            .col_expr(Column::DoneAt, Expr::value(now))
            .filter(Column::Id.eq(id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, outcome: Option<MessageOutcome>, page: PageRequest) -> StoreResult<Page<PaymentMessage>> {
        let asked = Condition::all().add_option(outcome.map(|outcome| Column::Outcome.eq(outcome.name())));
        let query = Entity::find().filter(asked);
        newest(&self.conn, (query, Column::Id), page, kept, |message| message.id.as_uuid()).await
    }
}

fn kept(row: Model) -> StoreResult<PaymentMessage> {
    Ok(PaymentMessage {
        id: PaymentMessageId::from_uuid(row.id),
        provider: Provider::parse(&row.provider).ok_or_else(|| corrupt(TABLE, "provider"))?,
        message: row.message,
        outcome: MessageOutcome::parse(&row.outcome).ok_or_else(|| corrupt(TABLE, "outcome"))?,
        bytes: u32::try_from(row.bytes).map_err(|_| corrupt(TABLE, "bytes"))?,
        sha256: row.sha256,
        body: row.body,
        headers: row.headers,
        received_at: row.received_at,
        done_at: row.done_at,
    })
}
