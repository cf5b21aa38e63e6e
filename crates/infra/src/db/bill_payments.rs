//! Payments of bills in `billing_payments`.

use super::bulk::Existing;
use super::columns::{corrupt, currency};
use super::entity::billing_payment::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::billing::{BillMethod, BillPayment, BillPaymentRepository};
use domain::id::{AccountId, BillId, BillPaymentId};
use domain::money::Money;
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

const TABLE: &str = "billing_payments";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> BillPaymentRepository for Repos<C> {
    async fn insert(&self, payments: &[BillPayment]) -> StoreResult<()> {
        let rows: Vec<_> = payments.iter().map(row).collect();
        self.together().insert::<Entity>(&rows, Existing::Fail).execute(&self.conn).await
    }

    async fn of_bill(&self, bill: BillId) -> StoreResult<Vec<BillPayment>> {
        let query = Entity::find().filter(Column::BillId.eq(bill.as_uuid())).order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.iter().map(payment).collect()
    }
}

fn row(payment: &BillPayment) -> Model {
    Model {
        id: payment.id.as_uuid(),
        account_id: payment.account.as_uuid(),
        bill_id: payment.bill.as_uuid(),
        method: payment.method.name().to_owned(),
        currency: payment.amount.currency().code().to_owned(),
        amount_nanos: payment.amount.nanos(),
        transaction_id: payment.transaction.clone(),
        paid_at: payment.paid_at,
    }
}

fn payment(row: &Model) -> StoreResult<BillPayment> {
    Ok(BillPayment {
        id: BillPaymentId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        bill: BillId::from_uuid(row.bill_id),
        method: BillMethod::parse(&row.method).ok_or(corrupt(TABLE, "method"))?,
        amount: Money::from_nanos(row.amount_nanos, currency(&row.currency, TABLE)?),
        transaction: row.transaction_id.clone(),
        paid_at: row.paid_at,
    })
}
