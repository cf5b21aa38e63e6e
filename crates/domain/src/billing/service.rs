//! Use cases of bills: look, pay, void, refund. Purchases, renewals, closing and chasing have files of their own.

use super::invoicing::outdate;
use super::issuing::{Draft, described, told, void};
use super::paying::{Desk, Funds};
use super::{Bill, BillFilter, BillKind, BillLine, BillPayment, BillStatus, IssuedBill, LineKind};
use crate::accounts::{Account, AccountRef, Act, resolve, standing};
use crate::actor::{Actor, Scope};
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{BillId, InvoiceId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::metering::UsageRecord;
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::plans::{self, Catalogue, PeriodHook, SubscriptionService};
use crate::store::{Repositories, Store, retrying};
use crate::text::visible_line;
use crate::time::Clock;
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Longest reason or note, in characters.
const MAX_NOTE: usize = 120;

/// A bill with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillView {
    pub issued: IssuedBill,
    pub payments: Vec<BillPayment>,
}

/// Where a refund goes.
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

/// What went back of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    /// The refund bill.
    pub issued: IssuedBill,
    /// The invoice that stands for the bill: it is over too much, and has to be rejected or reversed.
    pub outdated: Option<InvoiceId>,
}

/// Use cases of billing.
pub struct BillingService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
    pub hook: Arc<dyn PeriodHook>,
    pub subscriptions: SubscriptionService,
}

impl BillingService {
    /// The bills of an account, newest first.
    pub async fn list(
        &self,
        actor: &Actor,
        which: &AccountRef,
        filter: BillFilter,
        page: PageRequest,
    ) -> Result<Page<Bill>> {
        actor.require_scope(&Scope::UsageRead)?;
        let account = resolve(&*self.store, actor, which, Act::ReadBills).await?;
        let filter = BillFilter { account: Some(account.id), ..filter };
        Ok(self.store.bills().list(&filter, page).await?)
    }

    /// For operators: the bills of all accounts, newest first.
    pub async fn list_all(&self, actor: &Actor, filter: &BillFilter, page: PageRequest) -> Result<Page<Bill>> {
        actor.require_admin()?;
        Ok(self.store.bills().list(filter, page).await?)
    }

    pub async fn view(&self, actor: &Actor, id: BillId) -> Result<BillView> {
        actor.require_scope(&Scope::UsageRead)?;
        let (issued, _) = self.enter(&*self.store, actor, id, Act::ReadBills).await?;
        let payments = self.store.bill_payments().of_bill(id).await?;
        Ok(BillView { issued, payments })
    }

    /// The usage rows behind a bill, or behind one of its lines: those that cost something.
    pub async fn usage(
        &self,
        actor: &Actor,
        id: BillId,
        line: Option<u32>,
        page: PageRequest,
    ) -> Result<Page<UsageRecord>> {
        actor.require_scope(&Scope::UsageRead)?;
        let (issued, _) = self.enter(&*self.store, actor, id, Act::ReadBills).await?;
        let line = match line {
            Some(number) => {
                let found = issued.lines.iter().find(|line| line.number == number);
                Some(found.ok_or_else(|| Error::invalid("line", "is no line of this bill"))?)
            }
            None => None,
        };
        let used = !issued.overages.is_empty() && line.is_none_or(|line| line.kind.is_overage());
        if !used {
            return Ok(Page { rows: Vec::new(), next: None });
        }
        let start = issued.lines.first().map_or(issued.bill.period.start, |line| line.period.start);
        let meter = line.and_then(|line| line.used.as_ref()).map(|used| used.meter.clone());
        let adjustment = line.map(|line| line.kind).and_then(|kind| match kind {
            LineKind::Adjustment => Some(true),
            LineKind::Overage => Some(false),
            _ => None,
        });
        Ok(self.store.closings().rows((issued.bill.account, start), meter, adjustment, page).await?)
    }

    /// Pays a bill from the account's balance.
    pub async fn pay_from_wallet(
        &self,
        actor: &Actor,
        id: BillId,
        request: &IdempotentRequest,
    ) -> Result<Answered<BillPayment>> {
        actor.require_session()?;
        retrying!(self.store, self.try_pay((actor, id), &Funds::Wallet, request))
    }

    /// For operators: a bill was paid outside; `note` is the number of the transfer or the like.
    pub async fn pay_outside(
        &self,
        actor: &Actor,
        id: BillId,
        note: Option<&str>,
        request: &IdempotentRequest,
    ) -> Result<Answered<BillPayment>> {
        actor.require_admin()?;
        let note = note.map(|note| read_note("note", note)).transpose()?;
        retrying!(self.store, self.try_pay((actor, id), &Funds::Outside(note.clone()), request))
    }

