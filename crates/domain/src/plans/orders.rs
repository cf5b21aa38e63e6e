//! What operators and background loops do with subscriptions.

use super::steps::{lock_current, refuse_too_few_seats};
use super::{PlanWish, Subscription, SubscriptionService, SubscriptionStatus, SubscriptionView};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::store::Retry;
use crate::teams;

impl SubscriptionService {
    /// For operators: puts an account on any plan at once, active and without a bill. A team is activated by it.
    pub async fn set(&self, actor: &Actor, account: AccountId, wish: &PlanWish) -> Result<SubscriptionView> {
        actor.require_admin()?;
        let mut retry = Retry::new(&*self.store);
        loop {
            match self.try_set(actor, account, wish).await {
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn try_set(&self, actor: &Actor, account: AccountId, wish: &PlanWish) -> Result<SubscriptionView> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let before = lock_current(&*work, &self.catalogue, &account, &*self.hook, now).await?;
        let (offer, version) = self.offer(&*work, wish).await?;
        refuse_too_few_seats(&*work, &account, offer.choice.seats).await?;
        let status = SubscriptionStatus::Active;
        let after = Subscription { status, paid: None, ..before.change_now(offer.choice, now) };
        teams::activate(&*work, &account, now).await?;
        self.write(work, actor, "subscription.set", (&before, &after), now).await?;
        Ok(SubscriptionView { subscription: after, version })
    }
}
