//! Teams and members for tests of this and later contexts.

use super::invitation::INVITATION_LIFETIME;
use super::{Invitation, Membership, Team, TeamPlans};
use crate::accounts::{Account, MemberRole};
use crate::error::Result;
use crate::id::{AccountId, InvitationId, UserId};
use crate::identity::Email;
use crate::store::Repositories;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// When sample rows were made.
pub fn founded_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default()
}

/// A suspended team with the code 123456, its account and its owner.
pub fn team(owner: UserId) -> (Team, Account, Membership) {
    let now = founded_at();
    let account = Account::team(AccountId::new(now), owner, "team".to_owned(), now);
    let team = Team::founded(account.id, "123456".to_owned(), now);
    let member = member(account.id, owner, MemberRole::Owner);
    (team, account, member)
}

/// An active member without allocations.
pub fn member(account: AccountId, user: UserId, role: MemberRole) -> Membership {
    Membership::asked(account, user, founded_at()).admitted(role, founded_at())
}

/// An open invitation of a plain member by mail.
pub fn invitation(account: AccountId, invited_by: UserId) -> Invitation {
    Invitation {
        id: InvitationId::new(founded_at()),
        account,
        code: "00112233445566778899aabbccddeeff".to_owned(),
        email: Email::parse("new@example.cn").ok(),
        role: MemberRole::Member,
        invited_by,
        created_at: founded_at(),
        expires_at: founded_at() + INVITATION_LIFETIME,
        accepted_by: None,
        ended_at: None,
    }
}

/// A subscription that pays for so many seats and ends without more ado.
pub struct PaidSeats(pub u32);

#[async_trait]
impl TeamPlans for PaidSeats {
    async fn seats(&self, _: &dyn Repositories, _: &Account, _: DateTime<Utc>) -> Result<u32> {
        Ok(self.0)
    }

    async fn close(&self, _: &dyn Repositories, _: &Account, _: DateTime<Utc>) -> Result<()> {
        Ok(())
    }
}