    async fn try_pay(
        &self,
        (actor, id): (&Actor, BillId),
        funds: &Funds,
        request: &IdempotentRequest,
    ) -> Result<Answered<BillPayment>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        if matches!(funds, Funds::Wallet) {
            self.enter(&*work, actor, id, Act::PayBills).await?;
        }
        let (issued, account) = lock(&*work, id).await?;
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        let (bill, payment) = desk.pay(&account, &issued, funds).await?;
        let event = AuditEvent::by(actor, "bill.pay", bill.id, now).on_account(bill.account);
        work.audit().append(&event.with(json!({ "method": payment.method.name() }))).await?;
        idempotency::keep(&*work, request, &payment, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(payment))
    }

    /// For operators: takes an unpaid bill back. What waited for it waits no more; what was owed is owed no more.
    pub async fn void(&self, actor: &Actor, id: BillId, reason: &str) -> Result<Bill> {
        actor.require_admin()?;
        let reason = read_note("reason", reason)?;
        retrying!(self.store, self.try_void(actor, id, &reason))
    }

    async fn try_void(&self, actor: &Actor, id: BillId, reason: &str) -> Result<Bill> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let (issued, account) = lock(&*work, id).await?;
        let voided = void(&*work, &issued.bill, now).await?;
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        desk.forget(&account, &voided).await?;
        let detail = json!({ "reason": reason, "bill": described(&voided) });
        let event = AuditEvent::by(actor, "bill.void", id, now).on_account(account.id).with(detail);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(voided)
    }

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
        let amount = refund_amount(&issued.bill, wish)?;
        let refund = refund_bill(&issued, amount, &wish.reason).compose(&self.catalogue, now)?;
        let refunded = issued.bill.refunded.checked_add(amount)?;
        let original = Bill { refunded, updated_at: now, ..issued.bill.clone() };
        work.bills().save(std::slice::from_ref(&original)).await?;
        work.bills().insert(std::slice::from_ref(&refund)).await?;
        book_refund(&*work, &refund.bill, wish.to).await?;
        self.lower_credit(&*work, &account, &original, amount).await?;
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

    /// What went back of the running term's fee is worth no credit any more.
    async fn lower_credit(&self, work: &dyn Repositories, account: &Account, bill: &Bill, amount: Money) -> Result<()> {
        let now = self.clock.now();
        let before = plans::lock_current(work, &self.catalogue, account, &*self.hook, now).await?;
        let of_the_term = bill.kind == BillKind::Subscription && bill.period.end == before.term.end;
        if !of_the_term || bill.period.start > now {
            return Ok(());
        }
        let after = before.with_paid(Money::zero(amount.currency()).checked_sub(amount)?, now)?;
        plans::store_change(work, &*self.hook, (&before, &after), now).await
    }

    /// A bill and its account, for an act that the caller may do there; to strangers there is none.
    pub(super) async fn enter(
        &self,
        repositories: &dyn Repositories,
        actor: &Actor,
        id: BillId,
        act: Act,
    ) -> Result<(IssuedBill, Account)> {
        let missing = || Error::NotFound("bill");
        let issued = repositories.bills().find(id).await?.ok_or_else(missing)?;
        let account = repositories.accounts().find(issued.bill.account).await?.ok_or_else(missing)?;
        let rights = standing(repositories, actor, &account).await?.ok_or_else(missing)?;
        rights.require(act)?;
        Ok((issued, account))
    }
}

/// A bill as it is under the lock of its account, for whoever was found to have the right.
pub(super) async fn lock(work: &dyn Repositories, id: BillId) -> Result<(IssuedBill, Account)> {
    let missing = || Error::NotFound("bill");
    let named = work.bills().find(id).await?.ok_or_else(missing)?;
    let account = work.accounts().lock(named.bill.account).await?.ok_or_else(missing)?;
    let issued = work.bills().find(id).await?.ok_or_else(missing)?;
    Ok((issued, account))
}

impl Desk<'_> {
    /// What ends when a bill is void: an order waits no more, and a debt is none.
    pub async fn forget(&self, account: &Account, voided: &Bill) -> Result<()> {
        let before = plans::lock_current(self.work, self.catalogue, account, self.hook, self.now).await?;
        let mut after = before.clone();
        if voided.activates.is_some() && before.awaiting_payment == voided.activates {
            after.awaiting_payment = None;
            after.updated_at = self.now;
        }
        if !self.is_past_due(account).await? {
            after = after.recovered(self.now);
        }
        self.keep(&before, &after).await
    }
}

pub(super) fn read_note(field: &str, text: &str) -> Result<String> {
    visible_line(text, MAX_NOTE).map_err(|problem| Error::invalid(field, problem))
}

fn refund_amount(bill: &Bill, wish: &RefundWish) -> Result<Money> {
    let most = bill.refundable()?;
    if bill.kind == BillKind::Refund || bill.status != BillStatus::Paid {
        return Err(Error::conflict("bill_not_paid", "Only a bill that is paid is refunded."));
    }
    let invalid = |reason: String| Error::invalid("amount", reason);
    let amount = match &wish.amount {
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
