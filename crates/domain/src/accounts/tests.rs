//! Tests of registration, access, keys and operators.

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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

fn keys(store: &Arc<MockStore>) -> KeyService {
    let mut meters = MockMeterScales::new();
    meters.expect_scale().returning(|meter| (meter == "traffic").then_some(5));
    let options = Arc::default();
    KeyService { store: store.clone(), clock: clock(), secrets: secrets(), meters: Arc::new(meters), options }
}

fn making_keys(owner: &User, count: usize) -> MockWork {
    let mut work = holding(&account_of(owner));
    let locked = owner.clone();
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    work.api_keys.expect_count().returning(move |_| Ok(count));
    work.api_keys.expect_insert().returning(|_| Ok(()));
    work.audit.expect_append().returning(|_| Ok(()));
    work
}

fn key_wish() -> KeyWish {
    let allowance = Some(("traffic".to_owned(), "1.5".to_owned()));
    KeyWish { name: "build server".to_owned(), allowance, ..KeyWish::default() }
}

#[tokio::test]
async fn the_hundredth_key_is_made_and_the_next_is_not() {
    let owner = samples::user("owner");
    for (count, made) in [(99, true), (100, false)] {
        let store = Arc::new(MockStore::default().beginning(making_keys(&owner, count)));
        let answer = keys(&store).create(&owner.as_actor(), key_wish()).await;
        assert_eq!((answer.is_ok(), store.commits()), (made, usize::from(made)));
    }
}

#[tokio::test]
async fn a_new_key_reads_and_writes_usage_and_its_allowance_is_in_atoms() {
    let owner = samples::user("owner");
    let store = Arc::new(MockStore::default().beginning(making_keys(&owner, 0)));
    let issued = keys(&store).create(&owner.as_actor(), key_wish()).await.unwrap();
    assert_eq!(issued.key.draft.scopes, [Scope::UsageRead, Scope::UsageWrite].to_vec());
    assert_eq!(issued.key.draft.allowance.unwrap().quantity, Quantity::atoms(150_000));
    assert_eq!((issued.key.token_hash, issued.key.account), (issued.token.hash(), owner.personal_account));
}

#[tokio::test]
async fn a_key_makes_no_keys_and_a_customer_no_service_key() {
    let owner = samples::user("owner");
    let answer =
        keys(&Arc::new(MockStore::default())).create(&by_key(&owner, vec![Scope::UsageWrite]), key_wish()).await;
    assert!(matches!(answer, Err(Error::Forbidden(_))));
    let store = Arc::new(MockStore::default().beginning(making_keys(&owner, 0)));
    let service = KeyWish { scopes: Some(vec!["service".to_owned()]), ..key_wish() };
    assert!(matches!(keys(&store).create(&owner.as_actor(), service).await, Err(Error::Forbidden(_))));
    assert_eq!(store.commits(), 0);
}

fn locking(user: &User) -> MockWork {
    let mut work = MockWork::default();
    let locked = user.clone();
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    work
}

/// A unit of work of an admin who makes a key on the account of somebody else.
fn making_a_key_elsewhere(admin: &User, account: &Account) -> MockWork {
    let mut work = locking(admin);
    work.accounts = holding(account).accounts;
    work.api_keys.expect_count().returning(|_| Ok(0));
    work.api_keys.expect_insert().returning(|_| Ok(()));
    work.audit.expect_append().returning(|_| Ok(()));
    work
}

#[tokio::test]
async fn a_key_on_somebody_elses_account_is_a_service_key_or_nothing() {
    let (admin, owner) = (User { role: Role::Admin, ..samples::user("admin") }, samples::user("owner"));
    let account = account_of(&owner);
    for (scope, made) in [("usage:write", false), ("admin", false), ("service", true)] {
        let store = Arc::new(MockStore::default().beginning(making_a_key_elsewhere(&admin, &account)));
        let (account, scopes) = (AccountRef::Id(account.id), Some(vec![scope.to_owned()]));
        let answer = keys(&store).create(&admin.as_actor(), KeyWish { account, scopes, ..key_wish() }).await;
        assert_eq!((answer.is_ok(), store.commits()), (made, usize::from(made)), "{scope}");
    }
}

