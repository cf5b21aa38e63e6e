//! Bills, their payments, coupons, invoices and subscriptions at providers.

use super::statements::{change, find, find_where, insert, list, save, select};
use super::{Repos, span};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{
    Bill, BillFilter, BillKind, BillPayment, BillPaymentRepository, BillRepository, BillStatus, Coupon,
    CouponRepository, Invoice, InvoiceFilter, InvoiceRepository, IssuedBill, Mirror, MirrorRepository, MirrorStatus,
    Slot,
};
use domain::id::{AccountId, BillId, CouponId, InvoiceId, MirrorId};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use domain::wallet::Provider;

#[async_trait]
impl BillRepository for Repos {
    async fn insert(&self, bills: &[IssuedBill]) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.bills.insert(cx, bills.iter().map(|issued| (issued.bill.id, issued.clone())).collect())
        })
        .await
    }

    async fn save(&self, bills: &[Bill]) -> StoreResult<()> {
        for bill in bills {
            save!(self.bills[bill.id], |before: &IssuedBill| {
                let kept = before.bill.clone();
                let after = Bill {
                    status: bill.status,
                    refunded: bill.refunded,
                    paid_at: bill.paid_at,
                    voided_at: bill.voided_at,
                    chased: bill.chased,
                    chase_at: bill.chase_at,
                    updated_at: bill.updated_at,
                    ..kept
                };
                IssuedBill { bill: after, ..before.clone() }
            })?;
        }
        Ok(())
    }

    async fn find(&self, id: BillId) -> StoreResult<Option<IssuedBill>> {
        find!(self.bills[id])
    }

    async fn find_live(&self, account: AccountId, kind: BillKind, start: DateTime<Utc>) -> StoreResult<Option<Bill>> {
        let live = |issued: &&IssuedBill| {
            let bill = &issued.bill;
            let same = (bill.account, bill.kind, bill.period.start) == (account, kind, start);
            same && bill.status != BillStatus::Void
        };
        let found: Option<IssuedBill> = find_where!(self.bills, live)?;
        Ok(found.map(|issued| issued.bill))
    }

    async fn unpaid(&self, account: AccountId) -> StoreResult<Vec<Bill>> {
        let owed = |issued: &&IssuedBill| {
            let bill = &issued.bill;
            bill.account == account && bill.status == BillStatus::Unpaid && bill.kind != BillKind::Refund
        };
        let found: Vec<IssuedBill> = select!(self.bills, owed)?;
        Ok(found.into_iter().map(|issued| issued.bill).collect())
    }

    async fn of_periods(&self, kind: BillKind, slots: &[Slot]) -> StoreResult<Vec<IssuedBill>> {
        let Some(first) = slots.iter().map(|(_, start)| *start).min() else { return Ok(Vec::new()) };
        let wanted = |issued: &&IssuedBill| {
            let bill = &issued.bill;
            let begun = |(account, start): &Slot| *account == bill.account && *start <= bill.period.start;
            bill.kind == kind && bill.period.start >= first && slots.iter().any(begun)
        };
        select!(self.bills, wanted)
    }

    async fn list(&self, filter: &BillFilter, wanted: PageRequest) -> StoreResult<Page<Bill>> {
        let fits = |issued: &&IssuedBill| {
            let bill = &issued.bill;
            filter.account.is_none_or(|account| bill.account == account)
                && filter.kind.is_none_or(|kind| bill.kind == kind)
                && filter.status.is_none_or(|status| bill.status == status)
                && filter.month.as_ref().is_none_or(|month| bill.month == *month)
        };
        let found: Page<IssuedBill> = list!(self.bills, fits, wanted, |issued| issued.bill.id.as_uuid())?;
        Ok(found.map(|issued| issued.bill))
    }

    async fn to_chase(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, BillId)>> {
        self.call(|tables, cx| {
            let due = tables
                .bills
                .values(cx.tx)
                .map(|issued| &issued.bill)
                .filter(|bill| bill.status == BillStatus::Unpaid && bill.chase_at.is_some_and(|time| time <= now));
            let mut due: Vec<_> = due.map(|bill| (bill.chase_at, bill.id, bill.account)).collect();
            due.sort_unstable();
            Ok(span(due, skip, most).into_iter().map(|(_, id, account)| (account, id)).collect())
        })
        .await
    }

    async fn walk(&self, month: Option<String>, after: Option<BillId>, most: u64) -> StoreResult<Vec<BillId>> {
        self.call(|tables, cx| {
            let rows = tables.bills.values(cx.tx).map(|issued| &issued.bill);
            let wanted = rows.filter(|bill| month.as_ref().is_none_or(|month| bill.month == *month));
            let wanted = wanted.filter(|bill| after.is_none_or(|after| bill.id > after));
            Ok(span(wanted.map(|bill| bill.id).collect(), 0, most))
        })
        .await
    }
}

