//! Refunds in `refunds`.

use super::columns::{corrupt, currency, one_of};
use super::entity::refund::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, OrderId, PaymentId, RefundId, SuspenseId, UserId};
use domain::money::Money;
use domain::orders::{Refund, RefundRepository, RefundStatus};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

const TABLE: &str = "refunds";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> RefundRepository for Repos<C> {
    async fn find(&self, id: RefundId) -> StoreResult<Option<Refund>> {
        let query = Entity::find().filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(refund).transpose()
    }

    async fn insert(&self, refund: &Refund) -> StoreResult<()> {
        let insert = Entity::insert(row(refund)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, refund: &Refund) -> StoreResult<()> {
        let update = Entity::update_many()
            .set(row(refund))
            .filter(Column::AccountId.eq(refund.account.as_uuid()))
            .filter(Column::Id.eq(refund.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn of_payments(&self, payments: &[PaymentId]) -> StoreResult<Vec<Refund>> {
        if payments.is_empty() {
            return Ok(Vec::new());
        }
        let ids = payments.iter().map(|payment| payment.as_uuid()).collect();
        let query = Entity::find()
            .filter(one_of(self.conn.get_database_backend(), Column::PaymentId, ids))
            .order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(refund).collect()
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Refund>> {
        let query = Entity::find()
            .filter(Column::NextCheckAt.lte(now))
            .order_by_asc(Column::NextCheckAt)
            .limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(refund).collect()
    }

    async fn list(&self, status: Option<RefundStatus>, page: PageRequest) -> StoreResult<Page<Refund>> {
        let asked = Condition::all().add_option(status.map(|status| Column::Status.eq(status.name())));
        let query = Entity::find().filter(asked);
        newest(&self.conn, (query, Column::Id), page, refund, |refund| refund.id.as_uuid()).await
    }

    async fn succeeded_between(
        &self,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        after: Option<RefundId>,
        limit: u32,
    ) -> StoreResult<Vec<Refund>> {
        let query = Entity::find()
            .filter(Column::Status.eq(RefundStatus::Succeeded.name()))
            .filter(Column::EndedAt.gte(from))
            .filter(Column::EndedAt.lt(until))
            .filter(Condition::all().add_option(after.map(|id| Column::Id.gt(id.as_uuid()))))
            .order_by_asc(Column::Id)
            .limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(refund).collect()
    }
}

fn row(refund: &Refund) -> ActiveModel {
    let model = Model {
        account_id: refund.account.as_uuid(),
        id: refund.id.as_uuid(),
        payment_id: refund.payment.as_uuid(),
        order_id: refund.order.as_uuid(),
        amount: refund.amount.nanos(),
        currency: refund.amount.currency().code().to_owned(),
        reason: refund.reason.clone(),
        status: refund.status.name().to_owned(),
        problem: refund.problem.clone(),
        operator_id: refund.operator.as_uuid(),
        suspense_id: refund.suspense.map(SuspenseId::as_uuid),
        even_if_used: refund.even_if_used,
        taken_back: refund.taken_back.as_atoms(),
        checks: i64::from(refund.checks),
        next_check_at: refund.next_check_at,
        created_at: refund.created_at,
        ended_at: refund.ended_at,
    };
    model.into_active_model().reset_all()
}

fn refund(row: Model) -> StoreResult<Refund> {
    Ok(Refund {
        id: RefundId::from_uuid(row.id),
        payment: PaymentId::from_uuid(row.payment_id),
        order: OrderId::from_uuid(row.order_id),
        account: AccountId::from_uuid(row.account_id),
        amount: Money::from_nanos(row.amount, currency(&row.currency, TABLE)?),
        reason: row.reason,
        status: RefundStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        problem: row.problem,
        operator: UserId::from_uuid(row.operator_id),
        suspense: row.suspense_id.map(SuspenseId::from_uuid),
        even_if_used: row.even_if_used,
        taken_back: Quantity::atoms(row.taken_back),
        checks: u32::try_from(row.checks).map_err(|_| corrupt(TABLE, "checks"))?,
        next_check_at: row.next_check_at,
        created_at: row.created_at,
        ended_at: row.ended_at,
    })
}
