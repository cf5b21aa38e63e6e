//! Hearing of subscriptions at a provider that charges by itself, and collecting what it charged.
//!
//! Messages come in any order and more than once. Each is a hint: the provider is asked how the subscription stands, and
//! a charge is collected once, by its own number, from cash into the account's balance. From there the bill that it was
//! for is paid, or the oldest unpaid one of the plan; what is not due yet waits on the balance for the next renewal.

use super::BillKind;
use super::mirror::Mirror;
use super::paying::Desk;
use super::recurring::{RecurringService, of_provider};
use crate::accounts::Account;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::MirrorId;
use crate::orders::{
    CancelWhen, Charge, ChargeCollector, ProviderInvoice, ProviderSubscription, ProviderSubscriptionStatus,
    RawNotification, SubscriptionEvent,
};
use crate::outbox::Event;
use crate::plans;
use crate::store::{Repositories, StoreError, retrying};
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// Subscriptions asked about in one look.
pub const MIRROR_CHUNK: u32 = 50;
/// One that was not heard of for so long is asked about.
const SILENT: TimeDelta = TimeDelta::hours(6);
/// Most questions of one look, when other answers come between.
const MAX_QUESTIONS: u32 = 5;

impl RecurringService {
    /// Takes a provider's message; one that is not about subscriptions, or that nobody signed, changes nothing.
    ///
    /// An error says that it must be sent again.
    pub async fn heard(&self, from: Provider, raw: &RawNotification) -> Result<()> {
        let Some(provider) = self.provider.as_deref().filter(|provider| provider.provider() == from) else {
            return Ok(());
        };
        let Ok(message) = provider.read_event(raw) else { return Ok(()) };
        match message.event {
            SubscriptionEvent::CheckedOut { subscription, .. } => self.look_at(&subscription).await.map(drop),
            SubscriptionEvent::Changed(found) => self.look_at(&found.reference).await.map(drop),
            SubscriptionEvent::PaymentFailed(invoice) => self.look_at(&invoice.subscription).await.map(drop),
            SubscriptionEvent::Paid(invoice) => self.take(&invoice, message.occurred_at).await.map(drop),
            SubscriptionEvent::Other { .. } => Ok(()),
        }
    }

    /// Whether the charge was collected by this.
    async fn take(&self, invoice: &ProviderInvoice, told_at: DateTime<Utc>) -> Result<bool> {
        let Some(mirror) = self.look_at(&invoice.subscription).await? else { return Ok(false) };
        let charged_at = invoice.paid_at.unwrap_or(told_at);
        retrying!(self.billing.store, self.collect(mirror.id, invoice, charged_at))
    }

    /// Asks how a subscription stands, and keeps the answer; none when it is not ours.
    ///
    /// Several may ask at once. Who finds that another answer was kept after the question asks again, for one's own may
    /// be the older.
    pub(super) async fn look_at(&self, reference: &str) -> Result<Option<Mirror>> {
        let provider = self.provider()?;
        for _ in 0..MAX_QUESTIONS {
            let before = self.billing.store.mirrors().find_by_reference(provider.provider(), reference).await?;
            let found = provider.query_subscription(reference).await.map_err(|_| Error::Unavailable)?;
            let Some(found) = found else { return Ok(None) };
            let is_new = before.is_none();
            let known = match before {
                Some(known) => Some(known),
                None => self.by_number(provider.provider(), &found).await?,
            };
            let Some(known) = known else { return Ok(None) };
            match known.reference.as_deref() {
                Some(other) if other != reference => return self.end_second(known, &found).await.map(Some),
                Some(_) if is_new => continue,
                _ => {}
            }
            if let Some(kept) = retrying!(self.billing.store, self.keep(&known, &found))? {
                return Ok(Some(kept));
            }
        }
        Err(Error::Unavailable)
    }

    async fn by_number(&self, from: Provider, found: &ProviderSubscription) -> Result<Option<Mirror>> {
        let Some(number) = found.number else { return Ok(None) };
        let known = self.billing.store.mirrors().find(MirrorId::from_uuid(number.as_uuid())).await?;
        Ok(known.filter(|known| known.provider == from))
    }

    /// Keeps an answer, unless another one was kept since `known` was read.
    pub(super) async fn keep(&self, known: &Mirror, found: &ProviderSubscription) -> Result<Option<Mirror>> {
        let (now, id) = (self.billing.clock.now(), known.id);
        let work = self.billing.store.begin().await?;
        let (before, account) = lock_mirror(&*work, id).await?;
        if before.revision != known.revision {
            return Ok(None);
        }
        let after = before.seen(found, now);
        work.mirrors().save(&after).await?;
        if (after.status, after.cancel_at_period_end) != (before.status, before.cancel_at_period_end) {
            let payload = json!({
                "id": id, "status": after.status.name(), "cancel_at_period_end": after.cancel_at_period_end,
            });
            work.outbox().push(&[Event::new(account.id, "provider_subscription.changed", payload, now)]).await?;
        }
        work.commit().await?;
        Ok(Some(after))
    }

    /// The customer agreed twice, on two pages: the second subscription is ended at the provider. What it charged is
    /// collected like any other charge.
    async fn end_second(&self, known: Mirror, found: &ProviderSubscription) -> Result<Mirror> {
        use ProviderSubscriptionStatus::{Cancelled, IncompleteExpired};
        if !matches!(found.status, Cancelled | IncompleteExpired) {
            tracing::error!(mirror = %known.id, reference = found.reference, "a second subscription for one bill is ended");
            self.provider()?.cancel(&found.reference, CancelWhen::Now).await.map_err(of_provider)?;
            retrying!(self.billing.store, self.note_second(known.id, &found.reference))?;
        }
        Ok(known)
    }

