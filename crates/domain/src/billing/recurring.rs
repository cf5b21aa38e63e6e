//! Use cases of subscriptions at a provider that charges by itself: asking for one, hearing of it, ending it.
//!
//! Messages come in any order and more than once. Each is a hint: the provider is asked how the subscription stands, and
//! a charge is collected once, by its own number, from cash into the account's balance. From there the bill that it was
//! for is paid, or the oldest unpaid one of the plan; what is not due yet waits on the balance for the next renewal.

use super::mirror::{Mirror, MirrorStatus};
use super::paying::Desk;
use super::service::{BillingService, lock};
use super::{BillKind, BillStatus, IssuedBill};
use crate::accounts::{Account, AccountRef, Act, resolve, standing};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{BillId, MirrorId};
use crate::orders::{
    CancelWhen, Checkout, CheckoutRequest, ProviderError, ProviderInvoice, RawNotification, SubscriptionEvent,
    SubscriptionProvider,
};
use crate::outbox::Event;
use crate::plans;
use crate::store::{Repositories, StoreError, retrying};
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

/// Subscriptions asked about in one look.
pub const MIRROR_CHUNK: u32 = 50;
/// One that was not heard of for so long is asked about.
const SILENT: TimeDelta = TimeDelta::hours(6);

/// Use cases of recurring charges.
pub struct RecurringService {
    pub billing: Arc<BillingService>,
    /// None: nothing is charged by itself here.
    pub provider: Option<Arc<dyn SubscriptionProvider>>,
    /// Where customers come back to.
    pub return_url: String,
}

impl RecurringService {
    fn provider(&self) -> Result<&dyn SubscriptionProvider> {
        self.provider.as_deref().ok_or_else(|| Error::conflict("not_offered", "No provider charges by itself here."))
    }

    /// Asks the provider to charge for the plan of an unpaid bill again and again; answers the page where the customer
    /// agrees to that. Asked again for the same bill, it is the same page.
    pub async fn start(&self, actor: &Actor, bill: BillId) -> Result<Checkout> {
        actor.require_session()?;
        // Whether there is such a bill comes before what can be done about it.
        self.billing.enter(&*self.billing.store, actor, bill, Act::PayBills).await?;
        let provider = self.provider()?;
        let mirror = retrying!(self.billing.store, self.try_start(actor, bill, provider.provider()))?;
        let request = CheckoutRequest {
            number: mirror.number(),
            description: format!("{} {}", mirror.price.to_decimal(), mirror.price.currency()),
            price: mirror.price,
            interval: mirror.interval,
            seats: 1,
            customer: None,
            email: None,
            return_url: self.return_url.clone(),
        };
        provider.checkout(&request).await.map_err(of_provider)
    }

    async fn try_start(&self, actor: &Actor, id: BillId, provider: Provider) -> Result<Mirror> {
        let (billing, now) = (&self.billing, self.billing.clock.now());
        let work = billing.store.begin().await?;
        billing.enter(&*work, actor, id, Act::PayBills).await?;
        let (issued, account) = lock(&*work, id).await?;
        // A bill that was paid otherwise, or is void, is charged for by nobody.
        let (price, interval) = self.recurring_price(&*work, &issued).await?;
        if let Some(known) = work.mirrors().find_by_bill(id).await? {
            return Ok(known);
        }
        let mirror = Mirror::new((account.id, id, provider), (price, interval), now);
        work.mirrors().insert(&mirror).await?;
        let event = AuditEvent::by(actor, "provider_subscription.start", mirror.id, now).on_account(account.id);
        work.audit().append(&event.with(json!({ "bill": id }))).await?;
        work.commit().await?;
        Ok(mirror)
    }

    async fn recurring_price(
        &self,
        work: &dyn Repositories,
        issued: &IssuedBill,
    ) -> Result<(crate::money::Money, plans::Interval)> {
        let unfit = |detail: &str| Error::conflict("not_recurring", detail);
        let choice = issued.bill.activates.as_ref();
        let choice = choice.filter(|_| issued.bill.status == BillStatus::Unpaid);
        let choice = choice.ok_or_else(|| unfit("Only an unpaid purchase of a plan can become a recurring charge."))?;
        let version = plans::version_sold(work, choice.version).await?;
        let price = version.plan.price(choice.interval, choice.seats).filter(|price| price.is_positive());
        let price = price.ok_or_else(|| unfit("This plan costs nothing."))?;
        if price.nanos() < issued.bill.totals.total.nanos() {
            return Err(unfit("This bill is more than one term of the plan; pay it once."));
        }
        Ok((price, choice.interval))
    }

    /// Takes a provider's message; one that is not about subscriptions, or that nobody signed, changes nothing.
    ///
    /// An error says that it must be sent again.
    pub async fn heard(&self, from: Provider, raw: &RawNotification) -> Result<()> {
        let Some(provider) = self.provider.as_deref().filter(|provider| provider.provider() == from) else {
            return Ok(());
        };
        let Ok(message) = provider.read_event(raw, self.billing.clock.now()) else { return Ok(()) };
        match message.event {
            SubscriptionEvent::CheckedOut { subscription, .. } => self.look_at(&subscription).await.map(drop),
            SubscriptionEvent::Changed(found) => self.look_at(&found.reference).await.map(drop),
            SubscriptionEvent::PaymentFailed(invoice) => self.look_at(&invoice.subscription).await.map(drop),
            SubscriptionEvent::Paid(invoice) => match self.look_at(&invoice.subscription).await? {
                Some(mirror) => retrying!(self.billing.store, self.collect(mirror.id, &invoice)),
                None => Ok(()),
            },
            SubscriptionEvent::Other { .. } => Ok(()),
        }
    }

