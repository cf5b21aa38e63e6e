//! Use cases of a team itself: found, see, rename, delete. Only in a session.

use super::code::team_codes;
use super::{Membership, MembershipStatus, Team, TeamChange, TeamPlans, TeamStatus, enter};
use crate::accounts::{Account, AccountStatus, Act, MemberRole, Standing, standing};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{AccountId, TeamId};
use crate::identity::{MeterScales, SecretSource};
use crate::outbox::Event;
use crate::page::{Page, PageRequest};
use crate::store::{Repositories, Store, StoreError, UnitOfWork, retrying};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Teams that one user owns; every team takes one of a million codes.
pub(super) const MAX_OWNED_TEAMS: u64 = 20;

/// A team as one of its people sees it.
#[derive(Clone, Debug)]
pub struct TeamView {
    pub team: Team,
    pub account: Account,
    pub standing: Standing,
    /// What the subscription pays for.
    pub seats: u32,
    /// How many seats are taken.
    pub members: u64,
}

/// A team in the list of one's own.
#[derive(Clone, Debug)]
pub struct TeamSummary {
    pub team: Team,
    pub account: Account,
    pub membership: Membership,
}

#[derive(Clone)]
pub struct TeamService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub secrets: Arc<dyn SecretSource>,
    pub meters: Arc<dyn MeterScales>,
    pub plans: Arc<dyn TeamPlans>,
}

/// A team in a unit of work that holds the lock on its account, and with which rights the caller is there.
pub(super) struct Desk {
    pub work: Box<dyn UnitOfWork>,
    pub team: Team,
    pub account: Account,
    pub standing: Standing,
    pub now: DateTime<Utc>,
}

impl TeamService {
    /// Makes a team, which is suspended until its first bill is paid, and its account. The caller owns both.
    pub async fn found(&self, actor: &Actor, name: &str) -> Result<TeamView> {
        actor.require_session()?;
        let name = Team::read_name(name)?;
        retrying!(self.store, self.write_new(actor, &name))
    }