    async fn note_second(&self, id: MirrorId, reference: &str) -> Result<()> {
        let work = self.billing.store.begin().await?;
        let (_, account) = lock_mirror(&*work, id).await?;
        let event = AuditEvent::by_machine("provider_subscription.end_second", id, self.billing.clock.now());
        let event = event.on_account(account.id).with(json!({ "reference": reference }));
        work.audit().append(&event).await?;
        Ok(work.commit().await?)
    }

    /// Brings a charge in, once, and pays what it is for; whether it was new.
    async fn collect(&self, id: MirrorId, invoice: &ProviderInvoice, charged_at: DateTime<Utc>) -> Result<bool> {
        let (billing, now) = (&self.billing, self.billing.clock.now());
        let work = billing.store.begin().await?;
        let (mirror, account) = lock_mirror(&*work, id).await?;
        let known = work.charges().find(mirror.provider, &invoice.reference).await?;
        if known.is_some() || !invoice.amount.is_positive() {
            return Ok(false);
        }
        let charge = Charge {
            provider: mirror.provider,
            reference: invoice.reference.clone(),
            account: account.id,
            subscription: id,
            amount: invoice.amount,
            charged_at,
            collected_at: now,
        };
        work.charges().insert(&charge).await?;
        let sides = (LedgerAccount::Cash(mirror.provider), LedgerAccount::Wallet(account.id));
        let kind = (TransferKind::Collected, invoice.reference.clone());
        let transfer = Transfer::new(kind, sides, invoice.amount, now)?;
        wallet::post(&*work, &[transfer.about(account.id)]).await?;
        self.pay_what_is_due(&*work, &mirror, &account).await?;
        let detail = json!({ "invoice": invoice.reference, "amount": invoice.amount.to_decimal() });
        let event = AuditEvent::by_machine("provider_subscription.collect", id, now).on_account(account.id);
        work.audit().append(&event.with(detail)).await?;
        work.commit().await?;
        Ok(true)
    }

    /// The first charge's own bill; later the plan's unpaid ones. Renewals to come are paid from the balance.
    async fn pay_what_is_due(&self, work: &dyn Repositories, mirror: &Mirror, account: &Account) -> Result<()> {
        let (billing, now) = (&self.billing, self.billing.clock.now());
        let desk = Desk { work, catalogue: &billing.catalogue, hook: &*billing.hook, now };
        let unpaid = work.bills().unpaid(account.id).await?;
        let of_plan = unpaid.into_iter().filter(|bill| bill.kind == BillKind::Subscription);
        let mut due: Vec<_> = of_plan.filter(|bill| bill.activates.is_none() || bill.id == mirror.bill).collect();
        due.sort_by_key(|bill| bill.id != mirror.bill);
        for bill in due {
            let Some(paid) = desk.receive_from_wallet(&bill).await? else { break };
            let missing = StoreError::Corrupt { table: "billing_records", column: "id" };
            let issued = work.bills().find(paid.id).await?.ok_or(missing)?;
            desk.take_effect(account, &issued).await?;
        }
        let before = plans::lock_current(work, &billing.catalogue, account, &*billing.hook, now).await?;
        let after = plans::Subscription { auto_pay: true, updated_at: now, ..before.clone() };
        if before.auto_pay {
            return Ok(());
        }
        plans::store_change(work, &*billing.hook, (&before, &after), now).await
    }

    /// Asks about a chunk of those that were not heard of for long; how many that were.
    pub async fn look_again(&self) -> Result<u32> {
        if self.provider.is_none() {
            return Ok(0);
        }
        let before = self.billing.clock.now() - SILENT;
        let silent = self.billing.store.mirrors().silent(before, MIRROR_CHUNK).await?;
        let count = u32::try_from(silent.len()).unwrap_or(u32::MAX);
        for mirror in silent {
            let Some(reference) = &mirror.reference else { continue };
            // First the next look, so that a provider who does not answer is not asked without pause.
            retrying!(self.billing.store, self.note_look(mirror.id))?;
            if let Err(error) = self.look_at(reference).await {
                tracing::warn!(mirror = %mirror.id, error = ?error, "a provider's subscription could not be asked about");
            }
        }
        Ok(count)
    }

    async fn note_look(&self, id: MirrorId) -> Result<()> {
        let work = self.billing.store.begin().await?;
        let (mirror, _) = lock_mirror(&*work, id).await?;
        work.mirrors().save(&Mirror { updated_at: self.billing.clock.now(), ..mirror }).await?;
        Ok(work.commit().await?)
    }
}

#[async_trait]
impl ChargeCollector for RecurringService {
    async fn catch_up(&self, provider: Provider, reference: &str) -> Result<bool> {
        let Some(adapter) = self.provider.as_deref().filter(|adapter| adapter.provider() == provider) else {
            return Ok(false);
        };
        match adapter.query_charge(reference).await.map_err(of_provider)? {
            Some(invoice) => self.take(&invoice, self.billing.clock.now()).await,
            None => Ok(false),
        }
    }
}

/// A mirror and its account, under the lock of that.
pub(super) async fn lock_mirror(work: &dyn Repositories, id: MirrorId) -> Result<(Mirror, Account)> {
    let missing = || Error::NotFound("provider subscription");
    let named = work.mirrors().find(id).await?.ok_or_else(missing)?;
    let account = work.accounts().lock(named.account).await?.ok_or_else(missing)?;
    let mirror = work.mirrors().find(id).await?.ok_or_else(missing)?;
    Ok((mirror, account))
}
