//! Users, sessions, keys, throttles and accounts in the database.

use chrono::{DateTime, TimeDelta, Utc};
use domain::accounts::{Account, AccountStatus};
use domain::actor::{Role, Scope};
use domain::id::{AccountId, ApiKeyId};
use domain::identity::{
    ApiKey, Email, IpAllowList, KeyAllowance, Login, LoginThrottle, Phone, Session, ThrottleKey, TokenKind, User,
    UserStatus, samples,
};
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use domain::store::{Repositories, Store, StoreError};
use harness::db_test;
use infra::db::Database;
use serde_json::json;

fn now() -> DateTime<Utc> {
    samples::created_at() + TimeDelta::microseconds(123_456)
}

async fn insert_user(database: &Database, user: &User) -> Result<(), StoreError> {
    let work = database.begin().await?;
    work.users().insert(user).await?;
    work.commit().await
}

async fn insert_key(database: &Database, key: &ApiKey) {
    let work = database.begin().await.unwrap();
    work.api_keys().insert(key).await.unwrap();
    work.commit().await.unwrap();
}

db_test!(a_user_reads_back_whole_under_each_of_its_names, async |database: &Database| {
    let mut user = samples::user("𠮷野家");
    user.email = Some(Email::parse("zhang@example.cn").unwrap());
    user.phone = Some(Phone::parse("+8613800138000").unwrap());
    user.profile.settings = json!({"ai_model": "gpt-4o", "emoji": "👩‍💻"});
    user.last_login_at = Some(now());
    insert_user(database, &user).await.unwrap();
    for name in ["𠮷野家", "ZHANG@example.cn", "+8613800138000"] {
        let found = database.users().find_by_login(&Login::parse(name).unwrap()).await.unwrap();
        assert_eq!(found.as_ref(), Some(&user), "{name}");
    }
    let changed = User { role: Role::Root, status: UserStatus::Disabled, email: None, updated_at: now(), ..user };
    let work = database.begin().await.unwrap();
    work.users().lock(changed.id).await.unwrap().unwrap();
    work.users().save(&changed).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.users().find(changed.id).await.unwrap(), Some(changed));
});

db_test!(a_taken_name_is_a_duplicate_and_a_similar_one_is_not, async |database: &Database| {
    insert_user(database, &samples::user("zhang")).await.unwrap();
    let again = insert_user(database, &samples::user("zhang")).await;
    assert!(matches!(again, Err(StoreError::Duplicate)));
    for other in ["zhang.", "zháng", "zhang2"] {
        insert_user(database, &samples::user(other)).await.unwrap();
    }
    let mut nameless = samples::user("a");
    nameless.username = None;
    insert_user(database, &nameless).await.unwrap();
    insert_user(database, &User { id: domain::id::UserId::new(now()), ..nameless }).await.unwrap();
});

db_test!(only_roots_that_may_act_are_counted_as_roots, async |database: &Database| {
    let root = User { role: Role::Root, ..samples::user("root") };
    let disabled = User { role: Role::Root, status: UserStatus::Disabled, ..samples::user("former") };
    for user in [&root, &disabled, &samples::user("customer")] {
        insert_user(database, user).await.unwrap();
    }
    let work = database.begin().await.unwrap();
    assert_eq!(work.users().lock_roots().await.unwrap(), [root.id]);
});

db_test!(users_are_listed_newest_first_and_page_by_page, async |database: &Database| {
    let mut users: Vec<User> = Vec::new();
    for n in 0..5 {
        let user =
            User { id: domain::id::UserId::new(now() + TimeDelta::seconds(n)), ..samples::user(&format!("user{n}")) };
        insert_user(database, &user).await.unwrap();
        users.insert(0, user);
    }
    let first = database.users().list(PageRequest { limit: 3, before: None }).await.unwrap();
    let second = database.users().list(PageRequest { limit: 3, before: first.next }).await.unwrap();
    assert_eq!((first.rows.as_slice(), second.rows.as_slice()), (&users[..3], &users[3..]));
    assert_eq!(second.next, None);
});

