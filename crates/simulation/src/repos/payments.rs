//! Payments, refunds and suspended money.

use super::Repos;
use super::statements::{change, find, find_where, insert, list, save, select};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{OrderId, PaymentId, RefundId, SuspenseId};
use domain::money::Money;
use domain::orders::{
    Payment, PaymentFilter, PaymentRepository, Refund, RefundRepository, RefundStatus, SuspenseItem,
    SuspenseRepository, SuspenseStatus,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::wallet::Provider;

#[async_trait]
impl PaymentRepository for Repos {
    async fn find(&self, id: PaymentId) -> StoreResult<Option<Payment>> {
        find!(self.payments[id])
    }

    async fn insert(&self, payment: &Payment) -> StoreResult<()> {
        insert!(self.payments[payment.id] = payment)
    }

    async fn save(&self, payment: &Payment) -> StoreResult<()> {
        save!(self.payments[payment.id], |before: &Payment| Payment { refunding: before.refunding, ..payment.clone() })
    }

    async fn of_orders(&self, orders: &[OrderId]) -> StoreResult<Vec<Payment>> {
        select!(self.payments, |row| orders.contains(&row.order))
    }

    async fn reserve(&self, id: PaymentId, amount: Money, now: DateTime<Utc>) -> StoreResult<bool> {
        let loose = self.is_unconditional("payments");
        change!(self.payments[id], |before: &Payment| {
            let captured = before.captured.filter(|captured| captured.currency() == amount.currency())?;
            let after = before.refunding.nanos() + amount.nanos();
            let within = after <= captured.nanos() && after >= before.refunded.nanos();
            let refunding = Money::from_nanos(after, amount.currency());
            (within || loose).then(|| Payment { refunding, updated_at: now, ..before.clone() })
        })
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Payment>> {
        let mut due: Vec<Payment> = select!(self.payments, |row| row.next_poll_at.is_some_and(|time| time <= now))?;
        due.sort_by_key(|row| row.next_poll_at);
        due.truncate(limit as usize);
        Ok(due)
    }

    async fn claim(&self, payment: &Payment, until: DateTime<Utc>) -> StoreResult<bool> {
        let loose = self.is_unconditional("polls");
        change!(self.payments[payment.id], |before: &Payment| {
            let same = loose || (before.next_poll_at.is_some() && before.next_poll_at == payment.next_poll_at);
            same.then(|| Payment { next_poll_at: Some(until), ..before.clone() })
        })
    }

    async fn list(&self, filter: &PaymentFilter, wanted: PageRequest) -> StoreResult<Page<Payment>> {
        let fits = |row: &&Payment| {
            filter.account.is_none_or(|account| row.account == account)
                && filter.provider.is_none_or(|provider| row.provider == provider)
                && filter.status.is_none_or(|status| row.status == status)
        };
        list!(self.payments, fits, wanted, |row| row.id.as_uuid())
    }

    async fn captured_between(
        &self,
        provider: Provider,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        after: Option<PaymentId>,
        limit: u32,
    ) -> StoreResult<Vec<Payment>> {
        let fits = |row: &&Payment| {
            row.provider == provider
                && row.paid_at.is_some_and(|time| (from..until).contains(&time))
                && after.is_none_or(|after| row.id > after)
        };
        let mut found: Vec<Payment> = select!(self.payments, fits)?;
        found.truncate(limit as usize);
        Ok(found)
    }
}

#[async_trait]
impl RefundRepository for Repos {
    async fn find(&self, id: RefundId) -> StoreResult<Option<Refund>> {
        find!(self.refunds[id])
    }

    async fn insert(&self, refund: &Refund) -> StoreResult<()> {
        insert!(self.refunds[refund.id] = refund)
    }

    async fn save(&self, refund: &Refund) -> StoreResult<()> {
        save!(self.refunds[refund.id], |_| refund.clone())
    }

    async fn of_payments(&self, payments: &[PaymentId]) -> StoreResult<Vec<Refund>> {
        select!(self.refunds, |row| payments.contains(&row.payment))
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Refund>> {
        let mut due: Vec<Refund> = select!(self.refunds, |row| row.next_check_at.is_some_and(|time| time <= now))?;
        due.sort_by_key(|row| row.next_check_at);
        due.truncate(limit as usize);
        Ok(due)
    }

    async fn list(&self, status: Option<RefundStatus>, wanted: PageRequest) -> StoreResult<Page<Refund>> {
        let fits = |row: &&Refund| status.is_none_or(|status| row.status == status);
        list!(self.refunds, fits, wanted, |row| row.id.as_uuid())
    }

    async fn succeeded_between(
        &self,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        after: Option<RefundId>,
        limit: u32,
    ) -> StoreResult<Vec<Refund>> {
        let fits = |row: &&Refund| {
            row.status == RefundStatus::Succeeded
                && row.ended_at.is_some_and(|time| (from..until).contains(&time))
                && after.is_none_or(|after| row.id > after)
        };
        let mut found: Vec<Refund> = select!(self.refunds, fits)?;
        found.truncate(limit as usize);
        Ok(found)
    }
}

#[async_trait]
impl SuspenseRepository for Repos {
    async fn find(&self, id: SuspenseId) -> StoreResult<Option<SuspenseItem>> {
        find!(self.suspense[id])
    }

    async fn find_capture(&self, payment: PaymentId, transaction: &str) -> StoreResult<Option<SuspenseItem>> {
        find_where!(self.suspense, |row| row.payment == payment && row.transaction == transaction)
    }

    async fn insert(&self, item: &SuspenseItem) -> StoreResult<()> {
        insert!(self.suspense[item.id] = item)
    }

    async fn save(&self, item: &SuspenseItem) -> StoreResult<()> {
        save!(self.suspense[item.id], |_| item.clone())
    }

    async fn list(&self, status: Option<SuspenseStatus>, wanted: PageRequest) -> StoreResult<Page<SuspenseItem>> {
        let fits = |row: &&SuspenseItem| status.is_none_or(|status| row.status == status);
        list!(self.suspense, fits, wanted, |row| row.id.as_uuid())
    }
}
