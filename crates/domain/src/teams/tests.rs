//! Tests of teams' use cases: each refusal, and that nothing is written after one.

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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
async fn a_deleted_team_is_gone_for_its_owner_too() {
    let mut cast = cast();
    cast.team = cast.team.deleted(now());
    let actor = cast.owner.as_actor();
    let store = Arc::new(MockStore::reading(cast.work()).beginning(cast.work()));
    assert!(matches!(service(&store, 3).view(&actor, cast.team.id).await, Err(Error::NotFound("team"))));
    assert!(matches!(service(&store, 3).delete(&actor, cast.team.id).await, Err(Error::NotFound("team"))));
}

#[tokio::test]
async fn the_teams_code_makes_one_wait_and_an_open_team_makes_one_a_member() {
    for (policy, expected) in
        [(JoinPolicy::Approval, MembershipStatus::Pending), (JoinPolicy::Open, MembershipStatus::Active)]
    {
        let mut cast = cast();
        cast.team.join_policy = policy;
        let mut work = unthrottled(heard(cast.work()));
        work.members.expect_count().returning(|_, _| Ok(1));
        work.members.expect_insert().once().withf(move |m| m.status == expected).returning(|_| Ok(()));
        let store = once(work);
        let joined = service(&store, 2).join(&cast.stranger.as_actor(), "123456").await.unwrap();
        assert_eq!((joined.membership.status, store.commits()), (expected, 1));
    }
}

