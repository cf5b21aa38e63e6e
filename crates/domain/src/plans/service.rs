//! Use cases of subscriptions: look, preview, subscribe.

use super::change::{ChangeKind, Effective, Offer, Quote, quote};
use super::steps::{
    current, described, lock_current, refuse_too_few_seats, store_change, version_on_sale, version_sold,
};
use super::{Catalogue, Choice, Interval, NoSuchTransition, PeriodHook, PlanCode, PlanVersion};
use super::{Subscription, SubscriptionStatus};
use crate::accounts::{Account, AccountRef, AccountStatus, Act, resolve};
use crate::actor::{Actor, Scope};
use crate::audit::AuditEvent;
use crate::error::{Error, LimitKind, Result};
use crate::money::Money;
use crate::store::{Repositories, Retry, Store, UnitOfWork};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;

/// A plan wanted; interval and seats default to the plan's own.
#[derive(Clone, Debug)]
pub struct PlanWish {
    pub plan: PlanCode,
    pub interval: Option<Interval>,
    pub seats: Option<u32>,
}

/// A subscription with the version that it was sold.
#[derive(Clone, Debug)]
pub struct SubscriptionView {
    pub subscription: Subscription,
    pub version: Arc<PlanVersion>,
}

/// What subscribing did: the account's subscription after it, and what was quoted.
#[derive(Clone, Debug)]
pub struct Subscribed {
    pub account: Account,
    pub subscription: Subscription,
    /// The version that was asked for.
    pub version: Arc<PlanVersion>,
    /// The version that the subscription is on now.
    pub running: Arc<PlanVersion>,
    pub quote: Quote,
}

impl Subscribed {
    /// Whether the plan asked for waits for its first payment.
    pub fn is_pending(&self) -> bool {
        self.subscription.awaiting_payment.is_some()
    }
}

#[derive(Clone)]
pub struct SubscriptionService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
    pub hook: Arc<dyn PeriodHook>,
}

impl SubscriptionService {
    /// The subscription as it is now, whether or not it was ever written.
    pub async fn view(&self, actor: &Actor, which: &AccountRef) -> Result<SubscriptionView> {
        actor.require_scope(&Scope::UsageRead)?;
        let account = resolve(&*self.store, actor, which, Act::ReadQuota).await?;
        let subscription = current(&*self.store, &self.catalogue, &account, self.clock.now()).await?;
        self.shown(&*self.store, subscription).await
    }

    /// What a change would cost and when it would begin. Nothing is written.
    pub async fn preview(&self, actor: &Actor, which: &AccountRef, wish: &PlanWish) -> Result<Quote> {
        actor.require_session()?;
        let now = self.clock.now();
        let account = resolve(&*self.store, actor, which, Act::ChangeSubscription).await?;
        let subscription = current(&*self.store, &self.catalogue, &account, now).await?;
        let (offer, _) = self.offer(&*self.store, wish).await?;
        self.quoted(&*self.store, &subscription, &offer, now).await
    }

