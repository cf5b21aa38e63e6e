//! Providers' notifications: verified first, stored, settled, and only then acknowledged.

use super::message::{MessageOutcome, PaymentMessage};
use super::provider::{Notification, Notified, PaymentState, RawNotification, Reply};
use super::service::OrderService;
use super::settling::{Fact, Settled};
use crate::error::{Error, Result};
use crate::id::{PaymentId, PaymentMessageId, RefundId};
use crate::store::{Retry, retrying};
use crate::wallet::Provider;

impl OrderService {
    /// Takes a notification and says what to answer. `NotFound` when the provider is not offered here.
    pub async fn notified(&self, provider: Provider, raw: &RawNotification) -> Result<Reply> {
        let adapter = self.providers.get(provider).ok_or(Error::NotFound("provider"))?;
        let now = self.clock.now();
        let notification = match adapter.read_notification(raw) {
            Ok(notification) => notification,
            Err(refused) => {
                tracing::warn!(provider = provider.name(), %refused, "a notification was not believed");
                self.keep_refused(&PaymentMessage::refused(provider, refused, raw, now)).await?;
                return Ok(adapter.reply(false));
            }
        };
        let message = PaymentMessage::signed(provider, &notification.message, raw, now);
        let before = self.keep(&message).await?;
        if before.as_ref().is_some_and(|before| !before.is_as(&message)) {
            let _kept_before = self.keep(&message.clone().again()).await?;
        }
        let accepted = match before {
            Some(before) if before.outcome.is_done() => true,
            before => {
                let id = before.map_or(message.id, |before| before.id);
                self.take_up(provider, id, notification).await?
            }
        };
        Ok(adapter.reply(accepted))
    }

    /// Stores a message that is not believed, unless the hour has had too many. Several at the same moment may go a
    /// little beyond the bound.
    async fn keep_refused(&self, message: &PaymentMessage) -> Result<()> {
        let messages = self.store.payment_messages();
        if messages.find_by_message(message.provider, &message.message).await?.is_some() {
            return Ok(());
        }
        let this_hour = PaymentMessage::refused_in(message.received_at);
        if messages.count_hashed(message.provider, &this_hour).await? < self.rules.kept_refused {
            let _kept_meanwhile = self.keep(message).await?;
        }
        Ok(())
    }

    /// Stores a message in a commit of its own; the one that was stored before, if there is one.
    async fn keep(&self, message: &PaymentMessage) -> Result<Option<PaymentMessage>> {
        let mut retry = Retry::new(&*self.store);
        loop {
            let before = self.store.payment_messages().find_by_message(message.provider, &message.message).await?;
            if before.is_some() {
                return Ok(before);
            }
            match self.insert(message).await {
                Ok(()) => return Ok(None),
                Err(error) if retry.again(&error).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn insert(&self, message: &PaymentMessage) -> Result<()> {
        let work = self.store.begin().await?;
        work.payment_messages().insert(message).await?;
        Ok(work.commit().await?)
    }

    async fn take_up(&self, provider: Provider, message: PaymentMessageId, notification: Notification) -> Result<bool> {
        match notification.about {
            Notified::Payment { number, state } => {
                let payment = PaymentId::from_uuid(number.as_uuid());
                let state = self.confirmed(Fact { payment, provider, state }).await?;
                let settled = self.apply_told(&state, Some(message)).await?;
                Ok(settled != Settled::UnknownNumber)
            }
            Notified::Refund { number, state } => {
                let refund = RefundId::from_uuid(number.as_uuid());
                self.apply_refund(refund, Some(provider), &state, Some(message)).await
            }
            Notified::Other { kind } => {
                tracing::debug!(provider = provider.name(), kind, "a notification that changes nothing here");
                retrying!(self.store, self.conclude(message, MessageOutcome::Ignored))?;
                Ok(true)
            }
        }
    }

    /// What a message says, unless the order does not wait for that: then the provider's answer to a query counts, if
    /// there is one. A message that says the wrong thing must not stand in the way of the money that it is about.
    ///
    /// A query knows one capture of a number. If that is another one than what we got, both happened: it is settled first,
    /// for it may be what the order waits for.
    async fn confirmed(&self, told: Fact) -> Result<Fact> {
        let PaymentState::Captured(capture) = &told.state else { return Ok(told) };
        let Some(payment) = self.store.payments().find(told.payment).await? else { return Ok(told) };
        let as_expected = capture.payee_is_ours && capture.amount == payment.amount;
        if as_expected || payment.provider != told.provider {
            return Ok(told);
        }
        let Some(adapter) = self.providers.get(told.provider) else { return Ok(told) };
        let Some(state) = self.state(adapter, &payment).await else { return Ok(told) };
        let asked = Fact { state, ..told.clone() };
        match &asked.state {
            PaymentState::Captured(other) if capture.payee_is_ours && other.transaction != capture.transaction => {
                self.apply_told(&asked, None).await?;
                Ok(told)
            }
            _ => Ok(asked),
        }
    }

    async fn conclude(&self, message: PaymentMessageId, outcome: MessageOutcome) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        work.payment_messages().conclude(message, outcome, now).await?;
        Ok(work.commit().await?)
    }
}