#[tokio::test]
async fn a_service_key_on_somebody_elses_account_stays_one_and_the_role_of_now_gives_scopes() {
    let (admin, owner) = (User { role: Role::Admin, ..samples::user("admin") }, samples::user("owner"));
    let mut key = samples::api_key(&admin, &samples::token(TokenKind::ApiKey, 1));
    key.draft.scopes = vec![Scope::Service];
    let own = account_of(&admin);
    let elsewhere = account_of(&owner);
    let demoted = User { role: Role::User, ..admin.clone() };
    for (now, account, scope, done) in [
        (&admin, &elsewhere, "usage:read", false),
        (&admin, &own, "usage:read", true),
        (&admin, &own, "admin", true),
        (&demoted, &own, "admin", false),
    ] {
        let key = ApiKey { account: account.id, ..key.clone() };
        let mut work = locking(now);
        work.accounts = holding(account).accounts;
        work.api_keys.expect_lock().returning(move |_, _| Ok(Some(key.clone())));
        work.api_keys.expect_save().returning(|_| Ok(()));
        work.audit.expect_append().returning(|_| Ok(()));
        let store = Arc::new(MockStore::default().beginning(work));
        let change = KeyChange { scopes: Some(vec![scope.to_owned()]), ..KeyChange::default() };
        let id = crate::id::ApiKeyId::new(samples::created_at());
        let answer = keys(&store).update(&admin.as_actor(), id, change).await;
        assert!(matches!((&answer, done), (Ok(_), true) | (Err(Error::Forbidden(_)), false)), "{scope}: {answer:?}");
    }
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_clears_what_is_null() {
    let owner = samples::user("owner");
    let mut key = samples::api_key(&owner, &samples::token(TokenKind::ApiKey, 1));
    key.draft.requests_per_minute = Some(5);
    let before = key.clone();
    let mut work = locking(&owner);
    work.api_keys.expect_lock().returning(move |_, _| Ok(Some(key.clone())));
    work.api_keys.expect_save().returning(|_| Ok(()));
    work.audit.expect_append().times(1).returning(|_| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    let change = KeyChange {
        requests_per_minute: Change::Clear,
        models: Change::Set(vec!["gpt-4o".to_owned()]),
        ..KeyChange::default()
    };
    let after = keys(&store).update(&owner.as_actor(), before.id, change).await.unwrap();
    assert_eq!((after.draft.requests_per_minute, after.draft.models), (None, Some(vec!["gpt-4o".to_owned()])));
    assert_eq!((after.draft.name, after.token_hash), (before.draft.name, before.token_hash));
}

#[tokio::test]
async fn another_users_key_is_not_found() {
    let zhang = samples::user("zhang");
    let mut work = locking(&zhang);
    work.api_keys.expect_lock().returning(|_, _| Ok(None::<ApiKey>));
    let store = Arc::new(MockStore::default().beginning(work));
    let id = crate::id::ApiKeyId::new(samples::created_at());
    let answer = keys(&store).rotate(&zhang.as_actor(), id).await;
    assert!(matches!(answer, Err(Error::NotFound("API key"))));
}

fn operating(target: &User, roots: Vec<UserId>) -> MockWork {
    let mut work = MockWork::default();
    let locked = target.clone();
    work.users.expect_lock_roots().returning(move || Ok(roots.clone()));
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    work.users.expect_save().returning(|_| Ok(()));
    work.audit.expect_append().returning(|_| Ok(()));
    work
}

async fn order(actor: &User, target: &User, work: MockWork, order: UserOrder) -> crate::error::Result<User> {
    let store = Arc::new(MockStore::default().beginning(work));
    OperatorService { store, clock: clock() }.update_user(&actor.as_actor(), target.id, order).await
}

fn role(role: Role) -> UserOrder {
    UserOrder { role: Some(role), ..UserOrder::default() }
}

fn disable() -> UserOrder {
    UserOrder { status: Some(UserStatus::Disabled), ..UserOrder::default() }
}

#[tokio::test]
async fn disabling_a_user_ends_sessions_and_keys() {
    let (admin, user) = (User { role: Role::Admin, ..samples::user("admin") }, samples::user("user"));
    let mut work = operating(&user, vec![]);
    work.sessions.expect_end_all().times(1).returning(|_, _| Ok(()));
    work.api_keys.expect_revoke_all().times(1).returning(|_, _, _| Ok(2));
    assert!(!order(&admin, &user, work, disable()).await.unwrap().may_act());
}

#[tokio::test]
async fn who_is_no_operator_any_more_loses_the_keys_that_only_operators_have() {
    let root = User { role: Role::Root, ..samples::user("root") };
    let admin = User { role: Role::Admin, ..samples::user("admin") };
    for (next, revoked) in [(Role::User, 1), (Role::Root, 0)] {
        let mut work = operating(&admin, vec![root.id]);
        work.api_keys.expect_revoke_operating().times(revoked).returning(|_, _| Ok(1));
        assert!(order(&root, &admin, work, role(next)).await.is_ok());
    }
}

#[tokio::test]
async fn only_a_root_gives_roles_and_an_admin_does_not_touch_equals() {
    let admin = User { role: Role::Admin, ..samples::user("admin") };
    let (user, other) = (samples::user("user"), User { role: Role::Admin, ..samples::user("other") });
    let gives = order(&admin, &user, operating(&user, vec![]), role(Role::Admin)).await;
    let touches = order(&admin, &other, operating(&other, vec![]), disable()).await;
    assert!(matches!(gives, Err(Error::Forbidden(_))) && matches!(touches, Err(Error::Forbidden(_))));
    let root = User { role: Role::Root, ..samples::user("root") };
    assert!(order(&root, &user, operating(&user, vec![root.id]), role(Role::Admin)).await.is_ok());
}

#[tokio::test]
async fn the_last_root_can_neither_step_down_nor_be_disabled() {
    let root = User { role: Role::Root, ..samples::user("root") };
    for change in [role(Role::User), disable()] {
        let answer = order(&root, &root, operating(&root, vec![root.id]), change).await;
        assert!(matches!(answer, Err(Error::Conflict { .. })));
    }
    let another = UserId::new(samples::created_at());
    let mut work = operating(&root, vec![root.id, another]);
    work.api_keys.expect_revoke_operating().times(1).returning(|_, _| Ok(0));
    let answer = order(&root, &root, work, role(Role::User)).await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn customers_are_no_operators() {
    let user = samples::user("user");
    assert!(matches!(order(&user, &user, MockWork::default(), disable()).await, Err(Error::Forbidden(_))));
}

#[tokio::test]
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