    /// Changes the plan: at once when nothing is due, when the bill is paid, or when the term ends.
    pub async fn subscribe(&self, actor: &Actor, which: &AccountRef, wish: &PlanWish) -> Result<Subscribed> {
        actor.require_session()?;
        let mut retry = Retry::new(&*self.store);
        loop {
            match self.try_subscribe(actor, which, wish).await {
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn try_subscribe(&self, actor: &Actor, which: &AccountRef, wish: &PlanWish) -> Result<Subscribed> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let done = self.change(&*work, actor, which, wish, now).await?;
        work.commit().await?;
        Ok(done)
    }

    /// [`Self::subscribe`] as a part of the caller's unit of work: the account is locked, and the change is written.
    pub async fn change(
        &self,
        work: &dyn Repositories,
        actor: &Actor,
        which: &AccountRef,
        wish: &PlanWish,
        now: DateTime<Utc>,
    ) -> Result<Subscribed> {
        let (account, before) = self.lock(work, actor, which, now).await?;
        let (offer, version) = self.offer(work, wish).await?;
        refuse_too_few_seats(work, &account, offer.choice.seats).await?;
        let quote = self.quoted(work, &before, &offer, now).await?;
        let after = changed(&before, &quote, offer.choice, now)?;
        let running = version_sold(work, after.chosen.version).await?;
        self.note(work, actor, "subscription.change", (&before, &after), now).await?;
        Ok(Subscribed { account, subscription: after, version, running, quote })
    }

    /// The account and its subscription under the lock of the account.
    pub(super) async fn lock(
        &self,
        work: &dyn Repositories,
        actor: &Actor,
        which: &AccountRef,
        now: DateTime<Utc>,
    ) -> Result<(Account, Subscription)> {
        let named = resolve(work, actor, which, Act::ChangeSubscription).await?;
        let account = work.accounts().lock(named.id).await?.ok_or(Error::NotFound("account"))?;
        refuse_frozen(&account)?;
        let subscription = lock_current(work, &self.catalogue, &account, &*self.hook, now).await?;
        Ok((account, subscription))
    }

    /// The plan wished for as it is sold today, with the price of its term.
    pub(super) async fn offer(
        &self,
        repositories: &dyn Repositories,
        wish: &PlanWish,
    ) -> Result<(Offer, Arc<PlanVersion>)> {
        let plan = self.catalogue.plans.get(&wish.plan).ok_or_else(|| Error::invalid("plan", "is not on sale"))?;
        let interval = wish.interval.unwrap_or_else(|| plan.default_interval());
        let seats = plan.check_seats(wish.seats).map_err(|error| Error::invalid("seats", error.to_string()))?;
        let unsold = || Error::invalid("interval", format!("the plan is not sold by the {}", interval.name()));
        let price = plan.price(interval, seats).ok_or_else(unsold)?;
        let version = version_on_sale(repositories, plan).await?;
        let choice = Choice { version: version.id, plan: plan.code.clone(), interval, seats };
        Ok((Offer { choice, price }, version))
    }

    async fn quoted(
        &self,
        repositories: &dyn Repositories,
        subscription: &Subscription,
        to: &Offer,
        now: DateTime<Utc>,
    ) -> Result<Quote> {
        let sold = version_sold(repositories, subscription.chosen.version).await?;
        let price = sold.plan.price(subscription.chosen.interval, subscription.chosen.seats);
        let nothing = Money::zero(sold.plan.currency);
        let from = Offer { choice: subscription.chosen.clone(), price: price.unwrap_or(nothing) };
        Ok(quote(subscription, (&from, subscription.paid.unwrap_or(nothing)), to, now)?)
    }

    pub(super) async fn shown(
        &self,
        repositories: &dyn Repositories,
        subscription: Subscription,
    ) -> Result<SubscriptionView> {
        let version = version_sold(repositories, subscription.chosen.version).await?;
        Ok(SubscriptionView { subscription, version })
    }

    /// Saves, records and tells the change, and commits.
    pub(super) async fn write(
        &self,
        work: Box<dyn UnitOfWork>,
        actor: &Actor,
        action: &'static str,
        (before, after): (&Subscription, &Subscription),
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.note(&*work, actor, action, (before, after), now).await?;
        Ok(work.commit().await?)
    }

    /// Saves, records and tells the change.
    async fn note(
        &self,
        work: &dyn Repositories,
        actor: &Actor,
        action: &'static str,
        (before, after): (&Subscription, &Subscription),
        now: DateTime<Utc>,
    ) -> Result<()> {
        store_change(work, &*self.hook, (before, after), now).await?;
        let detail = json!({ "from": described(before), "to": described(after) });
        let event = AuditEvent::by(actor, action, after.id, now).on_account(after.account).with(detail);
        Ok(work.audit().append(&event).await?)
    }
}

/// The rule of subscribing: what becomes of the subscription by what was quoted.
fn changed(before: &Subscription, quote: &Quote, to: Choice, now: DateTime<Utc>) -> Result<Subscription> {
    let unpaid = [SubscriptionStatus::PastDue, SubscriptionStatus::Suspended].contains(&before.status);
    match (quote.kind, quote.effective) {
        _ if unpaid => Err(Error::conflict("conflict", "A bill is open; pay it before changing the plan.")),
        (ChangeKind::Same, _) if before.cancel_at_term_end => before.resume(now).map_err(impossible),
        (ChangeKind::Same, _) => Ok(before.keep(now)),
        (_, Effective::TermEnd(_)) => Ok(before.change_at_term_end(to, now)),
        (_, Effective::Now) if quote.due.is_positive() => Ok(before.change_when_paid(to, now)),
        (_, Effective::Now) => Ok(before.change_now(to, now)),
    }
}

fn refuse_frozen(account: &Account) -> Result<()> {
    match account.status {
        AccountStatus::Active => Ok(()),
        AccountStatus::Frozen => Err(Error::Barred(LimitKind::AccountStatus)),
    }
}

pub(super) fn impossible(error: NoSuchTransition) -> Error {
    Error::conflict("conflict", format!("{error}."))
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
