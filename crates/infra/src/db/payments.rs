//! Payment attempts in `payments`.

use super::columns::{corrupt, currency, one_of};
use super::entity::payment::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, OrderId, PaymentId};
use domain::money::Money;
use domain::orders::{PayAction, PayMethod, Payment, PaymentFilter, PaymentRepository, PaymentStatus};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::wallet::Provider;
use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

const TABLE: &str = "payments";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> PaymentRepository for Repos<C> {
    async fn find(&self, id: PaymentId) -> StoreResult<Option<Payment>> {
        let query = Entity::find().filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(payment).transpose()
    }

    async fn insert(&self, payment: &Payment) -> StoreResult<()> {
        let insert = Entity::insert(row(payment)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, payment: &Payment) -> StoreResult<()> {
        let row = ActiveModel { refunding: NotSet, ..row(payment) };
        let update = Entity::update_many()
            .set(row)
            .filter(Column::AccountId.eq(payment.account.as_uuid()))
            .filter(Column::Id.eq(payment.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn of_orders(&self, orders: &[OrderId]) -> StoreResult<Vec<Payment>> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let ids = orders.iter().map(|order| order.as_uuid()).collect();
        let query = Entity::find()
            .filter(one_of(self.conn.get_database_backend(), Column::OrderId, ids))
            .order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(payment).collect()
    }

    async fn reserve(&self, id: PaymentId, amount: Money, now: DateTime<Utc>) -> StoreResult<bool> {
        let after = || Expr::col(Column::Refunding).add(amount.nanos());
        let update = Entity::update_many()
            .col_expr(Column::Refunding, after())
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::CapturedCurrency.eq(amount.currency().code()))
            .filter(after().lte(Expr::col(Column::Captured)))
            .filter(after().gte(Expr::col(Column::Refunded)));
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected == 1)
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Payment>> {
        let query =
            Entity::find().filter(Column::NextPollAt.lte(now)).order_by_asc(Column::NextPollAt).limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(payment).collect()
    }

    async fn claim(&self, payment: &Payment, until: DateTime<Utc>) -> StoreResult<bool> {
        let update = Entity::update_many()
            .col_expr(Column::NextPollAt, Expr::value(until))
            .filter(Column::Id.eq(payment.id.as_uuid()))
            .filter(Column::NextPollAt.eq(payment.next_poll_at));
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected == 1)
    }

    async fn list(&self, filter: &PaymentFilter, page: PageRequest) -> StoreResult<Page<Payment>> {
        let asked = Condition::all()
            .add_option(filter.account.map(|account| Column::AccountId.eq(account.as_uuid())))
            .add_option(filter.provider.map(|provider| Column::Provider.eq(provider.name())))
            .add_option(filter.status.map(|status| Column::Status.eq(status.name())));
        let query = Entity::find().filter(asked);
        newest(&self.conn, (query, Column::Id), page, payment, |payment| payment.id.as_uuid()).await
    }

    async fn captured_between(
        &self,
        provider: Provider,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        after: Option<PaymentId>,
        limit: u32,
    ) -> StoreResult<Vec<Payment>> {
        let query = Entity::find()
            .filter(Column::Provider.eq(provider.name()))
            .filter(Column::PaidAt.gte(from))
            .filter(Column::PaidAt.lt(until))
            .filter(Condition::all().add_option(after.map(|id| Column::Id.gt(id.as_uuid()))))
            .order_by_asc(Column::Id)
            .limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(payment).collect()
    }
}

const fn method_name(method: PayMethod) -> &'static str {
    match method {
        PayMethod::Default => "default",
        PayMethod::Page => "page",
    }
}

fn method(text: &str) -> StoreResult<PayMethod> {
    [PayMethod::Default, PayMethod::Page]
        .into_iter()
        .find(|method| method_name(*method) == text)
        .ok_or_else(|| corrupt(TABLE, "method"))
}

/// The kind of an action, and its content.
fn action_columns(action: Option<&PayAction>) -> (Option<String>, Option<String>) {
    let (kind, content) = match action {
        None => return (None, None),
        Some(PayAction::ScanQr(content)) => ("qr", content),
        Some(PayAction::Open(content)) => ("open", content),
        Some(PayAction::Follow(content)) => ("follow", content),
    };
    (Some(kind.to_owned()), Some(content.clone()))
}

fn action(kind: Option<&str>, content: Option<String>) -> StoreResult<Option<PayAction>> {
    match (kind, content) {
        (None, _) => Ok(None),
        (Some("qr"), Some(content)) => Ok(Some(PayAction::ScanQr(content))),
        (Some("open"), Some(content)) => Ok(Some(PayAction::Open(content))),
        (Some("follow"), Some(content)) => Ok(Some(PayAction::Follow(content))),
        (Some(_), _) => Err(corrupt(TABLE, "action")),
    }
}

fn row(payment: &Payment) -> ActiveModel {
    let (action, pay_url) = action_columns(payment.action.as_ref());
    let model = Model {
        account_id: payment.account.as_uuid(),
        id: payment.id.as_uuid(),
        order_id: payment.order.as_uuid(),
        provider: payment.provider.name().to_owned(),
        method: method_name(payment.method).to_owned(),
        status: payment.status.name().to_owned(),
        amount: payment.amount.nanos(),
        currency: payment.amount.currency().code().to_owned(),
        captured: payment.captured.map(Money::nanos),
        captured_currency: payment.captured.map(|captured| captured.currency().code().to_owned()),
        transaction_id: payment.transaction.clone(),
        provider_reference: payment.reference.clone(),
        action,
        pay_url,
        refunding: payment.refunding.nanos(),
        refunded: payment.refunded.nanos(),
        expires_at: payment.expires_at,
        paid_at: payment.paid_at,
        polls: i64::from(payment.polls),
        next_poll_at: payment.next_poll_at,
        polled_at: payment.polled_at,
        created_at: payment.created_at,
        updated_at: payment.updated_at,
    };
    model.into_active_model().reset_all()
}

fn payment(row: Model) -> StoreResult<Payment> {
    let asked = currency(&row.currency, TABLE)?;
    let captured_currency = row.captured_currency.map(|code| currency(&code, TABLE)).transpose()?;
    let came = captured_currency.unwrap_or(asked);
    Ok(Payment {
        id: PaymentId::from_uuid(row.id),
        order: OrderId::from_uuid(row.order_id),
        account: AccountId::from_uuid(row.account_id),
        provider: Provider::parse(&row.provider).ok_or_else(|| corrupt(TABLE, "provider"))?,
        method: method(&row.method)?,
        status: PaymentStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        amount: Money::from_nanos(row.amount, asked),
        captured: row.captured.map(|nanos| Money::from_nanos(nanos, came)),
        transaction: row.transaction_id,
        reference: row.provider_reference,
        action: action(row.action.as_deref(), row.pay_url)?,
        refunding: Money::from_nanos(row.refunding, came),
        refunded: Money::from_nanos(row.refunded, came),
        expires_at: row.expires_at,
        paid_at: row.paid_at,
        polls: u32::try_from(row.polls).map_err(|_| corrupt(TABLE, "polls"))?,
        next_poll_at: row.next_poll_at,
        polled_at: row.polled_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
