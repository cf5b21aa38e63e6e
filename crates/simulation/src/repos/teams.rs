//! Teams, their members, allocations and invitations.

use super::statements::{change_all, find, find_where, insert, list, save, select};
use super::{Repos, page};
use crate::db::{Tables, TxId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::accounts::{MemberRole, MembershipRepository};
use domain::id::{AccountId, InvitationId, TeamId, UserId};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use domain::teams::{
    Invitation, InvitationRepository, MemberRepository, Membership, MembershipStatus, Team, TeamRepository,
};
use std::collections::BTreeMap;

#[async_trait]
impl TeamRepository for Repos {
    async fn find(&self, id: TeamId) -> StoreResult<Option<Team>> {
        find!(self.teams[id])
    }

    async fn find_by_invite_code(&self, code: &str) -> StoreResult<Option<Team>> {
        find_where!(self.teams, |row| row.invite_code.as_deref() == Some(code))
    }

    async fn of_accounts(&self, accounts: &[AccountId]) -> StoreResult<Vec<Team>> {
        select!(self.teams, |row| accounts.contains(&row.account))
    }

    async fn insert(&self, team: &Team) -> StoreResult<()> {
        insert!(self.teams[team.id] = team)
    }

    async fn save(&self, team: &Team) -> StoreResult<()> {
        save!(self.teams[team.id], |_| team.clone())
    }
}

#[async_trait]
impl MembershipRepository for Repos {
    async fn role_on(&self, account: AccountId, user: UserId) -> StoreResult<Option<MemberRole>> {
        let found: Option<Membership> = find!(self.members[(account, user)])?;
        Ok(found.filter(|member| member.status == MembershipStatus::Active).map(|member| member.role))
    }
}

/// A member with what it may draw.
fn filled(tables: &Tables, tx: TxId, member: &Membership) -> Membership {
    let first = (member.account, member.user, String::new());
    let caps = tables.allocations.range(tx, first..);
    let caps = caps.take_while(|((account, user, _), _)| (*account, *user) == (member.account, member.user));
    let allocations: BTreeMap<_, _> = caps.map(|((_, _, meter), quantity)| (meter.clone(), *quantity)).collect();
    Membership { allocations, ..member.clone() }
}

#[async_trait]
impl MemberRepository for Repos {
    async fn find(&self, account: AccountId, user: UserId) -> StoreResult<Option<Membership>> {
        Ok(MemberRepository::find_many(self, &[(account, user)]).await?.pop())
    }

    async fn find_many(&self, pairs: &[(AccountId, UserId)]) -> StoreResult<Vec<Membership>> {
        self.call(|tables, cx| {
            let found = pairs.iter().filter_map(|pair| tables.members.get(cx.tx, pair));
            Ok(found.map(|member| filled(tables, cx.tx, member)).collect())
        })
        .await
    }

    async fn list(
        &self,
        account: AccountId,
        status: Option<MembershipStatus>,
        wanted: PageRequest,
    ) -> StoreResult<Page<Membership>> {
        self.call(|tables, cx| {
            let rows = tables.members.values(cx.tx).filter(|row| row.account == account);
            let rows = rows.filter(|row| status.is_none_or(|status| row.status == status));
            Ok(page(rows.map(|row| filled(tables, cx.tx, row)), wanted, |row| row.user.as_uuid()))
        })
        .await
    }

    async fn list_of_user(&self, user: UserId, wanted: PageRequest) -> StoreResult<Page<Membership>> {
        let here = |row: &&Membership| row.user == user && row.status != MembershipStatus::Removed;
        list!(self.members, here, wanted, |row| row.account.as_uuid())
    }

    async fn count(&self, account: AccountId, status: MembershipStatus) -> StoreResult<u64> {
        let fits = |row: &&Membership| row.account == account && row.status == status;
        self.call(|tables, cx| Ok(tables.members.values(cx.tx).filter(fits).count() as u64)).await
    }

    async fn count_owned(&self, user: UserId) -> StoreResult<u64> {
        let owned = |row: &&Membership| {
            row.user == user && row.status == MembershipStatus::Active && row.role == MemberRole::Owner
        };
        self.call(|tables, cx| Ok(tables.members.values(cx.tx).filter(owned).count() as u64)).await
    }

    async fn end_all(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<()> {
        let fits = |row: &Membership| row.account == account && row.status != MembershipStatus::Removed;
        let after = |row: &Membership| Membership {
            status: MembershipStatus::Removed,
            role: MemberRole::Member,
            removed_at: Some(now),
            updated_at: now,
            ..row.clone()
        };
        change_all!(self.members, fits, after).map(drop)
    }

    async fn insert(&self, member: &Membership) -> StoreResult<()> {
        insert!(self.members[(member.account, member.user)] = member)
    }

    async fn save(&self, member: &Membership) -> StoreResult<()> {
        save!(self.members[(member.account, member.user)], |_| member.clone())
    }

    async fn allocate(
        &self,
        account: AccountId,
        user: UserId,
        meter: &str,
        quantity: Option<Quantity>,
    ) -> StoreResult<()> {
        let key = (account, user, meter.to_owned());
        self.call(|tables, cx| match quantity {
            Some(quantity) => tables.allocations.upsert(cx, vec![(key.clone(), quantity)], |_, after| after),
            None => tables.allocations.delete(cx, std::slice::from_ref(&key)).map(drop),
        })
        .await
    }
}

#[async_trait]
impl InvitationRepository for Repos {
    async fn find(&self, account: AccountId, id: InvitationId) -> StoreResult<Option<Invitation>> {
        let found: Option<Invitation> = find!(self.invitations[id])?;
        Ok(found.filter(|row| row.account == account))
    }

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Invitation>> {
        find_where!(self.invitations, |row| row.code == code)
    }

    async fn count_open(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64> {
        let open = |row: &&Invitation| row.account == account && row.ended_at.is_none() && row.expires_at > now;
        self.call(|tables, cx| Ok(tables.invitations.values(cx.tx).filter(open).count() as u64)).await
    }

    async fn list(&self, account: AccountId, wanted: PageRequest) -> StoreResult<Page<Invitation>> {
        list!(self.invitations, |row| row.account == account, wanted, |row| row.id.as_uuid())
    }

    async fn end_all(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<()> {
        let fits = |row: &Invitation| row.account == account && row.ended_at.is_none();
        let after = |row: &Invitation| Invitation { ended_at: Some(now), email: None, ..row.clone() };
        change_all!(self.invitations, fits, after).map(drop)
    }

    async fn insert(&self, invitation: &Invitation) -> StoreResult<()> {
        insert!(self.invitations[invitation.id] = invitation)
    }

    async fn save(&self, invitation: &Invitation) -> StoreResult<()> {
        save!(self.invitations[invitation.id], |_| invitation.clone())
    }
}
