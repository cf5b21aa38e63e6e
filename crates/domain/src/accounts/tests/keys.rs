//! API keys: who makes which, and for whom.

use super::*;

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

#[pollster::test]
async fn the_hundredth_key_is_made_and_the_next_is_not() {
    let owner = samples::user("owner");
    for (count, made) in [(99, true), (100, false)] {
        let store = Arc::new(MockStore::default().beginning(making_keys(&owner, count)));
        let answer = keys(&store).create(&owner.as_actor(), key_wish()).await;
        assert_eq!((answer.is_ok(), store.commits()), (made, usize::from(made)));
    }
}

#[pollster::test]
async fn a_new_key_reads_and_writes_usage_and_its_allowance_is_in_atoms() {
    let owner = samples::user("owner");
    let store = Arc::new(MockStore::default().beginning(making_keys(&owner, 0)));
    let issued = keys(&store).create(&owner.as_actor(), key_wish()).await.unwrap();
    assert_eq!(issued.key.draft.scopes, [Scope::UsageRead, Scope::UsageWrite].to_vec());
    assert_eq!(issued.key.draft.allowance.unwrap().quantity, Quantity::atoms(150_000));
    assert_eq!((issued.key.token_hash, issued.key.account), (issued.token.hash(), owner.personal_account));
}

#[pollster::test]
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

#[pollster::test]
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

#[pollster::test]
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

#[pollster::test]
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

#[pollster::test]
async fn another_users_key_is_not_found() {
    let zhang = samples::user("zhang");
    let mut work = locking(&zhang);
    work.api_keys.expect_lock().returning(|_, _| Ok(None::<ApiKey>));
    let store = Arc::new(MockStore::default().beginning(work));
    let id = crate::id::ApiKeyId::new(samples::created_at());
    let answer = keys(&store).rotate(&zhang.as_actor(), id).await;
    assert!(matches!(answer, Err(Error::NotFound("API key"))));
}
