//! Money that goes back of bills: a refund bill for each part, to the balance, outside, or to the provider it came from.
//!
//! What a provider pays back is under way until it says so: its refund bill is unpaid until then, and void when the
//! provider fails. Such a bill has the digits of the refund at the provider.

use super::invoicing::outdate;
use super::issuing::{Draft, told, void};
use super::paying::Desk;
use super::service::{BillingService, lock, read_note};
use super::{Bill, BillKind, BillLine, BillStatus, IssuedBill, LineKind};
use crate::accounts::Account;
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{BillId, InvoiceId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::money::Money;
use crate::orders::Refund;
use crate::plans;
use crate::store::{Repositories, StoreError, retrying};
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where a refund goes when no provider is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundTo {
    Wallet,
    /// Outside, by an operator.
    Outside,
}

/// What an operator gives back of a bill.
#[derive(Clone, Debug)]
pub struct RefundWish {
    /// A decimal; all that may still go back when left out.
    pub amount: Option<String>,
    pub to: RefundTo,
    pub reason: String,
}

/// What went back of a bill, or is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// The refund bill.
    pub issued: IssuedBill,
    /// The invoice that stands for the bill: it is over too much, and has to be rejected or reversed. A refund that is
    /// under way outdates none before it arrives.
    pub outdated: Option<InvoiceId>,
}

impl BillingService {
    /// For operators: gives back a part of a bill that was paid, or all of it, by a refund bill.
    pub async fn refund(
        &self,
        actor: &Actor,
        id: BillId,
        wish: &RefundWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<Refunded>> {
        actor.require_admin()?;
        read_note("reason", &wish.reason)?;
        retrying!(self.store, self.try_refund(actor, id, wish, request))
    }

    async fn try_refund(
        &self,
        actor: &Actor,
        id: BillId,
        wish: &RefundWish,
        request: &IdempotentRequest,
    ) -> Result<Answered<Refunded>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let (issued, account) = lock(&*work, id).await?;
        let amount = refund_amount(&issued.bill, wish.amount.as_deref())?;
        let refund = refund_bill(&issued, amount, &wish.reason).compose(&self.catalogue, now)?;
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        let original = desk.take_back(&account, &issued.bill, &refund).await?;
        book_refund(&*work, &refund.bill, wish.to).await?;
        work.outbox().push(&[told(&refund.bill, "bill.refunded", now)]).await?;
        let outdated = outdate(&*work, &original, now).await?;
        let detail = json!({ "reason": wish.reason, "amount": amount.to_decimal(), "refund": refund.bill.id });
        let event = AuditEvent::by(actor, "bill.refund", id, now).on_account(account.id).with(detail);
        work.audit().append(&event).await?;
        let refunded = Refunded { issued: refund, outdated };
        idempotency::keep(&*work, request, &refunded, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(refunded))
    }
}