db_test!(ending_all_sessions_but_one_leaves_one_and_other_users_alone, async |database: &Database| {
    let (user, other) = (samples::user("user"), samples::user("other"));
    let session = |owner: &User, byte| {
        let token = samples::token(TokenKind::Session, byte);
        let ip = Some("2001:db8::1".parse().unwrap());
        Session { ip, ..Session::new(owner.id, token.hash(), TimeDelta::days(30), now()) }
    };
    let sessions = [session(&user, 1), session(&user, 2), session(&other, 3)];
    let work = database.begin().await.unwrap();
    for session in &sessions {
        work.sessions().insert(session).await.unwrap();
    }
    work.sessions().end_all(user.id, Some(sessions[0].id)).await.unwrap();
    work.commit().await.unwrap();
    for (session, stays) in sessions.iter().zip([true, false, true]) {
        let found = database.sessions().find_by_hash(session.token_hash).await.unwrap();
        assert_eq!(found, stays.then(|| session.clone()));
    }
    let work = database.begin().await.unwrap();
    work.sessions().end(other.id, sessions[0].id).await.unwrap();
    assert!(work.sessions().find_by_hash(sessions[0].token_hash).await.unwrap().is_some());
    let late = sessions[0].expires_at + TimeDelta::microseconds(1);
    assert_eq!(work.sessions().delete_expired(late).await.unwrap(), 2);
});

fn full_key(owner: &User) -> ApiKey {
    let mut key = samples::api_key(owner, &samples::token(TokenKind::ApiKey, 1));
    let allowance = |quantity, used| KeyAllowance {
        meter: "traffic".to_owned(),
        quantity: Quantity::atoms(quantity),
        used: Quantity::atoms(used),
        held: Quantity::atoms(3),
    };
    key.draft.allowance = Some(allowance(i64::MAX, 5));
    key.draft.models = Some(vec!["gpt-4o".to_owned(), "通义".to_owned()]);
    key.draft.allowed_ips = Some(IpAllowList::parse(&["10.0.0.0/8".to_owned(), "2001:db8::1".to_owned()]).unwrap());
    key.draft.expires_at = Some(now());
    key.draft.requests_per_minute = Some(60);
    key
}

db_test!(a_key_reads_back_whole_and_only_for_its_owner, async |database: &Database| {
    let (owner, stranger) = (samples::user("owner"), samples::user("stranger"));
    let key = full_key(&owner);
    insert_key(database, &key).await;
    assert_eq!(database.api_keys().find_by_hash(key.token_hash).await.unwrap().as_ref(), Some(&key));
    assert_eq!(database.api_keys().find(owner.id, key.id).await.unwrap().as_ref(), Some(&key));
    assert_eq!(database.api_keys().find(stranger.id, key.id).await.unwrap(), None);
    assert_eq!(database.api_keys().count(stranger.id).await.unwrap(), 0);
});

db_test!(a_rotated_key_opens_with_its_new_secret_only_and_keeps_its_last_use, async |database: &Database| {
    let owner = samples::user("owner");
    let key = full_key(&owner);
    insert_key(database, &key).await;
    let next = samples::token(TokenKind::ApiKey, 2);
    let work = database.begin().await.unwrap();
    work.api_keys().touch(owner.id, key.id, now()).await.unwrap();
    work.api_keys().touch(owner.id, key.id, now() - TimeDelta::seconds(1)).await.unwrap();
    work.api_keys().save(&key.clone().rotated(&next, now())).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.api_keys().find_by_hash(key.token_hash).await.unwrap(), None);
    let found = database.api_keys().find_by_hash(next.hash()).await.unwrap().unwrap();
    assert_eq!((found.id, found.last_used_at), (key.id, Some(now())));
});

db_test!(revoking_by_account_leaves_the_other_accounts_keys, async |database: &Database| {
    let owner = samples::user("owner");
    let personal = full_key(&owner);
    let mut team = samples::api_key(&owner, &samples::token(TokenKind::ApiKey, 2));
    team.account = AccountId::new(now());
    for key in [&personal, &team] {
        insert_key(database, key).await;
    }
    let work = database.begin().await.unwrap();
    assert_eq!(work.api_keys().revoke_all(owner.id, Some(team.account), now()).await.unwrap(), 1);
    work.commit().await.unwrap();
    let listed = database.api_keys().list(owner.id, PageRequest::default()).await.unwrap();
    assert_eq!(listed.rows, [personal]);
    let revoked = database.api_keys().find_by_hash(team.token_hash).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(now()));
});

