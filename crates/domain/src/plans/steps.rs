//! Steps of other contexts' units of work: the subscription as it stands now.

use super::{Catalogue, Choice, PeriodHook, Subscription};
use crate::accounts::Account;
use crate::error::Result;
use crate::store::{Repositories, StoreError};
use chrono::{DateTime, Utc};

/// What an account without a paid plan has: the default plan's latest version.
pub async fn default_choice(work: &dyn Repositories, catalogue: &Catalogue) -> Result<Choice> {
    let latest = work.plans().latest(&catalogue.default_plan).await?;
    let version = latest.ok_or(StoreError::Corrupt { table: "plan_versions", column: "plan_code" })?;
    Ok(Choice {
        version: version.id,
        plan: version.plan.code.clone(),
        interval: version.plan.default_interval(),
        seats: version.plan.default_seats(),
    })
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
    let fallback = default_choice(work, catalogue).await?;
    let stored = work.subscriptions().find(account.id).await?;
    let begun = stored.is_none();
    let mut subscription =
        stored.unwrap_or_else(|| Subscription::begin(account.id, fallback.clone(), catalogue.zone, account.created_at));
    let mut opened = if begun { vec![subscription.open_period()] } else { Vec::new() };
    // One call opens a bounded number of periods; an account idle for longer takes several.
    loop {
        let advance = subscription.advance(now, &fallback);
        if advance.opened.is_empty() {
            break;
        }
        subscription = advance.subscription;
        opened.extend(advance.opened);
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
