//! Orders in `orders`.

use super::columns::{corrupt, currency, from_json, to_json};
use super::entity::order::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, OrderId, PaymentId, UserId};
use domain::money::Money;
use domain::orders::{CloseReason, Order, OrderFilter, OrderRepository, OrderStatus, Purpose};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

const TABLE: &str = "orders";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> OrderRepository for Repos<C> {
    async fn find(&self, id: OrderId) -> StoreResult<Option<Order>> {
        let query = Entity::find().filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(order).transpose()
    }

    async fn insert(&self, order: &Order) -> StoreResult<()> {
        let insert = Entity::insert(row(order)?).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, order: &Order) -> StoreResult<()> {
        let update = Entity::update_many()
            .set(row(order)?)
            .filter(Column::AccountId.eq(order.account.as_uuid()))
            .filter(Column::Id.eq(order.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn count_open(&self, account: AccountId) -> StoreResult<u64> {
        let open = [OrderStatus::Created.name(), OrderStatus::Closing.name()];
        let query = Entity::find().filter(Column::AccountId.eq(account.as_uuid())).filter(Column::Status.is_in(open));
        query.count(&self.conn).await.map_err(store_error)
    }

    async fn of_bill(&self, account: AccountId, bill: Uuid) -> StoreResult<Vec<Order>> {
        let query = Entity::find()
            .filter(Column::BillId.eq(bill))
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(order).collect()
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<(AccountId, OrderId)>> {
        let query = Entity::find()
            .select_only()
            .columns([Column::AccountId, Column::Id])
            .filter(Column::Status.eq(OrderStatus::Created.name()))
            .filter(Column::ExpiresAt.lte(now))
            .order_by_asc(Column::ExpiresAt)
            .limit(u64::from(limit));
        let rows: Vec<(Uuid, Uuid)> = query.into_tuple().all(&self.conn).await.map_err(store_error)?;
        Ok(rows.into_iter().map(|(account, id)| (AccountId::from_uuid(account), OrderId::from_uuid(id))).collect())
    }

    async fn list(&self, filter: &OrderFilter, page: PageRequest) -> StoreResult<Page<Order>> {
        let mut query = Entity::find();
        if let Some(account) = filter.account {
            query = query.filter(Column::AccountId.eq(account.as_uuid()));
        }
        if let Some(status) = filter.status {
            query = query.filter(Column::Status.eq(status.name()));
        }
        newest(&self.conn, (query, Column::Id), page, order, |order| order.id.as_uuid()).await
    }
}

fn row(order: &Order) -> StoreResult<ActiveModel> {
    let (product_id, bill_id) = match &order.purpose {
        Purpose::Product(product) => (Some(product.id.as_uuid()), None),
        Purpose::TopUp => (None, None),
        Purpose::Bill { bill } => (None, Some(*bill)),
    };
    let model = Model {
        account_id: order.account.as_uuid(),
        id: order.id.as_uuid(),
        user_id: order.user.as_uuid(),
        purpose_kind: order.purpose.name().to_owned(),
        product_id,
        bill_id,
        purpose: to_json(&order.purpose, TABLE, "purpose")?,
        amount: order.amount.nanos(),
        currency: order.amount.currency().code().to_owned(),
        description: order.description.clone(),
        status: order.status.name().to_owned(),
        paid_by: order.paid_by.map(PaymentId::as_uuid),
        close_reason: order.close_reason.map(|reason| reason.name().to_owned()),
        expires_at: order.expires_at,
        delivered_at: order.delivered_at,
        closed_at: order.closed_at,
        created_at: order.created_at,
        updated_at: order.updated_at,
    };
    Ok(model.into_active_model().reset_all())
}

fn order(row: Model) -> StoreResult<Order> {
    let reason = |text: String| CloseReason::parse(&text).ok_or_else(|| corrupt(TABLE, "close_reason"));
    Ok(Order {
        id: OrderId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        user: UserId::from_uuid(row.user_id),
        purpose: from_json(&row.purpose, TABLE, "purpose")?,
        amount: Money::from_nanos(row.amount, currency(&row.currency, TABLE)?),
        description: row.description,
        status: OrderStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        paid_by: row.paid_by.map(PaymentId::from_uuid),
        close_reason: row.close_reason.map(reason).transpose()?,
        expires_at: row.expires_at,
        delivered_at: row.delivered_at,
        closed_at: row.closed_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