#[tokio::test]
async fn a_full_team_takes_nobody_and_a_wrong_code_is_counted_and_not_found() {
    let mut cast = cast();
    cast.team.join_policy = JoinPolicy::Open;
    let mut work = unthrottled(cast.work());
    work.members.expect_count().returning(|_, _| Ok(3));
    let store = once(work);
    let answer = service(&store, 3).join(&cast.stranger.as_actor(), "123456").await;
    assert!(matches!(answer, Err(Error::Conflict { code: "no_seat_left", .. })));
    assert_eq!(store.commits(), 0);

    let mut work = unthrottled(cast.work());
    work.throttles.expect_insert().times(2).returning(|_| Ok(()));
    let store = once(work);
    let actor = Actor { ip: "10.0.0.1".parse().ok(), ..cast.stranger.as_actor() };
    assert!(matches!(service(&store, 3).join(&actor, "000000").await, Err(Error::NotFound("team"))));
    assert_eq!(store.commits(), 1, "the failure is kept");
    assert!(matches!(service(&store, 3).join(&actor, "12345").await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn who_guessed_too_often_is_not_heard_even_with_the_right_code() {
    let cast = cast();
    let mut work = cast.work();
    let locked = |key: &ThrottleKey| {
        let first = LoginThrottle::first_failure(key.clone(), now());
        Ok(Some((0..5).fold(first, |throttle, _| throttle.after_failure(now()))))
    };
    work.throttles.expect_lock().returning(locked);
    work.throttles.expect_find().returning(locked);
    let store = once(work);
    let answer = service(&store, 3).join(&cast.stranger.as_actor(), "123456").await;
    assert!(matches!(answer, Err(Error::RateLimited { retry_after_seconds: 1.. })), "{answer:?}");
    assert_eq!(store.commits(), 0);
}

#[tokio::test]
async fn an_invitation_makes_one_a_member_in_its_role_and_is_used_up_by_it() {
    let cast = cast();
    let open = Invitation { role: MemberRole::Admin, ..samples::invitation(cast.account.id, cast.owner.id) };
    let (found, code, stranger) = (open.clone(), open.code.clone(), cast.stranger.id);
    let mut work = unthrottled(heard(cast.work()));
    work.invitations.expect_find_by_code().returning(move |_| Ok(Some(found.clone())));
    let used = move |i: &Invitation| i.accepted_by == Some(stranger) && i.email.is_none();
    work.invitations.expect_save().once().withf(used).returning(|_| Ok(()));
    work.members.expect_count().returning(|_, _| Ok(2));
    let joined = move |m: &Membership| m.role == MemberRole::Admin && m.is_active() && m.invitation == Some(open.id);
    work.members.expect_insert().once().withf(joined).returning(|_| Ok(()));
    let store = once(work);
    service(&store, 3).join(&cast.stranger.as_actor(), &code).await.unwrap();
    assert_eq!(store.commits(), 1);
}

#[tokio::test]
async fn an_invitation_that_ended_is_a_wrong_code() {
    let cast = cast();
    let open = samples::invitation(cast.account.id, cast.owner.id);
    for ended in
        [open.revoked(now()), open.accepted(cast.member.id, now()), Invitation { expires_at: now(), ..open.clone() }]
    {
        let mut work = unthrottled(cast.work());
        work.invitations.expect_find_by_code().returning(move |_| Ok(Some(ended.clone())));
        work.throttles.expect_insert().returning(|_| Ok(()));
        let answer = service(&once(work), 3).join(&cast.stranger.as_actor(), &open.code).await;
        assert!(matches!(answer, Err(Error::NotFound("team"))));
    }
}

#[tokio::test]
async fn an_approval_needs_a_seat_and_somebody_who_asked() {
    let cast = cast();
    let asked = Membership::asked(cast.account.id, cast.stranger.id, now());
    for (seats, found, fits) in [(4, Some(asked.clone()), true), (3, Some(asked.clone()), false), (4, None, false)] {
        let mut work = heard(cast.work());
        work.members.checkpoint();
        work.members.expect_find().returning(move |_, _| Ok(found.clone()));
        work.members.expect_count().returning(|_, _| Ok(3));
        work.members.expect_save().times(usize::from(fits)).withf(Membership::is_active).returning(|_| Ok(()));
        let store = once(work);
        let answer = service(&store, seats).approve(&cast.admin.as_actor(), cast.team.id, cast.stranger.id).await;
        assert_eq!((answer.is_ok(), store.commits()), (fits, usize::from(fits)));
    }
}

#[tokio::test]
async fn a_removal_ends_the_membership_and_the_keys_on_the_account_together() {
    let cast = cast();
    let (account, member) = (cast.account.id, cast.member.id);
    for leaving in [false, true] {
        let mut work = heard(cast.work());
        let ended = move |m: &Membership| m.user == member && m.removed_at == Some(now()) && !m.is_active();
        work.members.expect_save().once().withf(ended).returning(|_| Ok(()));
        let keys = move |user: &UserId, on: &Option<_>, _: &_| *user == member && *on == Some(account);
        work.api_keys.expect_revoke_all().once().withf(keys).returning(|_, _, _| Ok(2));
        let store = once(work);
        let done = if leaving {
            service(&store, 3).leave(&cast.member.as_actor(), cast.team.id).await
        } else {
            service(&store, 3).remove_member(&cast.admin.as_actor(), cast.team.id, member).await
        };
        assert!(done.is_ok() && store.commits() == 1);
    }
}

#[tokio::test]
async fn the_owner_neither_leaves_nor_is_removed() {
    let cast = cast();
    let (owner, id) = (cast.owner.as_actor(), cast.team.id);
    let conflict = |answer: Result<(), Error>| assert!(matches!(answer, Err(Error::Conflict { .. })), "{answer:?}");
    conflict(service(&once(cast.work()), 3).leave(&owner, id).await);
    conflict(service(&once(cast.work()), 3).remove_member(&owner, id, cast.owner.id).await);
    let operator = Actor { role: Role::Admin, ..cast.stranger.as_actor() };
    conflict(service(&once(cast.work()), 3).remove_member(&operator, id, cast.owner.id).await);
    let as_admin = MemberChange { role: Some(MemberRole::Admin), ..MemberChange::default() };
    conflict(service(&once(cast.work()), 3).change_member(&owner, id, cast.owner.id, as_admin).await);
}

#[tokio::test]
async fn allocations_are_read_in_their_meters_decimals_and_lifted_by_null() {
    let cast = cast();
    let wish = |meter: &str, text: Option<&str>| MemberChange {
        allocations: [(meter.to_owned(), text.map(str::to_owned))].into(),
        ..MemberChange::default()
    };
    for (text, atoms) in [(Some("1.5"), Some(150_000)), (Some("0"), Some(0)), (None, None)] {
        let mut work = heard(cast.work());
        let right = move |_: &_, _: &_, meter: &str, quantity: &Option<Quantity>| {
            meter == "traffic" && quantity.map(Quantity::as_atoms) == atoms
        };
        work.members.expect_allocate().once().withf(right).returning(|_, _, _, _| Ok(()));
        let store = once(work);
        let service = service(&store, 3);
        service
            .change_member(&cast.admin.as_actor(), cast.team.id, cast.member.id, wish("traffic", text))
            .await
            .unwrap();
        assert_eq!(store.commits(), 1);
    }
    for (meter, text) in [("traffic", "-1"), ("traffic", "0.000001"), ("traffic", "1e3"), ("unknown", "1")] {
        let store = Arc::new(MockStore::default());
        let service = service(&store, 3);
        let answer =
            service.change_member(&cast.admin.as_actor(), cast.team.id, cast.member.id, wish(meter, Some(text))).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{meter} {text}");
    }
}

#[tokio::test]
async fn a_team_is_handed_to_an_active_member_and_its_former_owner_stays_as_admin() {
    let cast = cast();
    let (owner, next) = (cast.owner.id, cast.member.clone());
    let mut work = heard(cast.work());
    work.users.expect_find().returning(move |_| Ok(Some(next.clone())));
    let next = cast.member.id;
    let roles = move |m: &Membership| {
        (m.user == owner && m.role == MemberRole::Admin) || (m.user == next && m.role == MemberRole::Owner)
    };
    work.members.expect_save().times(2).withf(roles).returning(|_| Ok(()));
    work.members.expect_count().returning(|_, _| Ok(3));
    work.accounts.expect_save().once().withf(move |account| account.owner == next).returning(|_| Ok(()));
    let store = once(work);
    service(&store, 3).transfer_ownership(&cast.owner.as_actor(), cast.team.id, next).await.unwrap();
    assert_eq!(store.commits(), 1);
    let (owner, stranger) = (cast.owner.as_actor(), cast.stranger.id);
    let answer = service(&once(cast.work()), 3).transfer_ownership(&owner, cast.team.id, stranger).await;
    assert!(matches!(answer, Err(Error::NotFound("member"))));
}

#[tokio::test]
async fn a_deletion_ends_members_keys_and_invitations_and_freezes_the_account() {
    let cast = cast();
    let mut work = heard(cast.work());
    work.teams.expect_save().once().withf(|t| !t.exists() && t.invite_code.is_none()).returning(|_| Ok(()));
    work.members.expect_end_all().once().returning(|_, _| Ok(()));
    work.invitations.expect_end_all().once().returning(|_, _| Ok(()));
    work.api_keys.expect_revoke_of_account().once().returning(|_, _| Ok(3));
    let frozen = |account: &Account| account.status == crate::accounts::AccountStatus::Frozen;
    work.accounts.expect_save().once().withf(frozen).returning(|_| Ok(()));
    let store = once(work);
    service(&store, 3).delete(&cast.owner.as_actor(), cast.team.id).await.unwrap();
    assert_eq!(store.commits(), 1);
}

#[tokio::test]
async fn a_taken_team_code_is_a_conflict_and_an_odd_one_is_invalid() {
    let cast = cast();
    let mut work = cast.work();
    work.accounts.expect_save().returning(|_| Ok(()));
    work.teams.expect_save().returning(|_| Err(StoreError::Duplicate));
    let change = |code: &str| TeamChange { team_code: Change::Set(code.to_owned()), ..TeamChange::default() };
    let (admin, id) = (cast.admin.as_actor(), cast.team.id);
    let answer = service(&once(work), 3).update(&admin, id, change("Writers-1")).await;
    assert!(matches!(answer, Err(Error::Conflict { .. })), "{answer:?}");
    for code in ["ab", "a b", "写作组", &"a".repeat(51)] {
        let answer = service(&Arc::new(MockStore::default()), 3).update(&admin, id, change(code)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{code}");
    }
}

#[tokio::test]
async fn an_accepted_invitation_is_not_revoked_and_an_open_one_is_told_without_its_secrets() {
    let cast = cast();
    let accepted = samples::invitation(cast.account.id, cast.owner.id).accepted(cast.member.id, now());
    let mut work = cast.work();
    work.invitations.expect_find().returning(move |_, _| Ok(Some(accepted.clone())));
    let store = once(work);
    let which = InvitationId::new(now());
    let answer = service(&store, 3).revoke_invitation(&cast.admin.as_actor(), cast.team.id, which).await;
    assert!(matches!(answer, Err(Error::Conflict { .. })));

    let mut work = cast.work();
    work.invitations.expect_count_open().returning(|_, _| Ok(199));
    work.invitations.expect_insert().once().returning(|_| Ok(()));
    work.audit.expect_append().returning(|_| Ok(()));
    let quiet = |events: &[crate::outbox::Event]| !events[0].payload.to_string().contains("example.cn");
    work.outbox.expect_push().once().withf(quiet).returning(|_| Ok(()));
    let store = once(work);
    let wish = InvitationWish { email: Email::parse("li@example.cn").ok(), role: MemberRole::Member };
    let made = service(&store, 3).invite(&cast.admin.as_actor(), cast.team.id, wish).await.unwrap();
    assert_eq!((made.code.len(), made.is_open(now()), store.commits()), (32, true, 1));
}

#[tokio::test]
async fn a_paid_bill_activates_a_suspended_team_once_and_no_personal_account() {
    let cast = cast();
    let mut work = cast.work();
    work.teams.expect_save().once().withf(|team| team.status == TeamStatus::Active).returning(|_| Ok(()));
    work.outbox.expect_push().once().returning(|_| Ok(()));
    activate(&work, &cast.account, now()).await.unwrap();
    let mut active = MockWork::default();
    let team = cast.team.activated(now()).unwrap();
    active.teams.expect_of_accounts().returning(move |_| Ok(vec![team.clone()]));
    activate(&active, &cast.account, now()).await.unwrap();
    let personal = Account::personal(cast.account.id, cast.owner.id, "own".to_owned(), now());
    activate(&MockWork::default(), &personal, now()).await.unwrap();
    assert_eq!(active_members(&MockWork::default(), &personal).await.unwrap(), 0);
}
