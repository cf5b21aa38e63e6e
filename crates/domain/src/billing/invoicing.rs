//! Use cases of invoices: a customer asks for one, an operator records what became of it.

use super::service::{BillingService, lock, read_note};
use super::{
    Bill, BillKind, BillStatus, Invoice, InvoiceEnd, InvoiceKind, InvoiceStatus, InvoiceTitle, may_be_requested,
};
use crate::accounts::Act;
use crate::actor::{Actor, Scope};
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{AccountId, BillId, InvoiceId};
use crate::money::Money;
use crate::outbox::Event;
use crate::page::{Page, PageRequest};
use crate::store::{Repositories, retrying};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// What a customer asks for.
#[derive(Clone, Debug)]
pub struct InvoiceWish {
    pub kind: InvoiceKind,
    pub title: String,
    pub tax_id: Option<String>,
}

/// Which invoices are listed; whatever is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoiceFilter {
    pub account: Option<AccountId>,
    pub bill: Option<BillId>,
    pub status: Option<InvoiceStatus>,
    /// Only those that stand, and of whose bill money went back since.
    pub outdated: bool,
}

/// What an operator records.
#[derive(Clone, Debug)]
enum Step {
    Issue { number: String, url: Option<String> },
    End { how: InvoiceEnd, reason: String },
}

impl BillingService {
    /// Asks for an invoice over what was paid of a bill and did not go back.
    pub async fn request_invoice(&self, actor: &Actor, bill: BillId, wish: &InvoiceWish) -> Result<Invoice> {
        actor.require_session()?;
        self.enter(&*self.store, actor, bill, Act::PayBills).await?;
        let title = InvoiceTitle::read(wish.kind, &wish.title, wish.tax_id.as_deref())?;
        retrying!(self.store, self.try_request_invoice(actor, bill, &title))
    }

    async fn try_request_invoice(&self, actor: &Actor, bill: BillId, title: &InvoiceTitle) -> Result<Invoice> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        self.enter(&*work, actor, bill, Act::PayBills).await?;
        let (issued, account) = lock(&*work, bill).await?;
        let amount = invoiceable(&issued.bill)?;
        let standing: Vec<_> = work.invoices().standing(bill).await?.iter().map(|invoice| invoice.status).collect();
        may_be_requested(&standing)?;
        let invoice = Invoice {
            id: InvoiceId::new(now),
            account: account.id,
            bill,
            status: InvoiceStatus::Requested,
            title: title.clone(),
            amount,
            number: None,
            url: None,
            reason: None,
            requested_at: now,
            issued_at: None,
            outdated_at: None,
            updated_at: now,
        };
        work.invoices().insert(&invoice).await?;
        tell(&*work, actor, &invoice, ("invoice.request", "invoice.requested"), now).await?;
        work.commit().await?;
        Ok(invoice)
    }

    /// The invoices of a bill, newest first: at most one of them stands.
    pub async fn invoices_of(&self, actor: &Actor, bill: BillId, page: PageRequest) -> Result<Page<Invoice>> {
        actor.require_scope(&Scope::UsageRead)?;
        self.enter(&*self.store, actor, bill, Act::ReadBills).await?;
        let filter = InvoiceFilter { bill: Some(bill), ..InvoiceFilter::default() };
        Ok(self.store.invoices().list(&filter, page).await?)
    }

    /// For operators: the invoices of all accounts, newest first.
    pub async fn list_invoices(
        &self,
        actor: &Actor,
        filter: &InvoiceFilter,
        page: PageRequest,
    ) -> Result<Page<Invoice>> {
        actor.require_admin()?;
        Ok(self.store.invoices().list(filter, page).await?)
    }

    /// For operators: the tax office's system made the invoice.
    pub async fn issue_invoice(
        &self,
        actor: &Actor,
        id: InvoiceId,
        number: &str,
        url: Option<&str>,
    ) -> Result<Invoice> {
        actor.require_admin()?;
        let step = Step::Issue { number: number.to_owned(), url: url.map(str::to_owned) };
        retrying!(self.store, self.try_step(actor, id, &step))
    }

    /// For operators: the invoice will not be made, or was taken back. The customer may ask for another.
    pub async fn end_invoice(&self, actor: &Actor, id: InvoiceId, how: InvoiceEnd, reason: &str) -> Result<Invoice> {
        actor.require_admin()?;
        let step = Step::End { how, reason: read_note("reason", reason)? };
        retrying!(self.store, self.try_step(actor, id, &step))
    }

    async fn try_step(&self, actor: &Actor, id: InvoiceId, step: &Step) -> Result<Invoice> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let missing = || Error::NotFound("invoice");
        let named = work.invoices().find(id).await?.ok_or_else(missing)?;
        let (issued, _) = lock(&*work, named.bill).await?;
        let before = work.invoices().find(id).await?.ok_or_else(missing)?;
        let after = match step {
            Step::Issue { number, url } => {
                let after = before.issued(number, url.as_deref(), now)?;
                still_worth(&before, &issued.bill)?;
                after
            }
            Step::End { how, reason } => before.ended(*how, reason.clone(), now)?,
        };
        work.invoices().save(&after).await?;
        let told = match after.status {
            InvoiceStatus::Issued => ("invoice.issue", "invoice.issued"),
            InvoiceStatus::Reversed => ("invoice.reverse", "invoice.reversed"),
            InvoiceStatus::Requested | InvoiceStatus::Rejected => ("invoice.reject", "invoice.rejected"),
        };
        tell(&*work, actor, &after, told, now).await?;
        work.commit().await?;
        Ok(after)
    }
}

