//! What is done about members: their role and allocations, and their end, by themselves or by others.

use super::service::{Desk, TeamService, note, tell};
use super::{Membership, MembershipStatus};
use crate::accounts::{Act, MemberRole};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{TeamId, UserId};
use crate::quantity::Quantity;
use crate::store::retrying;
use serde_json::json;
use std::collections::BTreeMap;

/// What is changed about a member.
#[derive(Clone, Debug, Default)]
pub struct MemberChange {
    pub role: Option<MemberRole>,
    /// By meter: a decimal in the meter's unit, zero or more, or `None` to lift the cap.
    pub allocations: BTreeMap<String, Option<String>>,
}

impl TeamService {
    /// Changes a member's role or allocations. A new allocation holds for the next use.
    pub async fn change_member(&self, actor: &Actor, id: TeamId, user: UserId, change: MemberChange) -> Result<()> {
        if change.role == Some(MemberRole::Owner) {
            return Err(Error::invalid("role", "must be admin or member; a team is handed over by transfer-ownership"));
        }
        let allocations = self.read_allocations(&change.allocations)?;
        retrying!(self.store, self.write_member(actor, id, user, (change.role, &allocations)))
    }

    async fn write_member(
        &self,
        actor: &Actor,
        id: TeamId,
        user: UserId,
        (role, allocations): (Option<MemberRole>, &BTreeMap<String, Option<Quantity>>),
    ) -> Result<()> {
        let desk = self.lock(actor, id, if role.is_some() { Act::ChangeRole } else { Act::Allocate }).await?;
        let member = managed(&desk, user).await?;
        let Desk { work, team, now, .. } = desk;
        if let Some(role) = role {
            if member.role == MemberRole::Owner || !member.is_active() {
                return Err(Error::conflict(
                    "conflict",
                    "Only an active member's role can be changed, never the owner's.",
                ));
            }
            work.members().save(&member.with_role(role, now)).await?;
        }
        for (meter, quantity) in allocations {
            work.members().allocate(team.account, user, meter, *quantity).await?;
        }
        let caps: BTreeMap<_, _> =
            allocations.iter().map(|(meter, cap)| (meter, cap.map(Quantity::as_atoms))).collect();
        let detail = json!({ "user": user, "role": role.map(MemberRole::as_str), "allocations_in_atoms": caps });
        note(&*work, actor, "team.change_member", &team, (detail, now)).await?;
        Ok(work.commit().await?)
    }

    fn read_allocations(
        &self,
        wished: &BTreeMap<String, Option<String>>,
    ) -> Result<BTreeMap<String, Option<Quantity>>> {
        let read = |(meter, text): (&String, &Option<String>)| {
            let invalid = |reason: String| Error::invalid(format!("allocations.{meter}"), reason);
            let scale = self.meters.scale(meter).ok_or_else(|| invalid("is not a meter of this server".to_owned()))?;
            let Some(text) = text else { return Ok((meter.clone(), None)) };
            let quantity = Quantity::parse(text, scale).map_err(|error| invalid(error.to_string()))?;
            if quantity.is_negative() {
                return Err(invalid("must not be negative".to_owned()));
            }
            Ok((meter.clone(), Some(quantity)))
        };
        wished.iter().map(read).collect()
    }

    /// Ends somebody's membership, or turns a request down. Keys on the team's account end with it.
    pub async fn remove_member(&self, actor: &Actor, id: TeamId, user: UserId) -> Result<()> {
        retrying!(self.store, self.write_removal(actor, id, user))
    }

    async fn write_removal(&self, actor: &Actor, id: TeamId, user: UserId) -> Result<()> {
        let desk = self.lock(actor, id, Act::RemoveMember).await?;
        let member = managed(&desk, user).await?;
        end(desk, actor, &member, "team.remove_member").await
    }

    /// Ends one's own membership. The owner hands the team over first.
    pub async fn leave(&self, actor: &Actor, id: TeamId) -> Result<()> {
        retrying!(self.store, self.write_leave(actor, id))
    }

    async fn write_leave(&self, actor: &Actor, id: TeamId) -> Result<()> {
        let desk = self.lock(actor, id, Act::ReadAccount).await?;
        let own = desk.work.members().find(desk.account.id, actor.user).await?;
        let own = own.filter(Membership::is_active).ok_or(Error::NotFound("team"))?;
        if !own.role.may(Act::Leave) {
            return Err(Error::conflict("conflict", "The owner cannot leave; hand the team over or delete it."));
        }
        end(desk, actor, &own, "team.leave").await
    }
}

/// A member who is in or waits, and about whom the caller decides.
async fn managed(desk: &Desk, user: UserId) -> Result<Membership> {
    let member = desk.work.members().find(desk.account.id, user).await?;
    let member = member.filter(|member| member.status != MembershipStatus::Removed);
    let member = member.ok_or(Error::NotFound("member"))?;
    if desk.standing.manages(member.role) {
        Ok(member)
    } else {
        Err(Error::Forbidden("Only the owner decides about admins and about the owner."))
    }
}

async fn end(desk: Desk, actor: &Actor, member: &Membership, action: &str) -> Result<()> {
    let Desk { work, team, account, now, .. } = desk;
    if member.role == MemberRole::Owner && member.is_active() {
        return Err(Error::conflict("conflict", "The owner cannot be removed; hand the team over first."));
    }
    work.members().save(&member.ended(now)).await?;
    work.api_keys().revoke_all(member.user, Some(account.id), now).await?;
    note(&*work, actor, action, &team, (json!({ "user": member.user }), now)).await?;
    if member.is_active() {
        tell(&*work, &team, "team.member_left", (json!({ "user": member.user, "by": actor.user }), now)).await?;
    }
    Ok(work.commit().await?)
}
