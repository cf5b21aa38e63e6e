//! Use cases of bills: look, pay, void. Purchases, renewals, closing, chasing and refunds have files of their own.

use super::issuing::{described, void};
use super::paying::{Desk, Funds};
use super::{Bill, BillFilter, BillKind, BillPayment, BillStatus, BilledRows, IssuedBill, LineKind, Slot};
use crate::accounts::{Account, AccountRef, Act, resolve, standing};
use crate::actor::{Actor, Scope};
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::BillId;
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::metering::UsageRecord;
use crate::page::{Page, PageRequest};
use crate::plans::{self, Catalogue, PeriodHook, SubscriptionService};
use crate::store::{Repositories, Store, retrying};
use crate::text::visible_line;
use crate::time::Clock;
use chrono::{DateTime, Utc};
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
        let slot = (issued.bill.account, start);
        let (since, until) = self.recorded(&issued, slot).await?;
        let which = BilledRows { meter, adjustment, since, until };
        Ok(self.store.closings().rows(slot, &which, page).await?)
    }

    /// Since and until when the rows behind a bill were recorded, where there are interim bills in its quota period.
    async fn recorded(
        &self,
        issued: &IssuedBill,
        slot: Slot,
    ) -> Result<(Option<DateTime<Utc>>, Option<DateTime<Utc>>)> {
        let Some(period) = issued.lines.first().map(|line| line.period) else { return Ok((None, None)) };
        let interim = self.store.bills().of_periods(BillKind::Overage, &[slot]).await?;
        let before = interim.iter().map(|other| &other.bill).filter(|other| other.id < issued.bill.id);
        let since = before.filter(|other| period.contains(other.period.start)).map(|other| other.period.end).max();
        Ok((since, (issued.bill.kind == BillKind::Overage).then_some(issued.bill.period.end)))
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
        if matches!(funds, Funds::Wallet) && issued.bill.status == BillStatus::Unpaid {
            refuse_while_charged(&desk, &issued.bill).await?;
        }
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
        if issued.bill.refund_of.is_some() {
            return Err(Error::conflict("conflict", "What is on its way back is not voided."));
        }
        let voided = void(&*work, &issued.bill, now).await?;
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        desk.forget(&account, &voided).await?;
        let detail = json!({ "reason": reason, "bill": described(&voided) });
        let event = AuditEvent::by(actor, "bill.void", id, now).on_account(account.id).with(detail);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(voided)
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

async fn refuse_while_charged(desk: &Desk<'_>, bill: &Bill) -> Result<()> {
    if desk.is_being_charged(bill).await? {
        let detail = "What became of the last payment is not known yet; try again in a minute.";
        return Err(Error::conflict("payment_unknown", detail));
    }
    Ok(())
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
