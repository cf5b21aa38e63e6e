//! Handing a team over: who owned it stays as an admin.

use super::service::{Desk, TeamService, note, tell};
use super::{Membership, TeamView};
use crate::accounts::{Account, Act, MemberRole, standing};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{TeamId, UserId};
use crate::store::{StoreError, retrying};
use serde_json::json;

impl TeamService {
    /// Makes a member the owner, of the team and of its account.
    pub async fn transfer_ownership(&self, actor: &Actor, id: TeamId, to: UserId) -> Result<TeamView> {
        retrying!(self.store, self.write_transfer(actor, id, to))
    }

    async fn write_transfer(&self, actor: &Actor, id: TeamId, to: UserId) -> Result<TeamView> {
        let Desk { work, team, account, now, .. } = self.lock(actor, id, Act::TransferOwnership).await?;
        let next = work.members().find(account.id, to).await?.filter(Membership::is_active);
        let next = next.ok_or(Error::NotFound("member"))?;
        if next.role == MemberRole::Owner {
            return Err(Error::conflict("conflict", "This user owns the team already."));
        }
        if !work.users().find(to).await?.is_some_and(|user| user.may_act()) {
            return Err(Error::conflict("conflict", "This user is disabled and cannot own a team."));
        }
        let corrupt = StoreError::Corrupt { table: "team_members", column: "role" };
        let former = work.members().find(account.id, account.owner).await?.ok_or(corrupt)?;
        work.members().save(&former.with_role(MemberRole::Admin, now)).await?;
        work.members().save(&next.with_role(MemberRole::Owner, now)).await?;
        let account = Account { owner: to, updated_at: now, ..account };
        work.accounts().save(&account).await?;
        let detail = json!({ "from": former.user, "to": to });
        note(&*work, actor, "team.transfer_ownership", &team, (detail.clone(), now)).await?;
        tell(&*work, &team, "team.ownership_transferred", (detail, now)).await?;
        let standing = standing(&*work, actor, &account).await?.ok_or(Error::NotFound("team"))?;
        let view = self.shown(&*work, team, account, standing).await?;
        work.commit().await?;
        Ok(view)
    }
}
