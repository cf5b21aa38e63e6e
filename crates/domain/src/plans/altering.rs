//! Use cases that alter a subscription and cost nothing: cancel, resume, choose a model.

use super::service::impossible;
use super::{Catalogue, Subscription, SubscriptionService, SubscriptionView};
use crate::accounts::AccountRef;
use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::store::Retry;
use crate::text::visible_line;
use chrono::{DateTime, Utc};

/// Longest name of a model, in characters.
const MAX_MODEL_NAME: usize = 128;

impl SubscriptionService {
    /// Ends the subscription with its term.
    pub async fn cancel(&self, actor: &Actor, which: &AccountRef) -> Result<SubscriptionView> {
        self.alter(actor, which, "subscription.cancel", |catalogue, subscription, now| {
            if subscription.chosen.plan == catalogue.default_plan {
                return Err(Error::conflict("conflict", "The default plan is not cancelled."));
            }
            subscription.cancel(now).map_err(impossible)
        })
        .await
    }

    /// Takes a cancellation back.
    pub async fn resume(&self, actor: &Actor, which: &AccountRef) -> Result<SubscriptionView> {
        self.alter(actor, which, "subscription.resume", |_, subscription, now| {
            subscription.resume(now).map_err(|_| Error::conflict("conflict", "The subscription is not cancelled."))
        })
        .await
    }

    /// Remembers the model that the account prefers, and whether bills are paid from the wallet as they are issued.
    pub async fn prefer(
        &self,
        actor: &Actor,
        which: &AccountRef,
        model: Change<String>,
        auto_pay: Option<bool>,
    ) -> Result<SubscriptionView> {
        let read = |text: String| visible_line(&text, MAX_MODEL_NAME);
        let model = model.try_map(read).map_err(|why| Error::invalid("selected_ai_model", why))?;
        let action = if auto_pay.is_some() { "subscription.prefer" } else { "subscription.select_ai_model" };
        self.alter(actor, which, action, |_, subscription, now| {
            let selected_ai_model = model.clone().apply(subscription.selected_ai_model.clone());
            let auto_pay = auto_pay.unwrap_or(subscription.auto_pay);
            Ok(Subscription { selected_ai_model, auto_pay, updated_at: now, ..subscription.clone() })
        })
        .await
    }

    async fn alter(
        &self,
        actor: &Actor,
        which: &AccountRef,
        action: &'static str,
        rule: impl Fn(&Catalogue, &Subscription, DateTime<Utc>) -> Result<Subscription> + Send + Sync,
    ) -> Result<SubscriptionView> {
        actor.require_session()?;
        let mut retry = Retry::new(&*self.store);
        loop {
            match self.try_alter(actor, which, action, &rule).await {
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn try_alter(
        &self,
        actor: &Actor,
        which: &AccountRef,
        action: &'static str,
        rule: &(impl Fn(&Catalogue, &Subscription, DateTime<Utc>) -> Result<Subscription> + Send + Sync),
    ) -> Result<SubscriptionView> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let (_, before) = self.lock(&*work, actor, which, now).await?;
        let after = rule(&self.catalogue, &before, now)?;
        let view = self.shown(&*work, after).await?;
        self.write(work, actor, action, (&before, &view.subscription), now).await?;
        Ok(view)
    }
}
