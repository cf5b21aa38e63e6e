//! Steps of other contexts' units of work: the subscription as it stands now.

use super::plan::content_hash;
use super::{Catalogue, Choice, PeriodHook, Plan, PlanVersion, Subscription};
use crate::accounts::Account;
use crate::error::{Error, Result};
use crate::id::PlanVersionId;
use crate::outbox::Event;
use crate::store::{Repositories, StoreError};
use crate::teams;
use crate::time::Period;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;

/// The stored version of a plan of this replica's catalogue.
///
/// By content and not by number: while a new configuration is rolled out, each replica sells its own.
pub async fn version_on_sale(work: &dyn Repositories, plan: &Plan) -> Result<Arc<PlanVersion>> {
    let unwritable = StoreError::Corrupt { table: "plan_versions", column: "content" };
    let hash = content_hash(&plan.canonical_json().map_err(|_| unwritable)?);
    let version = work.plans().find_by_content(&plan.code, &hash).await?;
    Ok(version.ok_or(StoreError::Corrupt { table: "plan_versions", column: "content_hash" })?)
}

/// The version that was sold.
pub async fn version_sold(work: &dyn Repositories, id: PlanVersionId) -> Result<Arc<PlanVersion>> {
    let version = work.plans().find_versions(&[id]).await?.pop();
    Ok(version.ok_or(StoreError::Corrupt { table: "user_subscriptions", column: "plan_version_id" })?)
}

/// What an account that chose nothing has: the default plan with its default interval and seats.
pub async fn default_choice(work: &dyn Repositories, catalogue: &Catalogue) -> Result<Choice> {
    let plan = catalogue.default_plan();
    let plan = plan.ok_or(StoreError::Corrupt { table: "plan_versions", column: "plan_code" })?;
    Ok(plain_choice(&*version_on_sale(work, plan).await?))
}

/// What follows when the subscription ends: its plan's fallback, else the default plan.
pub async fn fallback_choice(
    work: &dyn Repositories,
    catalogue: &Catalogue,
    subscription: &Subscription,
) -> Result<Choice> {
    let sold = version_sold(work, subscription.chosen.version).await?;
    match sold.plan.fallback.as_ref().and_then(|code| catalogue.plans.get(code)) {
        Some(plan) => Ok(plain_choice(&*version_on_sale(work, plan).await?)),
        None => default_choice(work, catalogue).await,
    }
}

fn plain_choice(version: &PlanVersion) -> Choice {
    Choice {
        version: version.id,
        plan: version.plan.code.clone(),
        interval: version.plan.default_interval(),
        seats: version.plan.default_seats(),
    }
}

/// A subscription brought up to date, and what has to be written for that.
struct Current {
    subscription: Subscription,
    begun: bool,
    opened: Vec<super::OpenedPeriod>,
    terms: Vec<(Choice, Period)>,
}

async fn bring_up_to_date(
    work: &dyn Repositories,
    catalogue: &Catalogue,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<Current> {
    let stored = work.subscriptions().find(account.id).await?;
    let begun = stored.is_none();
    let mut subscription = if let Some(stored) = stored {
        stored
    } else {
        let choice = default_choice(work, catalogue).await?;
        Subscription::begin(account.id, choice, catalogue.zone, account.created_at)
    };
    let mut opened = if begun { vec![subscription.open_period()] } else { Vec::new() };
    let mut terms = Vec::new();
    if now >= subscription.period.end {
        let fallback = fallback_choice(work, catalogue, &subscription).await?;
        // One call opens a bounded number of periods; an account idle for longer takes several.
        while now >= subscription.period.end {
            let advance = subscription.advance(now, &fallback);
            subscription = advance.subscription;
            opened.extend(advance.opened);
            terms.extend(advance.terms);
        }
    }
    Ok(Current { subscription, begun, opened, terms })
}

/// The account's subscription as it is at `now`; nothing is written and nothing needs to be locked.
pub async fn current(
    repositories: &dyn Repositories,
    catalogue: &Catalogue,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<Subscription> {
    Ok(bring_up_to_date(repositories, catalogue, account, now).await?.subscription)
}

/// The account's subscription, begun if there was none and rolled over to `now`.
///
/// The caller holds the lock on the account's row; what changed is written.
pub async fn lock_current(
    work: &dyn Repositories,
    catalogue: &Catalogue,
    account: &Account,
    hook: &dyn PeriodHook,
    now: DateTime<Utc>,
) -> Result<Subscription> {
    let Current { mut subscription, begun, opened, terms } = bring_up_to_date(work, catalogue, account, now).await?;
    if !terms.is_empty() {
        subscription = hook.renewed(work, subscription, &terms, now).await?;
    }
    if begun {
        work.subscriptions().insert(&subscription).await?;
    } else if !opened.is_empty() {
        work.subscriptions().save(&subscription).await?;
    }
    if !opened.is_empty() {
        work.subscriptions().put_periods(account.id, &opened).await?;
        hook.opened(work, account.id, &opened, now).await?;
    }
    Ok(subscription)
}

/// Stores a subscription that was changed otherwise than by time, and tells it. The caller holds the lock on the
/// account's row and has the subscription from [`lock_current`].
pub async fn store_change(
    work: &dyn Repositories,
    hook: &dyn PeriodHook,
    (before, after): (&Subscription, &Subscription),
    now: DateTime<Utc>,
) -> Result<()> {
    hook.changed(work, before, after, now).await?;
    work.subscriptions().save(after).await?;
    if before.chosen != after.chosen {
        // The open period takes the new promises at once; what was used of it stays.
        work.subscriptions().put_periods(after.account, &[after.open_period()]).await?;
    }
    let mut told = described(after);
    told["status_before"] = json!(before.status);
    Ok(work.outbox().push(&[Event::new(after.account, "subscription.changed", told, now)]).await?)
}

/// Tells that a subscription that was past due or suspended is active again.
pub async fn tell_recovery(work: &dyn Repositories, after: &Subscription, now: DateTime<Utc>) -> Result<()> {
    Ok(work.outbox().push(&[Event::new(after.account, "subscription.recovered", described(after), now)]).await?)
}

/// A subscription as events and the audit log show it.
pub(super) fn described(subscription: &Subscription) -> serde_json::Value {
    json!({
        "subscription": subscription.id,
        "chosen": subscription.chosen,
        "status": subscription.status,
        "scheduled": subscription.scheduled,
        "awaiting_payment": subscription.awaiting_payment,
        "cancel_at_term_end": subscription.cancel_at_term_end,
        "auto_pay": subscription.auto_pay,
        "selected_ai_model": subscription.selected_ai_model,
    })
}

/// Refuses fewer seats than the account's team has members. The caller holds the lock on the account's row.
pub(super) async fn refuse_too_few_seats(work: &dyn Repositories, account: &Account, seats: u32) -> Result<()> {
    let members = teams::active_members(work, account).await?;
    if members <= seats {
        return Ok(());
    }
    Err(Error::invalid("seats", format!("must be at least {members}: so many members the team has")))
}
