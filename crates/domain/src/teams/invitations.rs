//! Inviting: codes for one person each, sent by mail or by hand, and the team's own code.

use super::code::invitation_code;
use super::invitation::{INVITATION_LIFETIME, MAX_OPEN_INVITATIONS};
use super::service::{Desk, TeamService, note, tell};
use super::{Invitation, TeamView, enter};
use crate::accounts::{Act, MemberRole};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::id::{InvitationId, TeamId};
use crate::identity::Email;
use crate::page::{Page, PageRequest};
use crate::store::retrying;
use serde_json::json;

/// An invitation wanted.
#[derive(Clone, Debug)]
pub struct InvitationWish {
    /// Mailed there; `None` is handed on by the inviter.
    pub email: Option<Email>,
    /// Only the owner invites admins.
    pub role: MemberRole,
}

impl TeamService {
    /// Makes a code with which one person is a member at once. The mail itself is sent after the commit.
    pub async fn invite(&self, actor: &Actor, id: TeamId, wish: InvitationWish) -> Result<Invitation> {
        if wish.role == MemberRole::Owner {
            return Err(Error::invalid("role", "must be admin or member"));
        }
        retrying!(self.store, self.write_invitation(actor, id, wish.clone()))
    }

    async fn write_invitation(&self, actor: &Actor, id: TeamId, wish: InvitationWish) -> Result<Invitation> {
        let Desk { work, team, account, standing, now } = self.lock(actor, id, Act::Invite).await?;
        if wish.role == MemberRole::Admin {
            standing.require(Act::ChangeRole)?;
        }
        if work.invitations().count_open(account.id, now).await? >= MAX_OPEN_INVITATIONS {
            return Err(Error::conflict("conflict", "200 invitations are open already; revoke some first."));
        }
        let invitation = Invitation {
            id: InvitationId::new(now),
            account: account.id,
            code: invitation_code(self.secrets.random()?),
            email: wish.email,
            role: wish.role,
            invited_by: actor.user,
            created_at: now,
            expires_at: now + INVITATION_LIFETIME,
            accepted_by: None,
            ended_at: None,
        };
        work.invitations().insert(&invitation).await?;
        let detail = json!({ "invitation": invitation.id, "role": invitation.role.as_str() });
        note(&*work, actor, "team.invite", &team, (detail.clone(), now)).await?;
        // Whoever sends the mail reads address and code from the row: neither belongs into an event.
        let by_mail = json!({ "invitation": invitation.id, "by_mail": invitation.email.is_some() });
        tell(&*work, &team, "team.invited", (by_mail, now)).await?;
        work.commit().await?;
        Ok(invitation)
    }

    /// Newest first, ended ones too.
    pub async fn list_invitations(&self, actor: &Actor, id: TeamId, page: PageRequest) -> Result<Page<Invitation>> {
        actor.require_session()?;
        let (_, account, _) = enter(&*self.store, actor, id, Act::ReadInviteCode).await?;
        Ok(self.store.invitations().list(account.id, page).await?)
    }

    /// Ends an invitation that nobody has accepted; ending it again is no error.
    pub async fn revoke_invitation(&self, actor: &Actor, id: TeamId, which: InvitationId) -> Result<()> {
        retrying!(self.store, self.write_revocation(actor, id, which))
    }

    async fn write_revocation(&self, actor: &Actor, id: TeamId, which: InvitationId) -> Result<()> {
        let Desk { work, team, account, now, .. } = self.lock(actor, id, Act::Invite).await?;
        let found = work.invitations().find(account.id, which).await?.ok_or(Error::NotFound("invitation"))?;
        if found.accepted_by.is_some() {
            return Err(Error::conflict("conflict", "The invitation was accepted; remove the member instead."));
        }
        if found.ended_at.is_none() {
            work.invitations().save(&found.revoked(now)).await?;
            note(&*work, actor, "team.revoke_invitation", &team, (json!({ "invitation": which }), now)).await?;
        }
        Ok(work.commit().await?)
    }

    /// Puts another six digits in the place of the team's code; the old ones are worth nothing at once.
    pub async fn rotate_invite_code(&self, actor: &Actor, id: TeamId) -> Result<TeamView> {
        retrying!(self.store, self.write_rotation(actor, id))
    }

    async fn write_rotation(&self, actor: &Actor, id: TeamId) -> Result<TeamView> {
        let Desk { work, team, account, standing, now } = self.lock(actor, id, Act::RotateInviteCode).await?;
        let team = team.with_invite_code(self.free_code(&*work).await?, now);
        work.teams().save(&team).await?;
        note(&*work, actor, "team.rotate_invite_code", &team, (json!({}), now)).await?;
        let view = self.shown(&*work, team, account, standing).await?;
        work.commit().await?;
        Ok(view)
    }
}