/// What an invoice for the bill would be over.
fn invoiceable(bill: &Bill) -> Result<Money> {
    let amount = bill.refundable()?;
    if bill.kind == BillKind::Refund || bill.status != BillStatus::Paid || !amount.is_positive() {
        let detail = "Only what was paid of a bill and did not go back is invoiced.";
        return Err(Error::conflict("bill_not_invoiceable", detail));
    }
    Ok(amount)
}

/// Refuses an invoice over more than the customer paid, because money went back since it was asked for.
fn still_worth(invoice: &Invoice, bill: &Bill) -> Result<()> {
    if bill.refundable()? == invoice.amount {
        return Ok(());
    }
    let detail = "A part of the bill was refunded since; reject the invoice, and let the customer ask for another.";
    Err(Error::conflict("invoice_amount", detail))
}

/// Notes that money went back of a bill that has an invoice, and tells its customer; which invoice has to go.
pub(super) async fn outdate(work: &dyn Repositories, bill: &Bill, now: DateTime<Utc>) -> Result<Option<InvoiceId>> {
    let Some(standing) = work.invoices().standing(bill.id).await? else { return Ok(None) };
    if let Some(outdated) = standing.outdated(bill.refundable()?, now) {
        work.invoices().save(&outdated).await?;
        let event = Event::new(outdated.account, "invoice.outdated", described(&outdated), now);
        work.outbox().push(&[event]).await?;
    }
    Ok(Some(standing.id))
}

/// The step for the audit log and for others: never the title and the tax id.
async fn tell(
    work: &dyn Repositories,
    actor: &Actor,
    invoice: &Invoice,
    (action, kind): (&str, &'static str),
    now: DateTime<Utc>,
) -> Result<()> {
    let event = AuditEvent::by(actor, action, invoice.id, now).on_account(invoice.account).with(described(invoice));
    work.audit().append(&event).await?;
    Ok(work.outbox().push(&[Event::new(invoice.account, kind, described(invoice), now)]).await?)
}

fn described(invoice: &Invoice) -> Value {
    json!({
        "invoice": invoice.id,
        "bill": invoice.bill,
        "status": invoice.status.name(),
        "amount": invoice.amount.to_decimal(),
        "currency": invoice.amount.currency(),
        "number": invoice.number,
        "url": invoice.url,
        "reason": invoice.reason,
    })
}
