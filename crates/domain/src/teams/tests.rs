//! Tests of teams' use cases: each refusal, and that nothing is written after one.

mod keeping;
mod members;

use super::*;
use crate::accounts::{Account, MemberRole};
use crate::actor::{Actor, Role};
use crate::change::Change;
use crate::error::Error;
use crate::id::{InvitationId, UserId};
use crate::identity::{Email, LoginThrottle, MockMeterScales, MockSecretSource, ThrottleKey, User, samples as people};
use crate::page::PageRequest;
use crate::quantity::Quantity;
use crate::store::StoreError;
use crate::testing::{FixedClock, MockStore, MockWork};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

fn now() -> DateTime<Utc> {
    samples::founded_at() + TimeDelta::hours(1)
}

fn service(store: &Arc<MockStore>, seats: u32) -> TeamService {
    let (mut secrets, mut meters) = (MockSecretSource::new(), MockMeterScales::new());
    secrets.expect_random().returning(|| Ok([9; 32]));
    meters.expect_scale().returning(|meter| (meter == "traffic").then_some(5));
    TeamService {
        store: store.clone(),
        clock: Arc::new(FixedClock(now())),
        secrets: Arc::new(secrets),
        meters: Arc::new(meters),
        plans: Arc::new(samples::PaidSeats(seats)),
    }
}

/// A team with its owner, an admin, a member, and somebody outside.
struct Cast {
    team: Team,
    account: Account,
    owner: User,
    admin: User,
    member: User,
    stranger: User,
}

fn cast() -> Cast {
    let [owner, admin, member, stranger] = ["owner", "admin", "member", "stranger"].map(people::user);
    let (team, account, _) = samples::team(owner.id);
    Cast { team, account, owner, admin, member, stranger }
}

impl Cast {
    fn role(&self, user: UserId) -> Option<MemberRole> {
        let roles =
            [(&self.owner, MemberRole::Owner), (&self.admin, MemberRole::Admin), (&self.member, MemberRole::Member)];
        roles.into_iter().find(|(person, _)| person.id == user).map(|(_, role)| role)
    }

    fn membership(&self, user: UserId) -> Option<Membership> {
        self.role(user).map(|role| samples::member(self.account.id, user, role))
    }

    /// A unit of work that finds the team and its people, and expects nothing to be written.
    fn work(&self) -> MockWork {
        let mut work = MockWork::default();
        let (by_id, by_code, of_account) = (self.team.clone(), self.team.clone(), self.team.clone());
        work.teams.expect_find().returning(move |id| Ok((id == by_id.id).then(|| by_id.clone())));
        work.teams
            .expect_find_by_invite_code()
            .returning(move |code| Ok((by_code.invite_code.as_deref() == Some(code)).then(|| by_code.clone())));
        work.teams.expect_of_accounts().returning(move |_| Ok(vec![of_account.clone()]));
        let (locked, found) = (self.account.clone(), self.account.clone());
        work.accounts.expect_lock().returning(move |_| Ok(Some(locked.clone())));
        work.accounts.expect_find().returning(move |_| Ok(Some(found.clone())));
        let roles: Vec<_> =
            [&self.owner, &self.admin, &self.member].map(|user| self.membership(user.id).unwrap()).into();
        let members = roles.clone();
        let role_of = move |_, user| Ok(roles.iter().find(|m| m.user == user).map(|m| m.role));
        work.memberships.expect_role_on().returning(role_of);
        work.members.expect_find().returning(move |_, user| Ok(members.iter().find(|m| m.user == user).cloned()));
        work
    }
}

/// Expects the act to be audited and told.
fn heard(mut work: MockWork) -> MockWork {
    work.audit.expect_append().returning(|_| Ok(()));
    work.outbox.expect_push().returning(|_| Ok(()));
    work
}

fn once(work: MockWork) -> Arc<MockStore> {
    Arc::new(MockStore::default().beginning(work))
}

fn unthrottled(mut work: MockWork) -> MockWork {
    work.throttles.expect_lock().returning(|_| Ok(None));
    work.throttles.expect_find().returning(|_| Ok(None));
    work
}

#[pollster::test]
async fn a_team_is_founded_suspended_with_its_account_and_its_owner() {
    let owner = people::user("owner");
    let (id, mut work) = (owner.id, heard(MockWork::default()));
    work.users.expect_lock().returning(move |_| Ok(Some(owner.clone())));
    work.members.expect_count_owned().returning(|_| Ok(19));
    work.teams.expect_find_by_invite_code().returning(|_| Ok(None));
    work.accounts.expect_insert().once().withf(move |a| a.owner == id && a.name == "写作组").returning(|_| Ok(()));
    work.teams.expect_insert().once().withf(|team| team.status == TeamStatus::Suspended).returning(|_| Ok(()));
    let owns = move |m: &Membership| m.role == MemberRole::Owner && m.is_active() && m.user == id;
    work.members.expect_insert().once().withf(owns).returning(|_| Ok(()));
    let store = once(work);
    let actor = people::user("owner").as_actor();
    let made = service(&store, 1).found(&Actor { user: id, ..actor }, " 写作组 ").await.unwrap();
    assert_eq!((made.members, made.seats, store.commits()), (1, 1, 1));
    assert!(InviteCode::parse(made.team.invite_code.as_deref().unwrap()).is_some());
}

