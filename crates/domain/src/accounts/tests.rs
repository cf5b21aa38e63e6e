//! Tests of registration, access, keys and operators.

mod keys;
mod operators;

use super::*;
use crate::actor::{Actor, KeyActor, Role, Scope};
use crate::change::Change;
use crate::error::Error;
use crate::id::UserId;
use crate::identity::{
    ApiKey, Email, MockMeterScales, MockPasswordHasher, MockSecretSource, Password, PasswordHash, TokenKind, User,
    UserStatus, Username, samples,
};
use crate::quantity::Quantity;
use crate::store::StoreError;
use crate::testing::{FixedClock, MockStore, MockWork};
use std::sync::Arc;

fn secrets() -> Arc<MockSecretSource> {
    let mut secrets = MockSecretSource::new();
    secrets.expect_random().returning(|| Ok([9; 32]));
    Arc::new(secrets)
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock(samples::created_at()))
}

fn registration(store: &Arc<MockStore>) -> RegistrationService {
    let mut hasher = MockPasswordHasher::new();
    hasher.expect_hash().returning(|_| Ok(PasswordHash::from_phc("hash".to_owned())));
    RegistrationService {
        store: store.clone(),
        clock: clock(),
        hasher: Arc::new(hasher),
        secrets: secrets(),
        session_lifetime: chrono::TimeDelta::days(30),
        options: Arc::default(),
        hook: Arc::new(()),
    }
}

fn wish(username: &str) -> Registration {
    let username = Some(Username::parse(username).unwrap());
    Registration { username, email: Some(Email::parse("z@example.cn").unwrap()), ..Registration::default() }
}

fn free_names() -> MockWork {
    let mut work = MockWork::default();
    work.users.expect_find_by_login().returning(|_| Ok(None));
    work
}

#[pollster::test]
async fn a_user_an_account_and_a_session_come_into_being_together() {
    let mut work = free_names();
    work.users.expect_insert().times(1).returning(|_| Ok(()));
    work.accounts.expect_insert().times(1).returning(|_| Ok(()));
    work.sessions.expect_insert().times(1).returning(|_| Ok(()));
    let store = Arc::new(MockStore::reading(free_names()).beginning(work));
    let password = Password::choose("12345678").unwrap();
    let made = registration(&store).register(wish("Zhang"), &password, None).await.unwrap();
    assert_eq!((made.account.id, made.account.owner), (made.user.personal_account, made.user.id));
    assert_eq!((made.user.role, made.account.kind, store.commits()), (Role::User, AccountKind::Personal, 1));
}

#[pollster::test]
async fn a_taken_name_is_a_conflict_that_names_its_field() {
    let mut reads = MockWork::default();
    reads
        .users
        .expect_find_by_login()
        .returning(|login| Ok((login.field() == "email").then(|| samples::user("somebody"))));
    let store = Arc::new(MockStore::reading(reads));
    let password = Password::choose("12345678").unwrap();
    let answer = registration(&store).register(wish("zhang"), &password, None).await;
    assert!(matches!(answer, Err(Error::Conflict { detail, .. }) if detail == "The email is taken."));
}

#[pollster::test]
async fn a_user_without_any_login_name_is_not_made() {
    let store = Arc::new(MockStore::default());
    let password = Password::choose("12345678").unwrap();
    let answer = registration(&store).register(Registration::default(), &password, None).await;
    assert!(matches!(answer, Err(Error::Invalid(_))));
}

fn account_of(user: &User) -> Account {
    Account::personal(user.personal_account, user.id, "name".to_owned(), samples::created_at())
}

fn by_key(user: &User, scopes: Vec<Scope>) -> Actor {
    let mut key = samples::api_key(user, &samples::token(TokenKind::ApiKey, 1));
    key.draft.scopes = scopes;
    Actor { key: Some(key.as_actor(user)), ..user.as_actor() }
}

fn holding(account: &Account) -> MockWork {
    let mut work = MockWork::default();
    let (found, named) = (account.clone(), account.clone());
    work.accounts.expect_find().returning(move |id| Ok((id == found.id).then(|| found.clone())));
    work.accounts.expect_find_by_external_id().returning(move |_| Ok(Some(named.clone())));
    work
}

#[pollster::test]
async fn strangers_find_no_account_whichever_way_they_name_it() {
    let (owner, stranger) = (samples::user("owner"), samples::user("stranger"));
    let account = account_of(&owner);
    let work = holding(&account);
    for which in [AccountRef::Id(account.id), AccountRef::External("crm-7".to_owned())] {
        for actor in [stranger.as_actor(), by_key(&stranger, vec![Scope::UsageRead])] {
            let answer = resolve(&work, &actor, &which, Act::ReadQuota).await;
            assert!(matches!(answer, Err(Error::NotFound("account"))));
        }
    }
}

