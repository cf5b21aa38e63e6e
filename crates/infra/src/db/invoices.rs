//! Invoices in `billing_invoices`.

use super::columns::{corrupt, currency};
use super::entity::billing_invoice::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::billing::{Invoice, InvoiceFilter, InvoiceKind, InvoiceRepository, InvoiceStatus, InvoiceTitle, TaxId};
use domain::id::{AccountId, BillId, InvoiceId};
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

const TABLE: &str = "billing_invoices";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> InvoiceRepository for Repos<C> {
    async fn insert(&self, invoice: &Invoice) -> StoreResult<()> {
        let insert = Entity::insert(ActiveModel::from(row(invoice))).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, invoice: &Invoice) -> StoreResult<()> {
        let mut row = row(invoice).into_active_model();
        for column in [
            Column::Status,
            Column::StandingBillId,
            Column::Number,
            Column::Url,
            Column::Reason,
            Column::IssuedAt,
            Column::OutdatedAt,
            Column::UpdatedAt,
        ] {
            row.reset(column);
        }
        let update = Entity::update_many().set(row).filter(Column::Id.eq(invoice.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn find(&self, id: InvoiceId) -> StoreResult<Option<Invoice>> {
        Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?.map(invoice).transpose()
    }

    async fn standing(&self, bill: BillId) -> StoreResult<Option<Invoice>> {
        let query = Entity::find().filter(Column::StandingBillId.eq(bill.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(invoice).transpose()
    }

    async fn list(&self, filter: &InvoiceFilter, page: PageRequest) -> StoreResult<Page<Invoice>> {
        let conditions = [
            filter.account.map(|account| Column::AccountId.eq(account.as_uuid())),
            filter.bill.map(|bill| Column::BillId.eq(bill.as_uuid())),
            filter.status.map(|status| Column::Status.eq(status.name())),
            filter.outdated.then(|| Column::OutdatedAt.is_not_null()),
            filter.outdated.then(|| Column::StandingBillId.is_not_null()),
            page.before.map(|before| Column::Id.lt(before)),
        ];
        let query = conditions.into_iter().flatten().fold(Entity::find(), QueryFilter::filter);
        let query = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let invoices = rows.into_iter().map(invoice).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(invoices, page.limit, |invoice| invoice.id.as_uuid()))
    }
}

fn row(invoice: &Invoice) -> Model {
    Model {
        id: invoice.id.as_uuid(),
        account_id: invoice.account.as_uuid(),
        bill_id: invoice.bill.as_uuid(),
        standing_bill_id: invoice.status.stands().then(|| invoice.bill.as_uuid()),
        status: invoice.status.name().to_owned(),
        kind: invoice.title.kind.name().to_owned(),
        title: invoice.title.title.clone(),
        tax_id: invoice.title.tax_id.as_ref().map(|id| id.as_str().to_owned()),
        currency: invoice.amount.currency().code().to_owned(),
        amount_nanos: invoice.amount.nanos(),
        number: invoice.number.clone(),
        url: invoice.url.clone(),
        reason: invoice.reason.clone(),
        requested_at: invoice.requested_at,
        issued_at: invoice.issued_at,
        outdated_at: invoice.outdated_at,
        updated_at: invoice.updated_at,
    }
}

fn invoice(row: Model) -> StoreResult<Invoice> {
    let tax_id = row.tax_id.as_deref().map(TaxId::parse).transpose().map_err(|_| corrupt(TABLE, "tax_id"))?;
    Ok(Invoice {
        id: InvoiceId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        bill: BillId::from_uuid(row.bill_id),
        status: InvoiceStatus::parse(&row.status).ok_or(corrupt(TABLE, "status"))?,
        title: InvoiceTitle {
            kind: InvoiceKind::parse(&row.kind).ok_or(corrupt(TABLE, "kind"))?,
            title: row.title,
            tax_id,
        },
        amount: Money::from_nanos(row.amount_nanos, currency(&row.currency, TABLE)?),
        number: row.number,
        url: row.url,
        reason: row.reason,
        requested_at: row.requested_at,
        issued_at: row.issued_at,
        outdated_at: row.outdated_at,
        updated_at: row.updated_at,
    })
}