#[pollster::test]
async fn nobody_owns_more_than_twenty_teams_and_no_key_founds_one() {
    let owner = people::user("owner");
    let (actor, mut work) = (owner.as_actor(), MockWork::default());
    work.users.expect_lock().returning(move |_| Ok(Some(owner.clone())));
    work.members.expect_count_owned().returning(|_| Ok(20));
    let store = once(work);
    assert!(matches!(service(&store, 1).found(&actor, "team").await, Err(Error::Conflict { .. })));
    let key = people::api_key(&people::user("k"), &people::token(crate::identity::TokenKind::ApiKey, 1));
    let by_key = Actor { key: Some(key.as_actor(&people::user("k"))), ..actor };
    assert!(matches!(service(&store, 1).found(&by_key, "team").await, Err(Error::Forbidden(_))));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn to_strangers_no_team_exists_whatever_they_try() {
    let cast = cast();
    let (id, actor, member) = (cast.team.id, cast.stranger.as_actor(), cast.member.id);
    let missing = |answer: Result<(), Error>| assert!(matches!(answer, Err(Error::NotFound("team"))), "{answer:?}");
    let reading = || Arc::new(MockStore::reading(cast.work()));
    missing(service(&reading(), 3).view(&actor, id).await.map(drop));
    missing(service(&reading(), 3).list_invitations(&actor, id, PageRequest::default()).await.map(drop));
    let all = || once(cast.work());
    missing(service(&all(), 3).update(&actor, id, TeamChange::default()).await.map(drop));
    missing(service(&all(), 3).delete(&actor, id).await);
    missing(service(&all(), 3).remove_member(&actor, id, member).await);
    missing(service(&all(), 3).change_member(&actor, id, member, MemberChange::default()).await);
    missing(service(&all(), 3).approve(&actor, id, member).await);
    missing(service(&all(), 3).rotate_invite_code(&actor, id).await.map(drop));
    missing(service(&all(), 3).transfer_ownership(&actor, id, member).await.map(drop));
    missing(service(&all(), 3).leave(&actor, id).await);
}

#[pollster::test]
async fn what_a_role_does_not_allow_is_forbidden_and_writes_nothing() {
    let cast = cast();
    let (id, admin, member) = (cast.team.id, cast.admin.as_actor(), cast.member.as_actor());
    let forbidden = |answer: Result<(), Error>| assert!(matches!(answer, Err(Error::Forbidden(_))), "{answer:?}");
    let all = || once(cast.work());
    let to_admin = || MemberChange { role: Some(MemberRole::Admin), ..MemberChange::default() };
    let invited = |role| InvitationWish { email: None, role };
    forbidden(service(&all(), 3).delete(&admin, id).await);
    forbidden(service(&all(), 3).transfer_ownership(&admin, id, cast.member.id).await.map(drop));
    forbidden(service(&all(), 3).change_member(&admin, id, cast.member.id, to_admin()).await);
    forbidden(service(&all(), 3).remove_member(&admin, id, cast.owner.id).await);
    forbidden(service(&all(), 3).remove_member(&admin, id, cast.admin.id).await);
    forbidden(service(&all(), 3).invite(&admin, id, invited(MemberRole::Admin)).await.map(drop));
    forbidden(service(&all(), 3).invite(&member, id, invited(MemberRole::Member)).await.map(drop));
    forbidden(service(&all(), 3).rotate_invite_code(&member, id).await.map(drop));
    forbidden(service(&all(), 3).update(&member, id, TeamChange::default()).await.map(drop));
    forbidden(service(&all(), 3).remove_member(&member, id, cast.admin.id).await);
}

#[pollster::test]
async fn a_deleted_team_is_gone_for_its_owner_too() {
    let mut cast = cast();
    cast.team = cast.team.deleted(now());
    let actor = cast.owner.as_actor();
    let store = Arc::new(MockStore::reading(cast.work()).beginning(cast.work()));
    assert!(matches!(service(&store, 3).view(&actor, cast.team.id).await, Err(Error::NotFound("team"))));
    assert!(matches!(service(&store, 3).delete(&actor, cast.team.id).await, Err(Error::NotFound("team"))));
}
