//! Operators' look at orders, payments, refunds, suspended money, messages and differences; and the word of one that
//! a transfer outside arrived.

use super::attempts::Attempt;
use super::message::{MessageOutcome, PaymentMessage};
use super::order::Order;
use super::payment::Payment;
use super::ports::{OrderFilter, PaymentFilter};
use super::provider::{Capture, PaymentState};
use super::reconciliation::{Difference, DifferenceStatus};
use super::refund::{Refund, RefundStatus};
use super::service::{OrderService, OrderView};
use super::settling::{Fact, Mode, Settled, is_refusal};
use super::suspense::{SuspenseItem, SuspenseStatus};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{OrderId, PaymentId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::money::{Currency, Money};
use crate::page::{Page, PageRequest};
use crate::store::retrying;
use crate::text::visible_line;
use crate::wallet::Provider;

/// The bank's number of a transfer, in characters.
const MAX_TRANSACTION_LENGTH: usize = 64;

/// A transfer outside as an operator saw it.
#[derive(Clone, Debug)]
pub struct ConfirmWish {
    /// A decimal; what was asked for when `None`.
    pub amount: Option<String>,
    /// That of the payment when `None`.
    pub currency: Option<String>,
    /// The bank's number of the transfer: what is confirmed twice is one transfer.
    pub transaction: String,
}

impl OrderService {
    /// A transfer arrived: settled as if a provider had said so. The same transaction changes nothing under another key
    /// either.
    pub async fn confirm(
        &self,
        actor: &Actor,
        id: PaymentId,
        wish: &ConfirmWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<Attempt>> {
        actor.require_admin()?;
        let payment = self.store.payments().find(id).await?.ok_or(Error::NotFound("payment"))?;
        if payment.provider != Provider::Manual {
            return Err(Error::conflict("conflict", "Only its provider says that this payment was paid."));
        }
        let transaction = visible_line(&wish.transaction, MAX_TRANSACTION_LENGTH);
        let transaction = transaction.map_err(|problem| Error::invalid("transaction", problem))?;
        let amount = read_amount(&payment, wish)?;
        let captured_at = self.clock.now();
        let state = PaymentState::Captured(Capture { transaction, amount, captured_at, payee_is_ours: true });
        let fact = Fact { payment: id, provider: Provider::Manual, state };
        let confirmed = match retrying!(self.store, self.try_confirm(actor, &fact, once, Mode::Deliver)) {
            Err(error) if is_refusal(&error) => {
                tracing::error!(payment = %id, error = ?error, "what was paid for cannot be delivered");
                retrying!(self.store, self.try_confirm(actor, &fact, once, Mode::KeepBack))?
            }
            confirmed => confirmed?,
        };
        Ok(Answered { value: self.checkout(confirmed.value).await?, replayed: confirmed.replayed })
    }

    async fn try_confirm(
        &self,
        actor: &Actor,
        fact: &Fact,
        once: &IdempotentRequest,
        mode: Mode,
    ) -> Result<Answered<PaymentId>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        if self.settlement.settle(&*work, fact, mode, now).await? == Settled::UnknownNumber {
            return Err(Error::NotFound("payment"));
        }
        work.audit().append(&AuditEvent::by(actor, "payment.confirm", fact.payment, now)).await?;
        idempotency::keep(&*work, once, &fact.payment, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(fact.payment))
    }

    pub async fn list_orders(&self, actor: &Actor, filter: &OrderFilter, page: PageRequest) -> Result<Page<Order>> {
        actor.require_admin()?;
        Ok(self.store.orders().list(filter, page).await?)
    }

    pub async fn show_order(&self, actor: &Actor, id: OrderId) -> Result<OrderView> {
        actor.require_admin()?;
        self.shown(id).await
    }

    pub async fn list_payments(
        &self,
        actor: &Actor,
        filter: &PaymentFilter,
        page: PageRequest,
    ) -> Result<Page<Payment>> {
        actor.require_admin()?;
        Ok(self.store.payments().list(filter, page).await?)
    }

    pub async fn show_payment(&self, actor: &Actor, id: PaymentId) -> Result<Attempt> {
        actor.require_admin()?;
        self.checkout(id).await
    }

    pub async fn list_refunds(
        &self,
        actor: &Actor,
        status: Option<RefundStatus>,
        page: PageRequest,
    ) -> Result<Page<Refund>> {
        actor.require_admin()?;
        Ok(self.store.refunds().list(status, page).await?)
    }

    pub async fn list_suspense(
        &self,
        actor: &Actor,
        status: Option<SuspenseStatus>,
        page: PageRequest,
    ) -> Result<Page<SuspenseItem>> {
        actor.require_admin()?;
        Ok(self.store.suspense().list(status, page).await?)
    }

    pub async fn list_messages(
        &self,
        actor: &Actor,
        outcome: Option<MessageOutcome>,
        page: PageRequest,
    ) -> Result<Page<PaymentMessage>> {
        actor.require_admin()?;
        Ok(self.store.payment_messages().list(outcome, page).await?)
    }

    pub async fn list_differences(
        &self,
        actor: &Actor,
        status: Option<DifferenceStatus>,
        page: PageRequest,
    ) -> Result<Page<Difference>> {
        actor.require_admin()?;
        Ok(self.store.reconciliations().list(status, page).await?)
    }
}

fn read_amount(payment: &Payment, wish: &ConfirmWish) -> Result<Money> {
    let asked = payment.amount;
    let currency = match &wish.currency {
        None => asked.currency(),
        Some(code) => Currency::parse(code).ok_or_else(|| Error::invalid("currency", "is not a currency code"))?,
    };
    let Some(text) = &wish.amount else { return Ok(Money::from_nanos(asked.nanos(), currency)) };
    let amount = Money::parse_minor(text, currency).map_err(|error| Error::invalid("amount", error.to_string()))?;
    if amount.is_positive() { Ok(amount) } else { Err(Error::invalid("amount", "must be above zero")) }
}
