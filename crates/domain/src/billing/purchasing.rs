//! Buying plans: what a change costs today is billed in the unit of work that makes it wait for its payment.

use super::hook::next_term_paid;
use super::issuing::{Draft, issue, void};
use super::paying::Desk;
use super::service::BillingService;
use super::{BillKind, BillLine, BillStatus, Coupon, IssuedBill, LineKind};
use crate::accounts::{AccountRef, Act, resolve};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::idempotency::{self, Answered, IdempotentRequest};
use crate::money::Money;
use crate::plans::{Effective, PlanWish, QuoteLine, Subscribed};
use crate::store::{Repositories, StoreError, retrying};
use crate::time::Period;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// What buying did.
#[derive(Clone, Debug)]
pub struct Bought {
    pub done: Subscribed,
    /// What has to be paid for it to begin; `None` when nothing is due today.
    pub bill: Option<IssuedBill>,
}

impl BillingService {
    /// Changes the plan: at once when nothing is due, when its bill is paid, or when the term ends.
    ///
    /// A purchase that was not paid is forgotten with its bill. While a renewal of the running term is unpaid, and once
    /// one of the next is paid, the plan is not changed.
    pub async fn subscribe(
        &self,
        actor: &Actor,
        which: &AccountRef,
        wish: &PlanWish,
        coupon: Option<&str>,
    ) -> Result<Bought> {
        actor.require_session()?;
        retrying!(self.store, self.try_subscribe(actor, which, wish, coupon))
    }

    async fn try_subscribe(
        &self,
        actor: &Actor,
        which: &AccountRef,
        wish: &PlanWish,
        coupon: Option<&str>,
    ) -> Result<Bought> {
        let work = self.store.begin().await?;
        let bought = self.buy(&*work, (actor, which), (wish, coupon), self.clock.now()).await?;
        work.commit().await?;
        Ok(bought)
    }

    /// As [`Self::subscribe`], once per key. A quote is of its moment, so what is kept is the answer as `shown` makes it.
    pub async fn subscribe_once(
        &self,
        (actor, which): (&Actor, &AccountRef),
        (wish, coupon): (&PlanWish, Option<&str>),
        request: &IdempotentRequest,
        shown: impl Fn(Bought) -> Value + Sync,
    ) -> Result<Answered<Value>> {
        actor.require_session()?;
        retrying!(self.store, self.try_subscribe_once((actor, which), (wish, coupon), request, &shown))
    }

    async fn try_subscribe_once(
        &self,
        who: (&Actor, &AccountRef),
        what: (&PlanWish, Option<&str>),
        request: &IdempotentRequest,
        shown: &(dyn Fn(Bought) -> Value + Sync),
    ) -> Result<Answered<Value>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(answered) = idempotency::replay(&*work, request).await? {
            return Ok(answered);
        }
        let answer = shown(self.buy(&*work, who, what, now).await?);
        idempotency::keep(&*work, request, &answer, now).await?;
        work.commit().await?;
        Ok(Answered::fresh(answer))
    }

    async fn buy(
        &self,
        work: &dyn Repositories,
        (actor, which): (&Actor, &AccountRef),
        (wish, coupon): (&PlanWish, Option<&str>),
        now: DateTime<Utc>,
    ) -> Result<Bought> {
        let account = resolve(work, actor, which, Act::ChangeSubscription).await?;
        work.accounts().lock(account.id).await?.ok_or(Error::NotFound("account"))?;
        make_room(work, account.id, now).await?;
        let done = self.subscriptions.change(work, actor, which, wish, now).await?;
        let due = done.quote.due.is_positive() && done.quote.effective == Effective::Now;
        if !due {
            return Ok(Bought { done, bill: None });
        }
        let later = work.bills().find_live(account.id, BillKind::Subscription, done.subscription.term.end).await?;
        if later.is_some_and(|bill| bill.status == BillStatus::Paid) {
            return Err(next_term_paid());
        }
        let discount = self.discount(work, &done, coupon, now).await?;
        let draft = Draft { discount, ..purchase(&done, now)? };
        let issued = draft.compose(&self.catalogue, now)?;
        issue(work, std::slice::from_ref(&issued), now).await?;
        let done = if issued.bill.status == BillStatus::Paid {
            let desk = Desk { work, catalogue: &self.catalogue, hook: &*self.hook, now };
            desk.take_effect(&account, &issued).await?;
            let missing = StoreError::Corrupt { table: "user_subscriptions", column: "account_id" };
            let subscription = work.subscriptions().find(account.id).await?.ok_or(missing)?;
            Subscribed { subscription, running: done.version.clone(), ..done }
        } else {
            done
        };
        Ok(Bought { done, bill: Some(issued) })
    }

    /// What the coupon takes off; it is used by this.
    async fn discount(
        &self,
        work: &dyn Repositories,
        done: &Subscribed,
        code: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<(String, Money)>> {
        let Some(code) = code else { return Ok(None) };
        let refused = |reason: String| Error::invalid("coupon", reason);
        let unknown = || refused("is not a coupon that can be used now".to_owned());
        let code = Coupon::read_code(code).ok_or_else(unknown)?;
        let coupon = work.coupons().find_by_code(&code).await?.ok_or_else(unknown)?;
        let amount = coupon.takes_off(&done.version.plan.code, done.quote.due, now);
        let amount = amount.map_err(|error| refused(error.to_string()))?;
        if !work.coupons().use_once(coupon.id, now).await? {
            return Err(refused("was used as often as it may be".to_owned()));
        }
        Ok(Some((code, amount)))
    }
}

/// A purchase that was not paid is forgotten; a term that runs is paid before its plan is changed.
async fn make_room(work: &dyn Repositories, account: AccountId, now: DateTime<Utc>) -> Result<()> {
    for bill in work.bills().unpaid(account).await? {
        if bill.activates.is_some() {
            void(work, &bill, now).await?;
        } else if bill.kind == BillKind::Subscription && bill.period.start <= now {
            return Err(Error::conflict("conflict", "A bill is open; pay it before changing the plan."));
        }
    }
    Ok(())
}

fn purchase(done: &Subscribed, now: DateTime<Utc>) -> Result<Draft> {
    let choice = done.subscription.awaiting_payment.clone();
    let choice = choice.ok_or(StoreError::Corrupt { table: "user_subscriptions", column: "awaiting_payment" })?;
    let lines: Vec<BillLine> = done.quote.lines.iter().map(line).collect();
    let end = done.quote.lines.last().map_or(done.subscription.term.end, |line| line.period.end);
    let period = Period { start: now, end };
    let draft = Draft::new(done.account.id, BillKind::Subscription, period, choice.plan.clone(), lines);
    Ok(Draft { activates: Some(choice), ..draft })
}

pub(super) fn line(quoted: &QuoteLine) -> BillLine {
    BillLine {
        number: 0,
        kind: if quoted.amount.nanos() < 0 { LineKind::Credit } else { LineKind::Base },
        plan: quoted.choice.plan.clone(),
        version: Some(quoted.choice.version),
        interval: Some(quoted.choice.interval),
        seats: quoted.choice.seats,
        period: quoted.period,
        used: None,
        tier: None,
        amount: quoted.amount,
        discount: Money::zero(quoted.amount.currency()),
    }
}