    /// Asks how a subscription stands, and keeps the answer; none when it is not ours.
    async fn look_at(&self, reference: &str) -> Result<Option<Mirror>> {
        let provider = self.provider()?;
        let found = provider.query_subscription(reference).await.map_err(|_| Error::Unavailable)?;
        let Some(found) = found else { return Ok(None) };
        let (mirrors, from) = (self.billing.store.mirrors(), provider.provider());
        let known = match mirrors.find_by_reference(from, reference).await? {
            Some(known) => Some(known),
            None => match found.number {
                Some(number) => mirrors.find(MirrorId::from_uuid(number.as_uuid())).await?,
                None => None,
            },
        };
        let Some(known) = known.filter(|known| known.provider == from) else { return Ok(None) };
        retrying!(self.billing.store, self.keep(known.id, &found)).map(Some)
    }

    async fn keep(&self, id: MirrorId, found: &crate::orders::ProviderSubscription) -> Result<Mirror> {
        let now = self.billing.clock.now();
        let work = self.billing.store.begin().await?;
        let (before, account) = lock_mirror(&*work, id).await?;
        let after = before.seen(found, now);
        work.mirrors().save(&after).await?;
        if (after.status, after.cancel_at_period_end) != (before.status, before.cancel_at_period_end) {
            let payload = json!({
                "id": id, "status": after.status.name(), "cancel_at_period_end": after.cancel_at_period_end,
            });
            work.outbox().push(&[Event::new(account.id, "provider_subscription.changed", payload, now)]).await?;
        }
        work.commit().await?;
        Ok(after)
    }

    /// Brings a charge in, once, and pays what it is for.
    async fn collect(&self, id: MirrorId, invoice: &ProviderInvoice) -> Result<()> {
        let (billing, now) = (&self.billing, self.billing.clock.now());
        let work = billing.store.begin().await?;
        let (mirror, account) = lock_mirror(&*work, id).await?;
        let known = work.ledger().find(TransferKind::Collected, &invoice.reference).await?;
        if known.is_some() || !invoice.amount.is_positive() {
            return Ok(());
        }
        let sides = (LedgerAccount::Cash(mirror.provider), LedgerAccount::Wallet(account.id));
        let kind = (TransferKind::Collected, invoice.reference.clone());
        let transfer = Transfer::new(kind, sides, invoice.amount, now)?;
        wallet::post(&*work, &[transfer.about(account.id)]).await?;
        self.pay_what_is_due(&*work, &mirror, &account).await?;
        let detail = json!({ "invoice": invoice.reference, "amount": invoice.amount.to_decimal() });
        let event = AuditEvent::by_machine("provider_subscription.collect", id, now).on_account(account.id);
        work.audit().append(&event.with(detail)).await?;
        work.commit().await?;
        Ok(())
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

    /// The subscriptions of an account, newest first.
    pub async fn list(&self, actor: &Actor, which: &AccountRef) -> Result<Vec<Mirror>> {
        actor.require_session()?;
        let account = resolve(&*self.billing.store, actor, which, Act::ReadBills).await?;
        Ok(self.billing.store.mirrors().of_account(account.id).await?)
    }

    /// Ends a subscription when the term that was charged ends, or takes that back.
    pub async fn cancel(&self, actor: &Actor, id: MirrorId, keep: bool) -> Result<Mirror> {
        let (mirror, reference) = self.open_one(actor, id).await?;
        let when = if keep { CancelWhen::Never } else { CancelWhen::AtPeriodEnd };
        let found = self.provider()?.cancel(&reference, when).await.map_err(of_provider)?;
        retrying!(self.billing.store, self.keep(mirror.id, &found))
    }

    /// A page of the provider where the customer sees charges and changes the card.
    pub async fn portal(&self, actor: &Actor, id: MirrorId) -> Result<String> {
        let (mirror, _) = self.open_one(actor, id).await?;
        let customer = mirror.customer.unwrap_or_default();
        self.provider()?.portal_link(&customer, &self.return_url).await.map_err(of_provider)
    }

    /// One that the provider knows, of an account whose bills the caller may pay.
    async fn open_one(&self, actor: &Actor, id: MirrorId) -> Result<(Mirror, String)> {
        actor.require_session()?;
        let missing = || Error::NotFound("provider subscription");
        let store = &*self.billing.store;
        let mirror = store.mirrors().find(id).await?.ok_or_else(missing)?;
        let account = store.accounts().find(mirror.account).await?.ok_or_else(missing)?;
        standing(store, actor, &account).await?.ok_or_else(missing)?.require(Act::PayBills)?;
        let reference = mirror.reference.clone().filter(|_| mirror.status != MirrorStatus::Ended);
        let closed = || Error::conflict("not_running", "This subscription does not run.");
        Ok((mirror, reference.ok_or_else(closed)?))
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

/// A mirror and its account, under the lock of that.
async fn lock_mirror(work: &dyn Repositories, id: MirrorId) -> Result<(Mirror, Account)> {
    let missing = || Error::NotFound("provider subscription");
    let named = work.mirrors().find(id).await?.ok_or_else(missing)?;
    let account = work.accounts().lock(named.account).await?.ok_or_else(missing)?;
    let mirror = work.mirrors().find(id).await?.ok_or_else(missing)?;
    Ok((mirror, account))
}

fn of_provider(error: ProviderError) -> Error {
    match error {
        ProviderError::Refused { code, message } => {
            tracing::warn!(code, message, "the provider refused a subscription");
            Error::conflict("provider_refused", "The provider refused it.")
        }
        ProviderError::Unsupported => Error::conflict("not_offered", "The provider does not do that."),
        ProviderError::Unavailable | ProviderError::Unknown => Error::Unavailable,
    }
}
