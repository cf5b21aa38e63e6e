//! Refunds: taken back and committed first, then asked for at the provider, then settled or given back.

use super::message::MessageOutcome;
use super::order::{CloseReason, Order};
use super::order_status::OrderStatus;
use super::payment::Payment;
use super::provider::{ProviderError, RefundRequest, RefundState};
use super::refund::{MAX_REASON_LENGTH, Refund, RefundStatus};
use super::service::OrderService;
use super::settling;
use super::suspense::{SuspenseItem, SuspenseReason};
use super::telling;
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{PaymentId, PaymentMessageId, RefundId};
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::store::{Repositories, StoreError, retrying};
use crate::text::visible_line;
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// Refunds asked about between two looks at the clock.
pub const REFUND_CHUNK: u32 = 50;
/// A caller who died before the provider was asked is followed by the loop after this time.
const ASK_AFTER: TimeDelta = TimeDelta::seconds(20);

/// A refund as an operator asks for it.
#[derive(Clone, Debug)]
pub struct RefundWish {
    /// A decimal of the payment's currency; all that is left when `None`.
    pub amount: Option<String>,
    pub reason: String,
    /// Refund although what was paid for is used up.
    pub even_if_used: bool,
}

impl OrderService {
    /// Refunds a payment that an order was delivered for, in part or whole.
    pub async fn refund(
        &self,
        actor: &Actor,
        id: PaymentId,
        wish: &RefundWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<Refund>> {
        actor.require_admin()?;
        let made = retrying!(self.store, self.try_refund(actor, id, wish, once))?;
        let value = self.send_refund(made.value).await?;
        Ok(Answered { value, replayed: made.replayed })
    }

    async fn try_refund(
        &self,
        actor: &Actor,
        id: PaymentId,
        wish: &RefundWish,
        once: &IdempotentRequest,
    ) -> Result<Answered<RefundId>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, once).await? {
            return Ok(answered);
        }
        let counter = settling::lock(&*work, id, now).await?.ok_or(Error::NotFound("payment"))?;
        let (payment, order) = (&counter.payment, &counter.order);
        if order.status != OrderStatus::Delivered || order.paid_by != Some(payment.id) {
            let detail = "Nothing was delivered for this payment; resolve its suspended money instead.";
            return Err(Error::conflict("not_delivered", detail));
        }
        let amount = read_amount(payment, wish.amount.as_deref())?;
        let drafted = draft(actor, payment, amount, &wish.reason, now)?;
        let refund = Refund { even_if_used: wish.even_if_used, ..drafted };
        reserve(&*work, &refund, now).await?;
        let taken_back = self.settlement.delivery(order)?.take_back(&*work, order, &refund, now).await?;
        let refund = Refund { taken_back, ..refund };
        work.refunds().insert(&refund).await?;
        let detail = json!({"payment": id, "amount": amount.to_decimal(), "reason": refund.reason});
        let event = AuditEvent::by(actor, "payment.refund", refund.id, now).on_account(refund.account).with(detail);
        work.audit().append(&event).await?;
        telling::refund(&*work, &refund, "refund.created", now).await?;
        idempotency::keep(&*work, once, &refund.id, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(refund.id))
    }

    /// Asks the provider for a refund that is not over; answers it as it is then.
    pub(super) async fn send_refund(&self, id: RefundId) -> Result<Refund> {
        let refund = self.store.refunds().find(id).await?.ok_or(Error::NotFound("refund"))?;
        if refund.status != RefundStatus::Unknown {
            return Ok(refund);
        }
        let (provider, request) = self.refund_request(&refund).await?;
        let adapter = self.providers.get(provider).ok_or(Error::Unavailable)?;
        let state = match adapter.refund(&request).await {
            Ok(state) => Some(state),
            Err(ProviderError::Unavailable | ProviderError::Unknown) => None,
            Err(ProviderError::Unsupported) => Some(failed("the provider does not refund")),
            // It may have been done before: what holds is what the provider answers to a query.
            Err(ProviderError::Refused { code, message }) => match adapter.query_refund(&request).await {
                Ok(RefundState::NotFound) => Some(failed(&format!("{code}: {message}"))),
                Ok(state) => Some(state),
                Err(_) => None,
            },
        };
        if let Some(state) = state {
            self.apply_refund(id, None, &state, None).await.map(drop)?;
        } else {
            tracing::warn!(refund = %id, "whether the provider refunds is not known; it is asked again");
        }
        self.store.refunds().find(id).await?.ok_or(Error::NotFound("refund"))
    }

    /// Asks about a chunk of the refunds that are due; how many that were.
    pub async fn follow_refunds(&self) -> Result<u32> {
        let due = self.store.refunds().due(self.clock.now(), REFUND_CHUNK).await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        for refund in due {
            if let Err(error) = self.follow(&refund).await {
                tracing::warn!(refund = %refund.id, error = ?error, "a refund could not be followed");
            }
        }
        Ok(count)
    }

    async fn follow(&self, refund: &Refund) -> Result<()> {
        // First the next look, so that a provider who does not answer does not hold up the others.
        retrying!(self.store, self.note_check(refund.id))?;
        let (provider, request) = self.refund_request(refund).await?;
        let Some(adapter) = self.providers.get(provider) else { return Ok(()) };
        match adapter.query_refund(&request).await {
            Ok(RefundState::NotFound) if refund.status == RefundStatus::Unknown => {
                self.send_refund(refund.id).await.map(drop)
            }
            Ok(state) => self.apply_refund(refund.id, None, &state, None).await.map(drop),
            Err(error) => {
                tracing::warn!(refund = %refund.id, %error, "the provider could not be asked");
                Ok(())
            }
        }
    }

    async fn note_check(&self, id: RefundId) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let Some((refund, _)) = lock_refund(&*work, id).await? else { return Ok(()) };
        work.refunds().save(&refund.checked(now)).await?;
        Ok(work.commit().await?)
    }

    pub(super) async fn refund_request(&self, refund: &Refund) -> Result<(Provider, RefundRequest)> {
        let payment = self.store.payments().find(refund.payment).await?.ok_or(Error::NotFound("payment"))?;
        let item = match refund.suspense {
            Some(id) => self.store.suspense().find(id).await?,
            None => None,
        };
        let transaction = item.as_ref().map(|item| item.transaction.clone()).or_else(|| payment.transaction.clone());
        let request = RefundRequest {
            number: refund.number(),
            payment: payment.number(),
            transaction: transaction.unwrap_or_default(),
            amount: refund.amount,
            paid: item.map(|item| item.amount).or(payment.captured).unwrap_or(payment.amount),
            reason: refund.reason.clone(),
        };
        Ok((payment.provider, request))
    }

    /// Takes up what a provider says about a refund; false when the number is not ours.
    pub(super) async fn apply_refund(
        &self,
        id: RefundId,
        provider: Option<Provider>,
        state: &RefundState,
        message: Option<PaymentMessageId>,
    ) -> Result<bool> {
        retrying!(self.store, self.try_apply_refund(id, provider, state, message))
    }

    async fn try_apply_refund(
        &self,
        id: RefundId,
        provider: Option<Provider>,
        state: &RefundState,
        message: Option<PaymentMessageId>,
    ) -> Result<bool> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = lock_refund(&*work, id).await?;
        let found = found.filter(|(_, payment)| provider.is_none_or(|provider| provider == payment.provider));
        let outcome = match &found {
            None => MessageOutcome::UnknownNumber,
            Some((refund, payment)) => match next(refund, state, now) {
                None => MessageOutcome::Unchanged,
                Some(heard) => {
                    self.settle_refund(&*work, &heard, payment, now).await?;
                    MessageOutcome::Settled
                }
            },
        };
        if let Some(message) = message {
            work.payment_messages().conclude(message, outcome, now).await?;
        }
        work.commit().await?;
        Ok(found.is_some())
    }

    async fn settle_refund(
        &self,
        work: &dyn Repositories,
        refund: &Refund,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        work.refunds().save(refund).await?;
        match refund.status {
            RefundStatus::Succeeded => self.paid_back(work, refund, payment, now).await,
            RefundStatus::Failed => self.give_back(work, refund, payment, now).await,
            RefundStatus::Abnormal => {
                tracing::error!(refund = %refund.id, problem = refund.problem, "a refund is stuck at the provider");
                telling::refund(work, refund, "refund.abnormal", now).await
            }
            RefundStatus::Unknown | RefundStatus::Processing => Ok(()),
        }
    }

    async fn paid_back(
        &self,
        work: &dyn Repositories,
        refund: &Refund,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let sides = (LedgerAccount::Refund, LedgerAccount::Cash(payment.provider));
        book(work, (TransferKind::Refunded, refund), sides, now).await?;
        let item = suspended(work, refund).await?;
        if item.as_ref().is_none_or(|item| is_of(item, payment)) {
            work.payments().save(&payment.paid_back(refund.amount, now)?).await?;
        }
        if let Some(item) = item {
            work.suspense().save(&item.refund_ended(true, now)).await?;
            close_undeliverable(work, &item, now).await?;
        } else {
            let order = work.orders().find(refund.order).await?.ok_or(Error::NotFound("order"))?;
            self.settlement.delivery(&order)?.went_back(work, &order, refund, now).await?;
        }
        let event = AuditEvent::by_machine("refund.settle", refund.id, now).on_account(refund.account);
        work.audit().append(&event).await?;
        telling::refund(work, refund, "refund.succeeded", now).await
    }

    async fn give_back(
        &self,
        work: &dyn Repositories,
        refund: &Refund,
        payment: &Payment,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if let Some(item) = suspended(work, refund).await? {
            let sides = (LedgerAccount::Refund, LedgerAccount::Suspense);
            book(work, (TransferKind::RefundFailed, refund), sides, now).await?;
            work.suspense().save(&item.refund_ended(false, now)).await?;
            if is_of(&item, payment) {
                release(work, refund, now).await?;
            }
        } else {
            let order = work.orders().find(refund.order).await?.ok_or(Error::NotFound("order"))?;
            self.settlement.delivery(&order)?.give_back(work, &order, refund, now).await?;
            release(work, refund, now).await?;
        }
        telling::refund(work, refund, "refund.failed", now).await
    }
}