db_test!(revoking_an_operators_keys_leaves_those_that_any_user_may_have, async |database: &Database| {
    let (owner, other) = (samples::user("owner"), samples::user("other"));
    let mut work = database.begin().await.unwrap();
    for user in [&owner, &other] {
        let account = Account::personal(user.personal_account, user.id, "name".to_owned(), now());
        work.accounts().insert(&account).await.unwrap();
    }
    work.commit().await.unwrap();
    let scoped = |byte, account, scope: &str| {
        let mut key = samples::api_key(&owner, &samples::token(TokenKind::ApiKey, byte));
        (key.account, key.draft.scopes) = (account, vec![Scope::parse(scope).unwrap()]);
        key
    };
    let plain = scoped(1, owner.personal_account, "services");
    let operating = [
        scoped(2, owner.personal_account, "service"),
        scoped(3, owner.personal_account, "admin"),
        scoped(4, other.personal_account, "usage:write"),
    ];
    let strangers = samples::api_key(&other, &samples::token(TokenKind::ApiKey, 5));
    for key in operating.iter().chain([&plain, &strangers]) {
        insert_key(database, key).await;
    }
    work = database.begin().await.unwrap();
    assert_eq!(work.api_keys().revoke_operating(owner.id, now()).await.unwrap(), 3);
    work.commit().await.unwrap();
    let left = async |user: &User| database.api_keys().list(user.id, PageRequest::default()).await.unwrap().rows;
    assert_eq!((left(&owner).await, left(&other).await), (vec![plain], vec![strangers]));
});

db_test!(what_is_used_of_an_allowance_is_written_for_the_locked_keys_only, async |database: &Database| {
    let owner = samples::user("owner");
    let limited = full_key(&owner);
    let unlimited = samples::api_key(&owner, &samples::token(TokenKind::ApiKey, 2));
    for key in [&limited, &unlimited] {
        insert_key(database, key).await;
    }
    let work = database.begin().await.unwrap();
    let none: [ApiKeyId; 0] = [];
    assert!(work.api_keys().lock_allowances(&none).await.unwrap().is_empty());
    let mut locked = work.api_keys().lock_allowances(&[unlimited.id, limited.id]).await.unwrap();
    assert_eq!(locked.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [limited.id]);
    locked[0].1.used = Quantity::atoms(77);
    locked[0].1.held = Quantity::atoms(9);
    work.api_keys().save_allowances(&locked, now()).await.unwrap();
    work.commit().await.unwrap();
    let found = database.api_keys().find(owner.id, limited.id).await.unwrap().unwrap();
    let saved = found.draft.allowance.unwrap();
    assert_eq!((saved.used, saved.held), (Quantity::atoms(77), Quantity::atoms(9)));
});

db_test!(a_throttle_counts_up_and_is_cleared, async |database: &Database| {
    let key = ThrottleKey::login("zhang");
    let first = LoginThrottle::first_failure(key.clone(), now());
    let work = database.begin().await.unwrap();
    assert_eq!(work.throttles().lock(&key).await.unwrap(), None);
    work.throttles().insert(&first).await.unwrap();
    let locked = (0..4).fold(first, |throttle, _| throttle.after_failure(now()));
    work.throttles().save(&locked).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.throttles().find(&key).await.unwrap(), Some(locked));
    let work = database.begin().await.unwrap();
    assert_eq!(work.throttles().delete_stale(now()).await.unwrap(), 0);
    work.throttles().clear(&key).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.throttles().find(&key).await.unwrap(), None);
});

db_test!(an_account_reads_back_and_its_external_id_is_its_own, async |database: &Database| {
    let owner = samples::user("owner");
    let mut account = Account::personal(owner.personal_account, owner.id, "张小三".to_owned(), now());
    account.external_id = Some("crm-7".to_owned());
    account.spend_cap = Some(Money::parse("100.00", Currency::CNY).unwrap());
    let other = Account { id: AccountId::new(now()), external_id: Some("CRM-7".to_owned()), ..account.clone() };
    let work = database.begin().await.unwrap();
    work.accounts().insert(&account).await.unwrap();
    work.accounts().insert(&other).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.accounts().find_by_external_id("crm-7").await.unwrap().as_ref(), Some(&account));
    let work = database.begin().await.unwrap();
    let both = work.accounts().lock_many(&[other.id, account.id]).await.unwrap();
    assert_eq!(both.len(), 2);
    let frozen = Account { status: AccountStatus::Frozen, spend_cap: None, ..account };
    work.accounts().save(&frozen).await.unwrap();
    let taken = work.accounts().save(&Account { external_id: Some("CRM-7".to_owned()), ..frozen.clone() }).await;
    assert!(matches!(taken, Err(StoreError::Duplicate)));
    drop(work);
    let work = database.begin().await.unwrap();
    work.accounts().save(&frozen).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(database.accounts().find(frozen.id).await.unwrap(), Some(frozen));
});
