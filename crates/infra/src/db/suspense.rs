//! Suspended money in `suspense_items`.

use super::columns::{corrupt, currency};
use super::entity::suspense_item::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, OrderId, PaymentId, RefundId, SuspenseId, UserId};
use domain::money::Money;
use domain::orders::{SuspenseItem, SuspenseReason, SuspenseRepository, SuspenseStatus};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

const TABLE: &str = "suspense_items";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> SuspenseRepository for Repos<C> {
    async fn find(&self, id: SuspenseId) -> StoreResult<Option<SuspenseItem>> {
        let query = Entity::find().filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(item).transpose()
    }

    async fn find_capture(&self, payment: PaymentId, transaction: &str) -> StoreResult<Option<SuspenseItem>> {
        let query = Entity::find()
            .filter(Column::PaymentId.eq(payment.as_uuid()))
            .filter(Column::TransactionId.eq(transaction));
        query.one(&self.conn).await.map_err(store_error)?.map(item).transpose()
    }

    async fn insert(&self, item: &SuspenseItem) -> StoreResult<()> {
        let insert = Entity::insert(row(item)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, item: &SuspenseItem) -> StoreResult<()> {
        let update = Entity::update_many()
            .set(row(item))
            .filter(Column::AccountId.eq(item.account.as_uuid()))
            .filter(Column::Id.eq(item.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, status: Option<SuspenseStatus>, page: PageRequest) -> StoreResult<Page<SuspenseItem>> {
        let asked = Condition::all().add_option(status.map(|status| Column::Status.eq(status.name())));
        let query = Entity::find().filter(asked);
        newest(&self.conn, (query, Column::Id), page, item, |item| item.id.as_uuid()).await
    }
}

fn row(item: &SuspenseItem) -> ActiveModel {
    let model = Model {
        account_id: item.account.as_uuid(),
        id: item.id.as_uuid(),
        order_id: item.order.as_uuid(),
        payment_id: item.payment.as_uuid(),
        reason: item.reason.name().to_owned(),
        status: item.status.name().to_owned(),
        amount: item.amount.nanos(),
        currency: item.amount.currency().code().to_owned(),
        transaction_id: item.transaction.clone(),
        refund_id: item.refund.map(RefundId::as_uuid),
        resolved_by: item.resolved_by.map(UserId::as_uuid),
        note: item.note.clone(),
        created_at: item.created_at,
        resolved_at: item.resolved_at,
    };
    model.into_active_model().reset_all()
}

fn item(row: Model) -> StoreResult<SuspenseItem> {
    Ok(SuspenseItem {
        id: SuspenseId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        order: OrderId::from_uuid(row.order_id),
        payment: PaymentId::from_uuid(row.payment_id),
        reason: SuspenseReason::parse(&row.reason).ok_or_else(|| corrupt(TABLE, "reason"))?,
        status: SuspenseStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        amount: Money::from_nanos(row.amount, currency(&row.currency, TABLE)?),
        transaction: row.transaction_id,
        refund: row.refund_id.map(RefundId::from_uuid),
        resolved_by: row.resolved_by.map(UserId::from_uuid),
        note: row.note,
        created_at: row.created_at,
        resolved_at: row.resolved_at,
    })
}