impl Desk<'_> {
    /// Stores a refund bill, and that so much of the original goes back; answers the original.
    async fn take_back(&self, account: &Account, bill: &Bill, refund: &IssuedBill) -> Result<Bill> {
        let noted = self.note_refunded(account, bill, refund.bill.totals.total).await?;
        self.work.bills().insert(std::slice::from_ref(refund)).await?;
        Ok(noted)
    }

    /// More of a bill goes back, or less when negative; what went back of the running term's fee is worth no credit.
    async fn note_refunded(&self, account: &Account, bill: &Bill, amount: Money) -> Result<Bill> {
        let refunded = bill.refunded.checked_add(amount)?;
        let noted = Bill { refunded, updated_at: self.now, ..bill.clone() };
        self.work.bills().save(std::slice::from_ref(&noted)).await?;
        let before = plans::lock_current(self.work, self.catalogue, account, self.hook, self.now).await?;
        let of_the_term = bill.kind == BillKind::Subscription && bill.period.end == before.term.end;
        if !of_the_term || bill.period.start > self.now {
            return Ok(noted);
        }
        let after = before.with_paid(Money::zero(amount.currency()).checked_sub(amount)?, self.now)?;
        plans::store_change(self.work, self.hook, (&before, &after), self.now).await?;
        Ok(noted)
    }

    /// A provider is to pay back a part of what it took for a bill.
    pub(super) async fn send_back(&self, account: &Account, issued: &IssuedBill, refund: &Refund) -> Result<()> {
        let amount = refund_amount(&issued.bill, Some(&refund.amount.to_decimal()))?;
        let drafted = refund_bill(issued, amount, &refund.reason).compose(self.catalogue, self.now)?;
        let under_way = Bill { id: bill_of(refund), status: BillStatus::Unpaid, paid_at: None, ..drafted.bill };
        self.take_back(account, &issued.bill, &IssuedBill { bill: under_way, ..drafted }).await?;
        self.book_back(refund, (TransferKind::RefundReserved, LedgerAccount::Revenue, LedgerAccount::Refund)).await
    }

    /// The provider paid it back: the bill's invoice is over too much from now on.
    pub(super) async fn went_back(&self, original: &Bill, refund: &Refund) -> Result<()> {
        let paid = self.refund_under_way(refund).await?.paid(self.now)?;
        self.work.bills().save(std::slice::from_ref(&paid)).await?;
        outdate(self.work, original, self.now).await?;
        Ok(self.work.outbox().push(&[told(&paid, "bill.refunded", self.now)]).await?)
    }

    /// The provider failed: the bill is as paid as it was.
    pub(super) async fn stays(&self, account: &Account, bill: &Bill, refund: &Refund) -> Result<()> {
        void(self.work, &self.refund_under_way(refund).await?, self.now).await?;
        self.note_refunded(account, bill, Money::zero(refund.amount.currency()).checked_sub(refund.amount)?).await?;
        self.book_back(refund, (TransferKind::RefundFailed, LedgerAccount::Refund, LedgerAccount::Revenue)).await
    }

    async fn refund_under_way(&self, refund: &Refund) -> Result<Bill> {
        let missing = StoreError::Corrupt { table: "billing_records", column: "refund_of" };
        Ok(self.work.bills().find(bill_of(refund)).await?.ok_or(missing)?.bill)
    }

    async fn book_back(
        &self,
        refund: &Refund,
        (kind, from, to): (TransferKind, LedgerAccount, LedgerAccount),
    ) -> Result<()> {
        let transfer = Transfer::new((kind, refund.id.to_string()), (from, to), refund.amount, self.now)?;
        wallet::post(self.work, &[transfer.about(refund.account)]).await
    }
}

/// The refund bill of a refund at a provider.
pub(super) const fn bill_of(refund: &Refund) -> BillId {
    BillId::from_uuid(refund.id.as_uuid())
}

fn refund_amount(bill: &Bill, wish: Option<&str>) -> Result<Money> {
    let most = bill.refundable()?;
    if bill.kind == BillKind::Refund || bill.status != BillStatus::Paid {
        return Err(Error::conflict("bill_not_paid", "Only a bill that is paid is refunded."));
    }
    let invalid = |reason: String| Error::invalid("amount", reason);
    let amount = match wish {
        Some(text) => Money::parse_minor(text, most.currency()).map_err(|error| invalid(error.to_string()))?,
        None => most,
    };
    if !most.is_positive() {
        return Err(Error::conflict("bill_refunded", "All of the bill was refunded."));
    }
    if !amount.is_positive() || amount.nanos() > most.nanos() {
        return Err(invalid(format!("must be above zero, and at most {}", most.to_decimal())));
    }
    Ok(amount)
}

fn refund_bill(issued: &IssuedBill, amount: Money, reason: &str) -> Draft {
    let bill = &issued.bill;
    let line = BillLine {
        number: 0,
        kind: LineKind::Refund,
        plan: bill.plan.clone(),
        version: None,
        interval: None,
        seats: issued.lines.first().map_or(1, |line| line.seats),
        period: bill.period,
        used: None,
        tier: None,
        amount,
        discount: Money::zero(amount.currency()),
    };
    let draft = Draft::new(bill.account, BillKind::Refund, bill.period, bill.plan.clone(), vec![line]);
    Draft { refund_of: Some(bill.id), remark: Some(reason.to_owned()), ..draft }
}

/// The money is set aside of what was earned, and goes where it belongs.
async fn book_refund(work: &dyn Repositories, refund: &Bill, to: RefundTo) -> Result<()> {
    let side = match to {
        RefundTo::Wallet => LedgerAccount::Wallet(refund.account),
        RefundTo::Outside => LedgerAccount::Cash(Provider::Manual),
    };
    let (reference, amount, now) = (refund.id.to_string(), refund.totals.total, refund.issued_at);
    let aside = (LedgerAccount::Revenue, LedgerAccount::Refund);
    let reserved = Transfer::new((TransferKind::RefundReserved, reference.clone()), aside, amount, now)?;
    let done = Transfer::new((TransferKind::Refunded, reference), (LedgerAccount::Refund, side), amount, now)?;
    wallet::post(work, &[reserved.about(refund.account), done.about(refund.account)]).await
}
