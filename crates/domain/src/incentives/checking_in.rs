//! Checking in: the first call of a local day is rewarded, the others are answered alike.

use super::check_in::{CheckIn, CheckInTerms, streak};
use super::steps::{Credit, credit};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::identity::SecretSource;
use crate::outbox::Event;
use crate::plans::Catalogue;
use crate::quota::GrantOrigin;
use crate::store::{Store, retrying};
use crate::time::{Clock, local_day};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use std::sync::Arc;

/// Use cases of check-in.
pub struct CheckInService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
    pub secrets: Arc<dyn SecretSource>,
    /// `None`: nobody checks in.
    pub terms: Option<CheckInTerms>,
}

/// How somebody stands today.
#[derive(Clone, Debug)]
pub struct CheckInView {
    /// The local day.
    pub day: NaiveDate,
    pub today: Option<CheckIn>,
    /// Days on end, today included when done.
    pub streak: u32,
}

impl CheckInService {
    pub async fn view(&self, actor: &Actor) -> Result<CheckInView> {
        actor.require_session()?;
        let day = self.today(self.clock.now());
        let latest = self.store.check_ins().latest(actor.user, day).await?;
        let streak = streak(latest.as_ref(), day);
        Ok(CheckInView { day, streak, today: latest.filter(|latest| latest.day == day) })
    }

    /// Checks in for today; with whether that was the first time.
    pub async fn check_in(&self, actor: &Actor) -> Result<(CheckIn, bool)> {
        actor.require_session()?;
        retrying!(self.store, self.write(actor))
    }

    async fn write(&self, actor: &Actor) -> Result<(CheckIn, bool)> {
        let now = self.clock.now();
        let day = self.today(now);
        let work = self.store.begin().await?;
        let account = work.accounts().lock(actor.personal_account).await?.ok_or(Error::NotFound("account"))?;
        if let Some(before) = work.check_ins().find(actor.user, day).await? {
            return Ok((before, false));
        }
        account.require_active()?;
        let terms = self.terms.as_ref().ok_or_else(closed)?;
        let latest = work.check_ins().latest(actor.user, day).await?;
        let check_in = CheckIn {
            user: actor.user,
            day,
            streak: streak(latest.as_ref(), day).saturating_add(1),
            reward: terms.draw(self.secrets.random()?),
            checked_in_at: now,
        };
        work.check_ins().insert(&check_in).await?;
        let (reward, reference) = (&check_in.reward, check_in.reference());
        credit(&*work, Credit { account: account.id, reward, origin: GrantOrigin::CheckIn, reference }, now).await?;
        let told = json!({ "day": day, "streak": check_in.streak, "value": check_in.reward.told(&self.catalogue) });
        work.outbox().push(&[Event::new(account.id, "check_in.rewarded", told.clone(), now)]).await?;
        let event = AuditEvent::by(actor, "check_in.reward", actor.user, now).on_account(account.id).with(told);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok((check_in, true))
    }

    fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        local_day(now, self.catalogue.zone)
    }
}

fn closed() -> Error {
    Error::conflict("check_in_closed", "There is no reward for checking in.")
}