    async fn write_new(&self, actor: &Actor, name: &str) -> Result<TeamView> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        // Locked so that two requests do not both make the last team.
        let owner = work.users().lock(actor.user).await?.ok_or(Error::Unauthenticated)?;
        if work.members().count_owned(owner.id).await? >= MAX_OWNED_TEAMS {
            return Err(Error::conflict("conflict", "You own 20 teams already; delete one or hand it over first."));
        }
        let account = Account::team(AccountId::new(now), owner.id, name.to_owned(), now);
        let team = Team::founded(account.id, self.free_code(&*work).await?, now);
        let member = Membership::asked(account.id, owner.id, now).admitted(MemberRole::Owner, now);
        work.accounts().insert(&account).await?;
        work.teams().insert(&team).await?;
        work.members().insert(&member).await?;
        note(&*work, actor, "team.found", &team, (json!({ "name": name }), now)).await?;
        let seats = self.plans.seats(&*work, &account, now).await?;
        work.commit().await?;
        Ok(TeamView { team, account, standing: Standing::Role(MemberRole::Owner), seats, members: 1 })
    }

    /// Eight draws: while fewer than half of the codes are taken, all of them fail once in 256 times or less.
    pub(super) async fn free_code(&self, work: &dyn Repositories) -> Result<String> {
        for code in team_codes(self.secrets.random()?) {
            if work.teams().find_by_invite_code(&code).await?.is_none() {
                return Ok(code);
            }
        }
        Err(Error::Unavailable)
    }

    /// The teams that the caller is in or waits for, newest first.
    pub async fn list(&self, actor: &Actor, page: PageRequest) -> Result<Page<TeamSummary>> {
        actor.require_session()?;
        let mine = self.store.members().list_of_user(actor.user, page).await?;
        let ids: Vec<_> = mine.rows.iter().map(|membership| membership.account).collect();
        let teams = self.store.teams().of_accounts(&ids).await?;
        let accounts = self.store.accounts().find_many(&ids).await?;
        let mut teams: BTreeMap<_, _> = teams.into_iter().map(|team| (team.account, team)).collect();
        let mut accounts: BTreeMap<_, _> = accounts.into_iter().map(|account| (account.id, account)).collect();
        let rows = mine.rows.into_iter().filter_map(|membership| {
            let (team, account) = (teams.remove(&membership.account)?, accounts.remove(&membership.account)?);
            Some(TeamSummary { team, account, membership })
        });
        Ok(Page { rows: rows.collect(), next: mine.next })
    }

    pub async fn view(&self, actor: &Actor, id: TeamId) -> Result<TeamView> {
        actor.require_session()?;
        let (team, account, standing) = enter(&*self.store, actor, id, Act::ReadAccount).await?;
        self.shown(&*self.store, team, account, standing).await
    }

    pub(super) async fn shown(
        &self,
        repositories: &dyn Repositories,
        team: Team,
        account: Account,
        standing: Standing,
    ) -> Result<TeamView> {
        let seats = self.plans.seats(repositories, &account, self.clock.now()).await?;
        let members = repositories.members().count(account.id, MembershipStatus::Active).await?;
        Ok(TeamView { team, account, standing, seats, members })
    }

    pub async fn update(&self, actor: &Actor, id: TeamId, change: TeamChange) -> Result<TeamView> {
        let name = change.name.map(|name| Team::read_name(&name)).transpose()?;
        let team_code = change.team_code.try_map(|code| Team::read_team_code(&code))?;
        let change = TeamChange { name, team_code, ..change };
        retrying!(self.store, self.write_change(actor, id, change.clone()))
    }

    async fn write_change(&self, actor: &Actor, id: TeamId, change: TeamChange) -> Result<TeamView> {
        let Desk { work, mut team, mut account, standing, now } = self.lock(actor, id, Act::UpdateTeam).await?;
        let detail = json!({ "name": change.name, "join_policy": change.join_policy.map(super::JoinPolicy::as_str) });
        team.team_code = change.team_code.apply(team.team_code);
        team.join_policy = change.join_policy.unwrap_or(team.join_policy);
        team.updated_at = now;
        account.name = change.name.unwrap_or(account.name);
        account.updated_at = now;
        work.accounts().save(&account).await?;
        work.teams().save(&team).await.map_err(taken_code)?;
        note(&*work, actor, "team.update", &team, (detail, now)).await?;
        let view = self.shown(&*work, team, account, standing).await?;
        work.commit().await?;
        Ok(view)
    }

    /// Closes a team: nobody is a member any more, no key draws from the account, the subscription ends with its
    /// term, and what was used stays on the account, which is frozen.
    pub async fn delete(&self, actor: &Actor, id: TeamId) -> Result<()> {
        retrying!(self.store, self.write_end(actor, id))
    }

    async fn write_end(&self, actor: &Actor, id: TeamId) -> Result<()> {
        let Desk { work, team, account, now, .. } = self.lock(actor, id, Act::DeleteTeam).await?;
        self.plans.close(&*work, &account, now).await?;
        work.teams().save(&team.deleted(now)).await?;
        work.members().end_all(account.id, now).await?;
        work.invitations().end_all(account.id, now).await?;
        work.api_keys().revoke_of_account(account.id, now).await?;
        work.accounts().save(&Account { status: AccountStatus::Frozen, updated_at: now, ..account }).await?;
        note(&*work, actor, "team.delete", &team, (Value::Null, now)).await?;
        tell(&*work, &team, "team.deleted", (json!({}), now)).await?;
        Ok(work.commit().await?)
    }

    /// Begins a unit of work on a team under the lock of its account, for an act that the caller may do there.
    pub(super) async fn lock(&self, actor: &Actor, id: TeamId, act: Act) -> Result<Desk> {
        actor.require_session()?;
        let missing = || Error::NotFound("team");
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = work.teams().find(id).await?.ok_or_else(missing)?;
        let account = work.accounts().lock(found.account).await?.ok_or_else(missing)?;
        // Again under the lock: roles and codes may have changed while it was waited for.
        let team = work.teams().find(id).await?.filter(|team| team.status != TeamStatus::Deleted);
        let team = team.ok_or_else(missing)?;
        let standing = standing(&*work, actor, &account).await?.ok_or_else(missing)?;
        standing.require(act)?;
        Ok(Desk { work, team, account, standing, now })
    }

    /// Refuses one more member when every seat is taken. The caller holds the lock on the account.
    pub(super) async fn require_seat(
        &self,
        work: &dyn Repositories,
        account: &Account,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let seats = self.plans.seats(work, account, now).await?;
        let taken = work.members().count(account.id, MembershipStatus::Active).await?;
        if taken < u64::from(seats) {
            return Ok(());
        }
        Err(Error::conflict("no_seat_left", format!("All {seats} seats are taken; the owner can buy more.")))
    }
}

/// Writes an act on a team into the audit trail.
pub(super) async fn note(
    work: &dyn Repositories,
    actor: &Actor,
    action: &str,
    team: &Team,
    (detail, now): (Value, DateTime<Utc>),
) -> Result<()> {
    let event = AuditEvent::by(actor, action, team.id, now).on_account(team.account).with(detail);
    Ok(work.audit().append(&event).await?)
}

/// Tells what happened to a team; `detail` is an object.
pub(super) async fn tell(
    work: &dyn Repositories,
    team: &Team,
    kind: &'static str,
    (mut detail, now): (Value, DateTime<Utc>),
) -> Result<()> {
    detail["team"] = json!(team.id);
    Ok(work.outbox().push(&[Event::new(team.account, kind, detail, now)]).await?)
}

/// Nothing else that is unique changes with a team's fields.
fn taken_code(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate => Error::conflict("conflict", "The team_code is taken."),
        error => error.into(),
    }
}