#[pollster::test]
async fn owners_operators_in_sessions_and_service_keys_find_it() {
    let (owner, stranger) = (samples::user("owner"), samples::user("stranger"));
    let admin = User { role: Role::Admin, ..stranger };
    let account = account_of(&owner);
    let work = holding(&account);
    for actor in [owner.as_actor(), admin.as_actor(), by_key(&admin, vec![Scope::Service])] {
        assert_eq!(resolve(&work, &actor, &AccountRef::Id(account.id), Act::ReadQuota).await.unwrap(), account);
    }
    let plain_key_of_an_admin = by_key(&admin, vec![Scope::UsageRead, Scope::Admin]);
    assert!(resolve(&work, &plain_key_of_an_admin, &AccountRef::Id(account.id), Act::ReadQuota).await.is_err());
}

#[pollster::test]
async fn a_key_finds_only_the_account_it_draws_from() {
    let owner = samples::user("owner");
    let other = Account { id: crate::id::AccountId::new(samples::created_at()), ..account_of(&owner) };
    let actor = by_key(&owner, vec![Scope::UsageRead]);
    assert!(resolve(&holding(&other), &actor, &AccountRef::Id(other.id), Act::ReadQuota).await.is_err());
    assert!(resolve(&holding(&account_of(&owner)), &actor, &AccountRef::Default, Act::ReadQuota).await.is_ok());
}

/// Finds a team's account on which `member` has the role.
fn shared(account: &Account, member: UserId, role: Option<MemberRole>) -> MockWork {
    let mut work = holding(account);
    work.memberships.expect_role_on().returning(move |_, user| Ok(role.filter(|_| user == member)));
    work
}

#[pollster::test]
async fn a_teams_account_is_found_by_its_members_for_what_their_role_allows() {
    let (owner, member) = (samples::user("owner"), samples::user("member"));
    let account = Account::team(owner.personal_account, owner.id, "team".to_owned(), samples::created_at());
    let work = shared(&account, member.id, Some(MemberRole::Member));
    let which = AccountRef::Id(account.id);
    assert!(resolve(&work, &member.as_actor(), &which, Act::Consume).await.is_ok());
    let forbidden = resolve(&work, &member.as_actor(), &which, Act::SetSpendCap).await;
    assert!(matches!(forbidden, Err(Error::Forbidden(_))));
    let stranger = resolve(&work, &samples::user("stranger").as_actor(), &which, Act::Consume).await;
    assert!(matches!(stranger, Err(Error::NotFound("account"))));
    let (_, only) = resolve_reader(&work, &member.as_actor(), &which).await.unwrap();
    assert_eq!(only, Some(member.id), "a plain member reads the own use");
    let admin = shared(&account, member.id, Some(MemberRole::Admin));
    assert_eq!(resolve_reader(&admin, &member.as_actor(), &which).await.unwrap().1, None);
}

#[pollster::test]
async fn a_key_on_a_teams_account_is_worth_no_more_than_its_users_membership() {
    let (owner, member) = (samples::user("owner"), samples::user("member"));
    let account = Account::team(owner.personal_account, owner.id, "team".to_owned(), samples::created_at());
    let key = KeyActor { account: account.id, ..by_key(&member, vec![Scope::UsageRead]).key.unwrap() };
    let actor = Actor { key: Some(key), ..member.as_actor() };
    let which = AccountRef::Default;
    let active = shared(&account, member.id, Some(MemberRole::Member));
    assert!(resolve(&active, &actor, &which, Act::ReadQuota).await.is_ok());
    let removed = shared(&account, member.id, None);
    assert!(matches!(resolve(&removed, &actor, &which, Act::ReadQuota).await, Err(Error::NotFound("account"))));
}

#[pollster::test]
async fn a_registration_that_lost_the_race_for_a_name_is_tried_again_and_finds_it_taken() {
    let mut lost = free_names();
    lost.users.expect_insert().returning(|_| Err(StoreError::Duplicate));
    let mut again = MockWork::default();
    again.users.expect_find_by_login().returning(|_| Ok(Some(samples::user("zhang"))));
    let store = Arc::new(MockStore::reading(free_names()).beginning(lost).beginning(again));
    let password = Password::choose("12345678").unwrap();
    let answer = registration(&store).register(wish("zhang"), &password, None).await;
    assert!(matches!(answer, Err(Error::Conflict { detail, .. }) if detail == "The username is taken."));
    assert_eq!(store.commits(), 0);
}