#[async_trait]
impl BillPaymentRepository for Repos {
    async fn insert(&self, payments: &[BillPayment]) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.bill_payments.insert(cx, payments.iter().map(|row| (row.id, row.clone())).collect())
        })
        .await
    }

    async fn of_bill(&self, bill: BillId) -> StoreResult<Vec<BillPayment>> {
        select!(self.bill_payments, |row| row.bill == bill)
    }
}

#[async_trait]
impl CouponRepository for Repos {
    async fn insert(&self, coupon: &Coupon) -> StoreResult<()> {
        insert!(self.coupons[coupon.id] = coupon)
    }

    async fn find(&self, id: CouponId) -> StoreResult<Option<Coupon>> {
        find!(self.coupons[id])
    }

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Coupon>> {
        find_where!(self.coupons, |row| row.code == code)
    }

    async fn use_once(&self, id: CouponId, now: DateTime<Utc>) -> StoreResult<bool> {
        let loose = self.is_unconditional("coupons");
        change!(self.coupons[id], |before: &Coupon| {
            let left = loose || before.max_uses.is_none_or(|most| before.uses < most);
            (left && !before.disabled).then(|| Coupon { uses: before.uses + 1, updated_at: now, ..before.clone() })
        })
    }

    async fn give_back(&self, code: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let Some(coupon): Option<Coupon> = find_where!(self.coupons, |row| row.code == code)? else { return Ok(()) };
        change!(self.coupons[coupon.id], |before: &Coupon| {
            (before.uses > 0).then(|| Coupon { uses: before.uses - 1, updated_at: now, ..before.clone() })
        })
        .map(drop)
    }

    async fn disable(&self, id: CouponId, now: DateTime<Utc>) -> StoreResult<()> {
        save!(self.coupons[id], |before: &Coupon| Coupon { disabled: true, updated_at: now, ..before.clone() })
    }

    async fn list(&self, wanted: PageRequest) -> StoreResult<Page<Coupon>> {
        list!(self.coupons, |_| true, wanted, |row| row.id.as_uuid())
    }
}

#[async_trait]
impl InvoiceRepository for Repos {
    async fn insert(&self, invoice: &Invoice) -> StoreResult<()> {
        insert!(self.invoices[invoice.id] = invoice)
    }

    async fn save(&self, invoice: &Invoice) -> StoreResult<()> {
        save!(self.invoices[invoice.id], |_| invoice.clone())
    }

    async fn find(&self, id: InvoiceId) -> StoreResult<Option<Invoice>> {
        find!(self.invoices[id])
    }

    async fn standing(&self, bill: BillId) -> StoreResult<Option<Invoice>> {
        find_where!(self.invoices, |row| row.bill == bill && row.status.stands())
    }

    async fn list(&self, filter: &InvoiceFilter, wanted: PageRequest) -> StoreResult<Page<Invoice>> {
        let fits = |row: &&Invoice| {
            filter.account.is_none_or(|account| row.account == account)
                && filter.bill.is_none_or(|bill| row.bill == bill)
                && filter.status.is_none_or(|status| row.status == status)
                && (!filter.outdated || (row.outdated_at.is_some() && row.status.stands()))
        };
        list!(self.invoices, fits, wanted, |row| row.id.as_uuid())
    }
}

#[async_trait]
impl MirrorRepository for Repos {
    async fn insert(&self, mirror: &Mirror) -> StoreResult<()> {
        insert!(self.mirrors[mirror.id] = mirror)
    }

    async fn save(&self, mirror: &Mirror) -> StoreResult<()> {
        save!(self.mirrors[mirror.id], |_| mirror.clone())
    }

    async fn find(&self, id: MirrorId) -> StoreResult<Option<Mirror>> {
        find!(self.mirrors[id])
    }

    async fn find_by_bill(&self, bill: BillId) -> StoreResult<Option<Mirror>> {
        find_where!(self.mirrors, |row| row.bill == bill)
    }

    async fn find_by_reference(&self, provider: Provider, reference: &str) -> StoreResult<Option<Mirror>> {
        find_where!(self.mirrors, |row| row.provider == provider && row.reference.as_deref() == Some(reference))
    }

    async fn of_account(&self, account: AccountId) -> StoreResult<Vec<Mirror>> {
        let mut found: Vec<Mirror> = select!(self.mirrors, |row| row.account == account)?;
        found.reverse();
        Ok(found)
    }

    async fn silent(&self, before: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Mirror>> {
        let silent =
            |row: &&Mirror| row.status != MirrorStatus::Ended && row.reference.is_some() && row.updated_at < before;
        let mut found: Vec<Mirror> = select!(self.mirrors, silent)?;
        found.sort_by_key(|row| row.updated_at);
        found.truncate(limit as usize);
        Ok(found)
    }
}
