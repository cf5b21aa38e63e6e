//! Asking providers: what became of a payment, and calling off those that are not wanted any more.
//!
//! An attempt that is due is claimed by moving its next question ahead, so that replicas do not ask twice; a claim that
//! is not made good is due again a minute later.

use super::message::MessageOutcome;
use super::order::Order;
use super::order_status::OrderStatus;
use super::payment::Payment;
use super::payment_status::PaymentStatus;
use super::provider::{Closing, PaymentProvider, PaymentState, ProviderError};
use super::service::OrderService;
use super::settling::{self, Fact, Mode, Settled, is_refusal};
use crate::error::{Error, Result};
use crate::id::{PaymentId, PaymentMessageId};
use crate::store::retrying;
use chrono::TimeDelta;

/// Attempts asked about between two looks at the clock.
pub const POLL_CHUNK: u32 = 50;
/// How long an attempt is one's own to ask about.
const CLAIM: TimeDelta = TimeDelta::minutes(1);
/// A customer who waits may have the provider asked so often.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(2);

impl OrderService {
    /// Takes up a fact in a unit of work of its own. What cannot be delivered is suspended.
    pub(super) async fn apply(&self, fact: &Fact) -> Result<Settled> {
        self.apply_told(fact, None).await
    }

    /// As `apply`; the message that said so is concluded with it.
    pub(super) async fn apply_told(&self, fact: &Fact, message: Option<PaymentMessageId>) -> Result<Settled> {
        match retrying!(self.store, self.try_apply(fact, message, Mode::Deliver)) {
            Err(error) if is_refusal(&error) => {
                tracing::error!(payment = %fact.payment, error = ?error, "what was paid for cannot be delivered");
                retrying!(self.store, self.try_apply(fact, message, Mode::KeepBack))
            }
            settled => settled,
        }
    }

    async fn try_apply(&self, fact: &Fact, message: Option<PaymentMessageId>, mode: Mode) -> Result<Settled> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let settled = self.settlement.settle(&*work, fact, mode, now).await?;
        if let Some(message) = message {
            work.payment_messages().conclude(message, outcome_of(settled), now).await?;
        }
        work.commit().await?;
        Ok(settled)
    }

    /// Asks about a chunk of the attempts that are due; how many that were.
    pub async fn poll_due(&self) -> Result<u32> {
        let due = self.store.payments().due(self.clock.now(), POLL_CHUNK).await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        for payment in due {
            if let Err(error) = self.tend(&payment).await {
                tracing::warn!(payment = %payment.id, error = ?error, "a payment could not be looked after");
            }
        }
        Ok(count)
    }

    /// For a customer who waits: asks about the order's open attempts, unless that was done a moment ago.
    pub(super) async fn look_again(&self, order: &Order) {
        let now = self.clock.now();
        let Ok(payments) = self.store.payments().of_orders(&[order.id]).await else { return };
        let stale = |payment: &&Payment| {
            payment.status.is_open() && payment.polled_at.is_none_or(|asked| asked + LOOK_AGAIN <= now)
        };
        for payment in payments.iter().filter(stale) {
            if let Err(error) = self.tend(payment).await {
                tracing::warn!(payment = %payment.id, error = ?error, "a payment could not be looked after");
            }
        }
    }

    /// What the return page shows: the order's and the attempt's standing, after a look at the provider.
    pub async fn came_back(&self, id: PaymentId) -> Result<(Order, Payment)> {
        let before = self.checkout(id).await?;
        if before.order.status.takes_money() {
            self.look_again(&before.order).await;
        }
        let after = self.checkout(id).await?;
        Ok((after.order, after.payment))
    }

    /// Does for an attempt what its order and its standing ask for, if nobody else does.
    pub(super) async fn tend(&self, payment: &Payment) -> Result<()> {
        if !self.claim(payment).await? {
            return Ok(());
        }
        let order = self.store.orders().find(payment.order).await?.ok_or(Error::NotFound("order"))?;
        if let Some(provider) = self.providers.get(payment.provider) {
            if order.status == OrderStatus::Created {
                self.ask(provider, payment).await?;
            } else {
                self.call_off(provider, payment).await?;
            }
        }
        retrying!(self.store, self.note_poll(payment.id, order.status != OrderStatus::Created))
    }

    async fn claim(&self, payment: &Payment) -> Result<bool> {
        let work = self.store.begin().await?;
        let claimed = work.payments().claim(payment, self.clock.now() + CLAIM).await?;
        work.commit().await?;
        Ok(claimed)
    }

    async fn ask(&self, provider: &dyn PaymentProvider, payment: &Payment) -> Result<()> {
        let Some(state) = self.state(provider, payment).await else { return Ok(()) };
        let waits = matches!(state, PaymentState::Open | PaymentState::NotFound);
        if waits && payment.status == PaymentStatus::Unknown {
            return self.place(payment.id).await.map(drop);
        }
        self.apply(&fact(payment, state)).await.map(drop)
    }

    async fn call_off(&self, provider: &dyn PaymentProvider, payment: &Payment) -> Result<()> {
        let closed = match provider.close(payment.number(), payment.reference.clone()).await {
            Ok(Closing::Closed) => true,
            // It may still appear until its own time is over.
            Ok(Closing::NotFound) => self.clock.now() >= payment.expires_at,
            Ok(Closing::Paid) | Err(_) => false,
        };
        let state = if closed { Some(PaymentState::Closed) } else { self.state(provider, payment).await };
        match state {
            Some(state) => self.apply(&fact(payment, state)).await.map(drop),
            None => Ok(()),
        }
    }

    /// Where the payment stands; nothing when the provider did not say.
    pub(super) async fn state(&self, provider: &dyn PaymentProvider, payment: &Payment) -> Option<PaymentState> {
        match provider.query(payment.number(), payment.reference.clone()).await {
            Ok(state) => Some(state),
            Err(ProviderError::Unsupported) => None,
            Err(error) => {
                tracing::warn!(payment = %payment.id, %error, "the provider could not be asked");
                None
            }
        }
    }

    async fn note_poll(&self, id: PaymentId, urgent: bool) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let counter = settling::lock(&*work, id, now).await?.ok_or(Error::NotFound("payment"))?;
        work.payments().save(&counter.payment.polled(urgent, now)).await?;
        Ok(work.commit().await?)
    }
}

fn fact(payment: &Payment, state: PaymentState) -> Fact {
    Fact { payment: payment.id, provider: payment.provider, state }
}

const fn outcome_of(settled: Settled) -> MessageOutcome {
    match settled {
        Settled::UnknownNumber => MessageOutcome::UnknownNumber,
        Settled::Unchanged => MessageOutcome::Unchanged,
        Settled::Delivered | Settled::Ended => MessageOutcome::Settled,
        Settled::Suspended(_) => MessageOutcome::Suspended,
    }
}
