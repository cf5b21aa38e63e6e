//! Tests of logging in, of callers and of profiles.

use super::*;
use crate::error::Error;
use crate::id::SessionId;
use crate::identity::{
    LoginThrottle, MockPasswordHasher, MockSecretSource, Password, PasswordHash, Session, ThrottleKey, TokenKind, User,
    UserStatus, samples,
};
use crate::testing::{FixedClock, MockStore, MockWork};
use chrono::TimeDelta;
use mockall::predicate::eq;

fn hasher() -> MockPasswordHasher {
    let mut hasher = MockPasswordHasher::new();
    hasher.expect_verify().returning(|password, hash| Ok(hash.expose() == format!("hash-of-{}", password.expose())));
    hasher.expect_dummy().returning(|| PasswordHash::from_phc("dummy".to_owned()));
    hasher.expect_hash().returning(|password| Ok(PasswordHash::from_phc(format!("hash-of-{}", password.expose()))));
    hasher
}

fn service(store: Arc<MockStore>) -> IdentityService {
    let mut secrets = MockSecretSource::new();
    secrets.expect_random().returning(|| Ok([9; 32]));
    IdentityService {
        store,
        clock: Arc::new(FixedClock(samples::created_at())),
        hasher: Arc::new(hasher()),
        secrets: Arc::new(secrets),
        session_lifetime: TimeDelta::days(30),
    }
}

fn reading(found: Option<User>, throttle: Option<LoginThrottle>) -> MockWork {
    let mut reads = MockWork::default();
    reads.throttles.expect_find().returning(move |_| Ok(throttle.clone()));
    reads.users.expect_find_by_login().returning(move |_| Ok(found.clone()));
    reads
}

fn locked() -> LoginThrottle {
    let now = samples::created_at();
    let first = LoginThrottle::first_failure(ThrottleKey::login("zhang"), now);
    (0..4).fold(first, |throttle, _| throttle.after_failure(now))
}

fn counting_a_failure() -> MockWork {
    let mut work = MockWork::default();
    work.throttles.expect_lock().returning(|_| Ok(None));
    work.throttles.expect_insert().times(2).returning(|_| Ok(()));
    work
}

fn admitting(user: User, throttle: Option<LoginThrottle>) -> MockWork {
    let mut work = reading(None, throttle);
    work.users.expect_lock().returning(move |_| Ok(Some(user.clone())));
    work.throttles.expect_clear().with(eq(ThrottleKey::login("zhang"))).returning(|_| Ok(()));
    work.users.expect_save().withf(|user| user.last_login_at.is_some()).returning(|_| Ok(()));
    work.sessions.expect_insert().returning(|_| Ok(()));
    work
}

async fn log_in(store: &Arc<MockStore>, password: &str) -> crate::error::Result<LoggedIn> {
    service(store.clone()).log_in("Zhang", password, Some("10.0.0.1".parse().unwrap())).await
}

