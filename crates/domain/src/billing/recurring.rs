//! What customers do about subscriptions at a provider that charges by itself: ask for one, see it, end it.

use super::mirror::{Mirror, MirrorStatus};
use super::mirroring::lock_mirror;
use super::service::{BillingService, lock};
use super::{BillStatus, IssuedBill};
use crate::accounts::{AccountRef, Act, resolve, standing};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{BillId, MirrorId};
use crate::orders::{CHECKED_OUT, CancelWhen, Checkout, CheckoutRequest, ProviderError, SubscriptionProvider};
use crate::plans;
use crate::store::{Repositories, retrying};
use crate::wallet::Provider;
use serde_json::json;
use std::sync::Arc;

/// Use cases of recurring charges.
pub struct RecurringService {
    pub billing: Arc<BillingService>,
    /// None: nothing is charged by itself here.
    pub provider: Option<Arc<dyn SubscriptionProvider>>,
    /// Where customers come back to.
    pub return_url: String,
}

impl RecurringService {
    pub(super) fn provider(&self) -> Result<&dyn SubscriptionProvider> {
        self.provider.as_deref().ok_or_else(|| Error::conflict("not_offered", "No provider charges by itself here."))
    }

    /// Asks the provider to charge for the plan of an unpaid bill again and again; answers the page where the customer
    /// agrees to that. Asked again for the same bill, it is the same page as long as that lives, and none after the customer
    /// went through it: two pages could become two subscriptions.
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
            before: mirror.checkout.clone(),
        };
        let checkout = provider.checkout(&request).await.map_err(of_provider)?;
        if mirror.checkout.as_ref() != Some(&checkout.reference) {
            retrying!(self.billing.store, self.note_checkout(mirror.id, &checkout.reference))?;
        }
        Ok(checkout)
    }

    async fn note_checkout(&self, id: MirrorId, checkout: &str) -> Result<()> {
        let work = self.billing.store.begin().await?;
        let (mirror, _) = lock_mirror(&*work, id).await?;
        work.mirrors().save(&Mirror { checkout: Some(checkout.to_owned()), ..mirror }).await?;
        Ok(work.commit().await?)
    }

    async fn try_start(&self, actor: &Actor, id: BillId, provider: Provider) -> Result<Mirror> {
        let (billing, now) = (&self.billing, self.billing.clock.now());
        let work = billing.store.begin().await?;
        billing.enter(&*work, actor, id, Act::PayBills).await?;
        let (issued, account) = lock(&*work, id).await?;
        // A bill that was paid otherwise, or is void, is charged for by nobody.
        let (price, interval) = self.recurring_price(&*work, &issued).await?;
        if let Some(known) = work.mirrors().find_by_bill(id).await? {
            return if known.reference.is_none() { Ok(known) } else { Err(charging_already()) };
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
        match retrying!(self.billing.store, self.keep(&mirror, &found))? {
            Some(kept) => Ok(kept),
            // Somebody else's answer came between; the provider is asked what is true now.
            None => self.look_at(&reference).await?.ok_or(Error::NotFound("provider subscription")),
        }
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
}

fn charging_already() -> Error {
    let detail = "The provider charges for this bill already; wait for its answer, or pay the bill once.";
    Error::conflict("charging_already", detail)
}

pub(super) fn of_provider(error: ProviderError) -> Error {
    match error {
        ProviderError::Refused { code, .. } if code == CHECKED_OUT => charging_already(),
        ProviderError::Refused { code, message } => {
            tracing::warn!(code, message, "the provider refused a subscription");
            Error::conflict("provider_refused", "The provider refused it.")
        }
        ProviderError::Unsupported => Error::conflict("not_offered", "The provider does not do that."),
        ProviderError::Unavailable | ProviderError::Unknown => Error::Unavailable,
    }
}
