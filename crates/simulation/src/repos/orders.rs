//! Products, orders, messages, charges and what reconciliation found.

use super::Repos;
use super::statements::{find, find_where, insert, list, save, select};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::id::{AccountId, DifferenceId, OrderId, PaymentMessageId, ProductId};
use domain::orders::{
    Charge, ChargeRepository, Difference, DifferenceStatus, MessageOutcome, Order, OrderFilter, OrderRepository,
    OrderStatus, PaymentMessage, PaymentMessageRepository, Product, ProductRepository, Purpose,
    ReconciliationRepository,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::wallet::Provider;
use uuid::Uuid;

#[async_trait]
impl ProductRepository for Repos {
    async fn find(&self, id: ProductId) -> StoreResult<Option<Product>> {
        find!(self.products[id])
    }

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Product>> {
        find_where!(self.products, |row| row.code == code)
    }

    async fn insert(&self, product: &Product) -> StoreResult<()> {
        insert!(self.products[product.id] = product)
    }

    async fn save(&self, product: &Product) -> StoreResult<()> {
        save!(self.products[product.id], |_| product.clone())
    }

    async fn on_sale(&self, limit: u32) -> StoreResult<Vec<Product>> {
        let mut found: Vec<Product> = select!(self.products, |row| row.enabled)?;
        found.sort_by(|a, b| (a.sort, &a.code).cmp(&(b.sort, &b.code)));
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn list(&self, wanted: PageRequest) -> StoreResult<Page<Product>> {
        list!(self.products, |_| true, wanted, |row| row.id.as_uuid())
    }
}

#[async_trait]
impl OrderRepository for Repos {
    async fn find(&self, id: OrderId) -> StoreResult<Option<Order>> {
        find!(self.orders[id])
    }

    async fn insert(&self, order: &Order) -> StoreResult<()> {
        insert!(self.orders[order.id] = order)
    }

    async fn save(&self, order: &Order) -> StoreResult<()> {
        save!(self.orders[order.id], |_| order.clone())
    }

    async fn count_open(&self, account: AccountId) -> StoreResult<u64> {
        let open =
            |row: &&Order| row.account == account && matches!(row.status, OrderStatus::Created | OrderStatus::Closing);
        self.call(|tables, cx| Ok(tables.orders.values(cx.tx).filter(open).count() as u64)).await
    }

    async fn of_bill(&self, account: AccountId, bill: Uuid) -> StoreResult<Vec<Order>> {
        select!(self.orders, |row| row.account == account && bill_of(&row.purpose) == Some(bill))
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<(AccountId, OrderId)>> {
        let mut due: Vec<Order> =
            select!(self.orders, |row| row.status == OrderStatus::Created && row.expires_at <= now)?;
        due.sort_by_key(|row| row.expires_at);
        due.truncate(limit as usize);
        Ok(due.into_iter().map(|row| (row.account, row.id)).collect())
    }

    async fn list(&self, filter: &OrderFilter, wanted: PageRequest) -> StoreResult<Page<Order>> {
        let fits = |row: &&Order| {
            filter.account.is_none_or(|account| row.account == account)
                && filter.status.is_none_or(|status| row.status == status)
        };
        list!(self.orders, fits, wanted, |row| row.id.as_uuid())
    }
}

fn bill_of(purpose: &Purpose) -> Option<Uuid> {
    match purpose {
        Purpose::Bill { bill } => Some(*bill),
        _ => None,
    }
}

#[async_trait]
impl PaymentMessageRepository for Repos {
    async fn find_by_message(&self, provider: Provider, message: &str) -> StoreResult<Option<PaymentMessage>> {
        find_where!(self.payment_messages, |row| row.provider == provider && row.message == message)
    }

    async fn insert(&self, message: &PaymentMessage) -> StoreResult<()> {
        insert!(self.payment_messages[message.id] = message)
    }

    async fn count_hashed(&self, provider: Provider, beginning: &str) -> StoreResult<u64> {
        let hashed = |row: &&PaymentMessage| row.provider == provider && row.message.starts_with(beginning);
        self.call(|tables, cx| Ok(tables.payment_messages.values(cx.tx).filter(hashed).count() as u64)).await
    }

    async fn conclude(&self, id: PaymentMessageId, outcome: MessageOutcome, now: DateTime<Utc>) -> StoreResult<()> {
        save!(self.payment_messages[id], |before: &PaymentMessage| PaymentMessage {
            outcome,
            done_at: Some(now),
            ..before.clone()
        })
    }

    async fn list(&self, outcome: Option<MessageOutcome>, wanted: PageRequest) -> StoreResult<Page<PaymentMessage>> {
        let fits = |row: &&PaymentMessage| outcome.is_none_or(|outcome| row.outcome == outcome);
        list!(self.payment_messages, fits, wanted, |row| row.id.as_uuid())
    }
}

#[async_trait]
impl ChargeRepository for Repos {
    async fn insert(&self, charge: &Charge) -> StoreResult<()> {
        insert!(self.charges[(charge.provider, charge.reference.clone())] = charge)
    }

    async fn find(&self, provider: Provider, reference: &str) -> StoreResult<Option<Charge>> {
        find!(self.charges[(provider, reference.to_owned())])
    }

    async fn charged_between(
        &self,
        provider: Provider,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        after: Option<String>,
        limit: u32,
    ) -> StoreResult<Vec<Charge>> {
        let fits = |row: &&Charge| {
            row.provider == provider
                && (from..until).contains(&row.charged_at)
                && after.as_ref().is_none_or(|after| row.reference > *after)
        };
        let mut found: Vec<Charge> = select!(self.charges, fits)?;
        found.truncate(limit as usize);
        Ok(found)
    }
}

#[async_trait]
impl ReconciliationRepository for Repos {
    async fn find(&self, id: DifferenceId) -> StoreResult<Option<Difference>> {
        find!(self.differences[id])
    }

    async fn insert(&self, difference: &Difference) -> StoreResult<()> {
        insert!(self.differences[difference.id] = difference)
    }

    async fn save(&self, difference: &Difference) -> StoreResult<()> {
        save!(self.differences[difference.id], |_| difference.clone())
    }

    async fn of_day(&self, provider: Provider, day: NaiveDate) -> StoreResult<Vec<Difference>> {
        select!(self.differences, |row| row.provider == provider && row.day == day)
    }

    async fn list(&self, status: Option<DifferenceStatus>, wanted: PageRequest) -> StoreResult<Page<Difference>> {
        let fits = |row: &&Difference| status.is_none_or(|status| row.status == status);
        list!(self.differences, fits, wanted, |row| row.id.as_uuid())
    }

    async fn finish_day(&self, provider: Provider, day: NaiveDate, now: DateTime<Utc>) -> StoreResult<()> {
        insert!(self.reconciled_days[(provider, day)] = now)
    }

    async fn is_finished(&self, provider: Provider, day: NaiveDate) -> StoreResult<bool> {
        let found: Option<DateTime<Utc>> = find!(self.reconciled_days[(provider, day)])?;
        Ok(found.is_some())
    }
}