#[pollster::test]
async fn the_right_password_opens_a_session_and_clears_the_failures_of_the_name() {
    let user = samples::user("zhang");
    let store = MockStore::reading(reading(Some(user.clone()), None)).beginning(admitting(user, None));
    let store = Arc::new(store);
    let opened = log_in(&store, "zhang").await.unwrap();
    assert_eq!(opened.token.kind(), TokenKind::Session);
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_wrong_password_an_unknown_name_and_a_disabled_user_are_counted_and_answered_alike() {
    let disabled = User { status: UserStatus::Disabled, ..samples::user("zhang") };
    for (found, password) in [(Some(samples::user("zhang")), "wrong"), (None, "zhang"), (Some(disabled), "zhang")] {
        let store = Arc::new(MockStore::reading(reading(found, None)).beginning(counting_a_failure()));
        assert!(matches!(log_in(&store, password).await, Err(Error::Unauthenticated)));
        assert_eq!(store.commits(), 1);
    }
}

#[pollster::test]
async fn a_locked_name_is_not_even_looked_up() {
    let mut reads = MockWork::default();
    reads.throttles.expect_find().returning(|_| Ok(Some(locked())));
    let store = Arc::new(MockStore::reading(reads));
    let answer = log_in(&store, "zhang").await;
    assert!(matches!(answer, Err(Error::RateLimited { retry_after_seconds: 60 })));
}

#[pollster::test]
async fn a_right_guess_among_many_sent_at_once_is_refused_when_the_others_locked_the_name() {
    let user = samples::user("zhang");
    let work = admitting(user.clone(), Some(locked()));
    let store = Arc::new(MockStore::reading(reading(Some(user), None)).beginning(work));
    assert!(matches!(log_in(&store, "zhang").await, Err(Error::RateLimited { .. })));
    assert_eq!(store.commits(), 0);
}

#[pollster::test]
async fn a_password_that_was_changed_while_it_was_verified_opens_nothing() {
    let user = samples::user("zhang");
    let changed = User { password_hash: Some(PasswordHash::from_phc("hash-of-another".to_owned())), ..user.clone() };
    let work = admitting(changed, None);
    let store = Arc::new(MockStore::reading(reading(Some(user), None)).beginning(work));
    assert!(matches!(log_in(&store, "zhang").await, Err(Error::Unauthenticated)));
    assert_eq!(store.commits(), 0);
}

fn session_of(user: &User, token: &crate::identity::Token) -> Session {
    Session::new(user.id, token.hash(), TimeDelta::days(30), samples::created_at() - TimeDelta::days(1))
}

#[pollster::test]
async fn a_session_is_its_user_until_it_expires() {
    let (user, token) = (samples::user("zhang"), samples::token(TokenKind::Session, 1));
    for (expires_in, welcome) in [(TimeDelta::microseconds(1), true), (TimeDelta::zero(), false)] {
        let session = Session { expires_at: samples::created_at() + expires_in, ..session_of(&user, &token) };
        let mut reads = MockWork::default();
        reads.sessions.expect_find_by_hash().with(eq(token.hash())).returning(move |_| Ok(Some(session.clone())));
        let found = user.clone();
        reads.users.expect_find().returning(move |_| Ok(Some(found.clone())));
        let answer = service(Arc::new(MockStore::reading(reads))).authenticate(token.expose(), None).await;
        assert_eq!(answer.is_ok_and(|caller| caller.actor.user == user.id && caller.session.is_some()), welcome);
    }
}

#[pollster::test]
async fn a_key_is_its_user_with_the_keys_limits_and_its_use_is_noted() {
    let (user, token) = (samples::user("zhang"), samples::token(TokenKind::ApiKey, 1));
    let mut key = samples::api_key(&user, &token);
    key.draft.requests_per_minute = Some(7);
    let (id, owner) = (key.id, user.clone());
    let mut reads = MockWork::default();
    reads.api_keys.expect_find_by_hash().with(eq(token.hash())).returning(move |_| Ok(Some(key.clone())));
    reads.users.expect_find().returning(move |_| Ok(Some(owner.clone())));
    let mut work = MockWork::default();
    work.api_keys.expect_touch().times(1).returning(|_, _, _| Ok(()));
    let store = Arc::new(MockStore::reading(reads).beginning(work));
    let caller = service(store.clone()).authenticate(token.expose(), None).await.unwrap();
    assert_eq!(caller.actor.key.map(|key| key.id), Some(id));
    assert_eq!((caller.requests_per_minute, caller.session, store.commits()), (Some(7), None, 1));
}

#[pollster::test]
async fn a_token_of_another_form_asks_no_database() {
    for text in ["", "Bearer", "sk-1", "ses-zz"] {
        let answer = service(Arc::new(MockStore::default())).authenticate(text, None).await;
        assert!(matches!(answer, Err(Error::Unauthenticated)));
    }
}

fn in_session(user: &User) -> Authenticated {
    let session = Some(SessionId::new(samples::created_at()));
    Authenticated { actor: user.as_actor(), session, requests_per_minute: None }
}

fn new_password(old: &str) -> ProfileChange {
    let password = PasswordChange { old: Password::presented(old), new: Password::choose("new-password").unwrap() };
    ProfileChange { password: Some(password), ..ProfileChange::default() }
}

#[pollster::test]
async fn a_new_password_ends_all_other_sessions() {
    let user = samples::user("zhang");
    let caller = in_session(&user);
    let (mut reads, mut work) = (MockWork::default(), MockWork::default());
    let (found, locked) = (user.clone(), user.clone());
    reads.users.expect_find().returning(move |_| Ok(Some(found.clone())));
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    work.sessions.expect_end_all().with(eq(user.id), eq(caller.session)).times(1).returning(|_, _| Ok(()));
    work.audit.expect_append().times(1).returning(|_| Ok(()));
    work.users.expect_save().returning(|_| Ok(()));
    let store = Arc::new(MockStore::reading(reads).beginning(work));
    let after = service(store.clone()).update_me(&caller, new_password("zhang")).await.unwrap();
    assert_eq!(after.password_hash.unwrap().expose(), "hash-of-new-password");
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_new_password_needs_the_old_one_and_an_api_key_changes_nothing() {
    let user = samples::user("zhang");
    let mut reads = MockWork::default();
    let found = user.clone();
    reads.users.expect_find().returning(move |_| Ok(Some(found.clone())));
    let service = service(Arc::new(MockStore::reading(reads)));
    let answer = service.update_me(&in_session(&user), new_password("guess")).await;
    assert!(matches!(answer, Err(Error::Invalid(fields)) if fields[0].field == "old_password"));
    let mut by_key = in_session(&user);
    by_key.actor.key = Some(samples::api_key(&user, &samples::token(TokenKind::ApiKey, 1)).as_actor(&user));
    assert!(matches!(service.update_me(&by_key, ProfileChange::default()).await, Err(Error::Forbidden(_))));
}
