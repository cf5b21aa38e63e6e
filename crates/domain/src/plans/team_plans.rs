//! What teams ask of plans: how many seats are paid for, and to end with the team.

use super::steps::{current, lock_current};
use super::{Catalogue, PeriodHook};
use crate::accounts::Account;
use crate::error::Result;
use crate::store::Repositories;
use crate::teams::TeamPlans;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The seats and the end of a team's subscription.
pub struct SubscribedTeams {
    pub catalogue: Arc<Catalogue>,
    pub hook: Arc<dyn PeriodHook>,
}

#[async_trait]
impl TeamPlans for SubscribedTeams {
    async fn seats(&self, repositories: &dyn Repositories, account: &Account, now: DateTime<Utc>) -> Result<u32> {
        Ok(current(repositories, &self.catalogue, account, now).await?.chosen.seats)
    }

    async fn close(&self, work: &dyn Repositories, account: &Account, now: DateTime<Utc>) -> Result<()> {
        let before = lock_current(work, &self.catalogue, account, &*self.hook, now).await?;
        let subscription = before.keep(now);
        // One that cannot be cancelled ends anyway, or is the default plan, which costs nothing.
        let ended = match subscription.cancel(now) {
            Ok(cancelled) if subscription.chosen.plan != self.catalogue.default_plan => cancelled,
            _ => subscription,
        };
        self.hook.changed(work, &before, &ended, now).await?;
        Ok(work.subscriptions().save(&ended).await?)
    }
}
