//! Steps of other use cases. Where something is written, the caller holds the lock on the account's row.

use super::{MembershipStatus, Team};
use crate::accounts::{Account, AccountKind, Act, Standing, standing};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::TeamId;
use crate::outbox::Event;
use crate::store::Repositories;
use chrono::{DateTime, Utc};
use serde_json::json;

/// Activates the team of an account whose first bill is paid; nothing happens to any other account.
pub async fn activate(work: &dyn Repositories, account: &Account, now: DateTime<Utc>) -> Result<()> {
    if account.kind != AccountKind::Team {
        return Ok(());
    }
    let found = work.teams().of_accounts(&[account.id]).await?.pop();
    let Some(team) = found.and_then(|team| team.activated(now)) else { return Ok(()) };
    work.teams().save(&team).await?;
    let told = Event::new(account.id, "team.activated", json!({ "team": team.id }), now);
    Ok(work.outbox().push(&[told]).await?)
}

/// How many seats of the account are taken; a personal account has no seats to count.
pub async fn active_members(work: &dyn Repositories, account: &Account) -> Result<u32> {
    if account.kind != AccountKind::Team {
        return Ok(0);
    }
    let count = work.members().count(account.id, MembershipStatus::Active).await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A team that exists and its account, for an act that the caller may do there; to strangers there is none.
pub async fn enter(
    repositories: &dyn Repositories,
    actor: &Actor,
    id: TeamId,
    act: Act,
) -> Result<(Team, Account, Standing)> {
    let missing = || Error::NotFound("team");
    let team = repositories.teams().find(id).await?.filter(Team::exists).ok_or_else(missing)?;
    let account = repositories.accounts().find(team.account).await?.ok_or_else(missing)?;
    let standing = standing(repositories, actor, &account).await?.ok_or_else(missing)?;
    standing.require(act)?;
    Ok((team, account, standing))
}