/// The refund as the provider's word makes it; nothing when that is no step.
fn next(refund: &Refund, state: &RefundState, now: DateTime<Utc>) -> Option<Refund> {
    let status = RefundStatus::of(state)?;
    let problem = match state {
        RefundState::Failed { reason } | RefundState::Abnormal { reason } => Some(short(reason)),
        RefundState::NotFound | RefundState::Processing | RefundState::Succeeded { .. } => None,
    };
    if status == refund.status {
        return None;
    }
    match refund.heard(status, problem, now) {
        Ok(heard) => Some(heard),
        Err(no) => {
            tracing::error!(refund = %refund.id, %no, "the provider says otherwise than before; reconcile the day");
            None
        }
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(255).collect()
}

fn failed(reason: &str) -> RefundState {
    RefundState::Failed { reason: reason.to_owned() }
}

/// Whether the suspended money is what the payment counts as captured.
pub(super) fn is_of(item: &SuspenseItem, payment: &Payment) -> bool {
    payment.transaction.as_deref() == Some(&item.transaction)
}

async fn suspended(work: &dyn Repositories, refund: &Refund) -> Result<Option<SuspenseItem>> {
    match refund.suspense {
        None => Ok(None),
        Some(id) => {
            let item = work.suspense().find(id).await?;
            Ok(Some(item.ok_or(StoreError::Corrupt { table: "refunds", column: "suspense_id" })?))
        }
    }
}

/// An order that was paid and never delivered is closed once its money is the customer's again.
pub(super) async fn close_undeliverable(
    work: &dyn Repositories,
    item: &SuspenseItem,
    now: DateTime<Utc>,
) -> Result<()> {
    let order: Order = work.orders().find(item.order).await?.ok_or(Error::NotFound("order"))?;
    if item.reason != SuspenseReason::Undeliverable || order.status != OrderStatus::AwaitingDelivery {
        return Ok(());
    }
    let closed = order.closed(CloseReason::Undeliverable, now)?;
    work.orders().save(&closed).await?;
    telling::order(work, &closed, &["order.closed"], now).await
}

async fn lock_refund(work: &dyn Repositories, id: RefundId) -> Result<Option<(Refund, Payment)>> {
    let Some(found) = work.refunds().find(id).await? else { return Ok(None) };
    work.accounts().lock(found.account).await?.ok_or(Error::NotFound("account"))?;
    let refund = work.refunds().find(id).await?.ok_or(Error::NotFound("refund"))?;
    let payment = work.payments().find(refund.payment).await?.ok_or(Error::NotFound("payment"))?;
    Ok(Some((refund, payment)))
}

pub(super) async fn book(
    work: &dyn Repositories,
    (kind, refund): (TransferKind, &Refund),
    sides: (LedgerAccount, LedgerAccount),
    now: DateTime<Utc>,
) -> Result<()> {
    let transfer = Transfer::new((kind, refund.id.to_string()), sides, refund.amount, now)?.about(refund.account);
    wallet::post(work, &[transfer.because(refund.reason.clone())]).await
}

/// Keeps the refund's part of the payment from other refunds.
pub(super) async fn reserve(work: &dyn Repositories, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    if work.payments().reserve(refund.payment, refund.amount, now).await? {
        return Ok(());
    }
    Err(Error::conflict("refund_too_large", "Refunds cannot be more than what was paid."))
}

async fn release(work: &dyn Repositories, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    let back = Money::from_nanos(-refund.amount.nanos(), refund.amount.currency());
    if work.payments().reserve(refund.payment, back, now).await? {
        return Ok(());
    }
    Err(StoreError::Corrupt { table: "payments", column: "refunding" }.into())
}

/// The amount asked for, or all that is left.
fn read_amount(payment: &Payment, wish: Option<&str>) -> Result<Money> {
    let captured = payment.captured.ok_or_else(|| Error::conflict("not_delivered", "No money came in for this."))?;
    let amount = match wish {
        None => captured.checked_sub(payment.refunding)?,
        Some(text) => Money::parse_minor(text, captured.currency())
            .map_err(|error| Error::invalid("amount", error.to_string()))?,
    };
    match (amount.is_positive(), wish) {
        (true, _) => Ok(amount),
        (false, Some(_)) => Err(Error::invalid("amount", "must be above zero")),
        (false, None) => Err(Error::conflict("refund_too_large", "All of it was refunded before.")),
    }
}

/// A refund before it is reserved.
pub(super) fn draft(
    actor: &Actor,
    payment: &Payment,
    amount: Money,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Refund> {
    let reason = visible_line(reason, MAX_REASON_LENGTH).map_err(|problem| Error::invalid("reason", problem))?;
    Ok(Refund {
        id: RefundId::new(now),
        payment: payment.id,
        order: payment.order,
        account: payment.account,
        amount,
        reason,
        status: RefundStatus::Unknown,
        problem: None,
        operator: actor.user,
        suspense: None,
        even_if_used: false,
        taken_back: Quantity::ZERO,
        checks: 0,
        next_check_at: Some(now + ASK_AFTER),
        created_at: now,
        ended_at: None,
    })
}
