//! Becoming a member: by the team's code, which an admin then approves, or at once by an invitation.
//!
//! Six digits can be guessed. So wrong codes are counted per user and per address in the unit of work that
//! looks the code up, and a run of them locks both (`identity/throttle.rs`); the code alone makes nobody a
//! member unless the team wants it so.

use super::service::{Desk, TeamService, note, tell};
use super::{InviteCode, JoinPolicy, Membership, MembershipStatus, Team, TeamSummary};
use crate::accounts::{Account, Act, MemberRole};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{AccountId, InvitationId, TeamId, UserId};
use crate::identity::{ThrottleKey, record_failure, refuse_if_locked};
use crate::store::{Repositories, retrying};
use chrono::{DateTime, Utc};
use serde_json::json;

/// People who wait for approval in one team; strangers must not fill its list.
const MAX_PENDING: u64 = 200;

/// Why somebody comes in, and as what.
struct Admission {
    team: Team,
    account: Account,
    /// `None`: with the team's own code.
    invitation: Option<(InvitationId, UserId, MemberRole)>,
}

impl TeamService {
    /// Joins a team with a code, or asks to. A wrong code is 404, and too many of them are 429.
    pub async fn join(&self, actor: &Actor, code: &str) -> Result<TeamSummary> {
        actor.require_session()?;
        let code = InviteCode::parse(code);
        let code = code.ok_or_else(|| Error::invalid("invite_code", "must be 6 digits, or an invitation's code"))?;
        retrying!(self.store, self.write_join(actor, &code))
    }

    async fn write_join(&self, actor: &Actor, code: &InviteCode) -> Result<TeamSummary> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let throttles = throttles(actor);
        for key in &throttles {
            // Locked, so that guesses sent side by side are heard one after the other.
            work.throttles().lock(key).await?;
        }
        refuse_if_locked(&*work, &throttles, now).await?;
        let Some(admission) = admission(&*work, code, actor.user, now).await? else {
            for key in &throttles {
                record_failure(&*work, key, now).await?;
            }
            work.commit().await?;
            return Err(Error::NotFound("team"));
        };
        let membership = self.admit(&*work, actor, &admission, now).await?;
        work.commit().await?;
        Ok(TeamSummary { team: admission.team, account: admission.account, membership })
    }

    async fn admit(
        &self,
        work: &dyn Repositories,
        actor: &Actor,
        admission: &Admission,
        now: DateTime<Utc>,
    ) -> Result<Membership> {
        let Admission { team, account, invitation } = admission;
        let before = work.members().find(account.id, actor.user).await?;
        let asking = match &before {
            Some(before) => before.asking_again(now)?,
            None => Membership::asked(account.id, actor.user, now),
        };
        let was_removed = before.as_ref().is_some_and(|before| before.removed_at.is_some());
        let at_once = team.join_policy == JoinPolicy::Open && !was_removed;
        let after = match invitation {
            Some((id, by, role)) => {
                Membership { invitation: Some(*id), invited_by: Some(*by), ..asking.admitted(*role, now) }
            }
            None if at_once => asking.admitted(MemberRole::Member, now),
            None => asking,
        };
        if after.is_active() {
            self.require_seat(work, account, now).await?;
        } else if before.as_ref() == Some(&after) {
            return Ok(after);
        } else if work.members().count(account.id, MembershipStatus::Pending).await? >= MAX_PENDING {
            return Err(Error::conflict("conflict", "Too many people wait for this team's approval."));
        }
        match before {
            Some(_) => work.members().save(&after).await?,
            None => work.members().insert(&after).await?,
        }
        let (action, kind) =
            if after.is_active() { ("team.join", "team.member_joined") } else { ("team.ask", "team.join_requested") };
        note(work, actor, action, team, (json!({ "role": after.role.as_str() }), now)).await?;
        tell(work, team, kind, (json!({ "user": actor.user }), now)).await?;
        Ok(after)
    }

    /// Lets somebody in who asked.
    pub async fn approve(&self, actor: &Actor, id: TeamId, user: UserId) -> Result<()> {
        retrying!(self.store, self.write_approval(actor, id, user))
    }

    async fn write_approval(&self, actor: &Actor, id: TeamId, user: UserId) -> Result<()> {
        let Desk { work, team, account, now, .. } = self.lock(actor, id, Act::ApproveMember).await?;
        let asked = work.members().find(account.id, user).await?;
        let asked = asked.filter(|asked| asked.status != MembershipStatus::Removed);
        let asked = asked.ok_or(Error::NotFound("member"))?;
        if asked.is_active() {
            return Err(Error::conflict("conflict", "This user is a member already."));
        }
        self.require_seat(&*work, &account, now).await?;
        let member = Membership { invited_by: Some(actor.user), ..asked.admitted(MemberRole::Member, now) };
        work.members().save(&member).await?;
        note(&*work, actor, "team.approve", &team, (json!({ "user": user }), now)).await?;
        tell(&*work, &team, "team.member_joined", (json!({ "user": user }), now)).await?;
        Ok(work.commit().await?)
    }
}

/// The user first, then the address: also the order in which they are locked.
fn throttles(actor: &Actor) -> Vec<ThrottleKey> {
    let user = ThrottleKey::joining(actor.user);
    std::iter::once(user).chain(actor.ip.map(ThrottleKey::joining_from)).collect()
}

/// What a code opens, under the lock of the team's account; an invitation is used up by it.
async fn admission(
    work: &dyn Repositories,
    code: &InviteCode,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<Admission>> {
    match code {
        InviteCode::Team(code) => {
            let Some(found) = work.teams().find_by_invite_code(code).await? else { return Ok(None) };
            let Some((team, account)) = lock(work, found.account).await? else { return Ok(None) };
            // It may have been rotated while the lock was waited for.
            let same = team.invite_code.as_deref() == Some(code);
            Ok(same.then_some(Admission { team, account, invitation: None }))
        }
        InviteCode::Invitation(code) => {
            let Some(found) = work.invitations().find_by_code(code).await? else { return Ok(None) };
            let Some((team, account)) = lock(work, found.account).await? else { return Ok(None) };
            let Some(open) = work.invitations().find_by_code(code).await?.filter(|found| found.is_open(now)) else {
                return Ok(None);
            };
            work.invitations().save(&open.accepted(user, now)).await?;
            Ok(Some(Admission { team, account, invitation: Some((open.id, open.invited_by, open.role)) }))
        }
    }
}

async fn lock(work: &dyn Repositories, account: AccountId) -> Result<Option<(Team, Account)>> {
    let account = work.accounts().lock(account).await?;
    let Some(account) = account else { return Ok(None) };
    let team = work.teams().of_accounts(&[account.id]).await?.pop().filter(Team::exists);
    Ok(team.map(|team| (team, account)))
}
