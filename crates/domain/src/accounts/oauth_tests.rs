//! Tests of logging in through other providers and of linking identities, with mocks.

use super::*;
use crate::identity::{
    Authenticated, Email, MockIdentityProviders, MockPasswordHasher, MockSecretSource, OAuthFlow, ProviderSummary,
    Session, UserStatus, samples,
};
use crate::site_options::{LiveOptions, SiteOptions};
use crate::store::StoreError;
use crate::testing::{FixedClock, MockStore, MockWork};
use chrono::TimeDelta;
use std::sync::Mutex;

fn github() -> ProviderName {
    ProviderName::parse("github").unwrap()
}

fn who() -> ExternalIdentity {
    ExternalIdentity::read("42", Some("Zhang"), Some("z@example.cn"), true).unwrap()
}

fn providers(who: Option<ExternalIdentity>) -> MockIdentityProviders {
    let mut providers = MockIdentityProviders::new();
    let summary = ProviderSummary { name: github(), kind: "github", label: "GitHub".to_owned() };
    providers.expect_list().returning(move || vec![summary.clone()]);
    providers.expect_authorization_url().returning(|_, _| Ok("https://github.example/authorize".to_owned()));
    providers.expect_identify().returning(move |_, _, _| who.clone().ok_or(Error::Forbidden("no")));
    providers
}

fn service(store: &Arc<MockStore>, providers: MockIdentityProviders, open: bool) -> OAuthService {
    let mut secrets = MockSecretSource::new();
    let next = Mutex::new(0_u8);
    secrets.expect_random().returning(move || {
        let mut next = next.lock().unwrap();
        *next += 1;
        Ok([*next; 32])
    });
    let options = LiveOptions::default();
    options.replace(SiteOptions { registration_open: open, ..SiteOptions::default() });
    let registration = RegistrationService {
        store: store.clone(),
        clock: Arc::new(FixedClock(samples::created_at())),
        hasher: Arc::new(MockPasswordHasher::new()),
        secrets: Arc::new(secrets),
        session_lifetime: TimeDelta::days(30),
        options: Arc::new(options),
        hook: Arc::new(()),
    };
    OAuthService { registration, providers: Arc::new(providers) }
}

fn secrets() -> FlowSecrets {
    let token = |kind, byte| Token::from_random(kind, [byte; 32]);
    FlowSecrets { state: token(TokenKind::OAuthState, 1), browser: token(TokenKind::OAuthBrowser, 2) }
}

fn flow(purpose: Purpose) -> OAuthFlow {
    OAuthFlow::begun(&secrets(), github(), purpose, samples::created_at())
}

fn log_in_flow() -> OAuthFlow {
    flow(Purpose::LogIn { challenge: None })
}

/// A unit of work in which the flow is found and taken.
fn taking(flow: OAuthFlow, taken: bool) -> MockWork {
    let mut work = MockWork::default();
    work.oauth_flows.expect_find().returning(move |_| Ok(Some(flow.clone())));
    work.oauth_flows.expect_take().returning(move |_| Ok(taken));
    work
}

async fn finish(store: &Arc<MockStore>, providers: MockIdentityProviders, open: bool) -> Result<Ended> {
    let secrets = secrets();
    let returned = Returned { state: secrets.state.expose(), browser: secrets.browser.expose() };
    let proof = Proof::Code("code".to_owned());
    service(store, providers, open).finish(&github(), returned, Some(&proof), None).await
}

fn nobody_knows_it(work: &mut MockWork) {
    work.oauth_identities.expect_find_by_subject().returning(|_, _| Ok(None));
}

fn making_a_user(email_taken: bool, given: bool) -> MockWork {
    let mut work = MockWork::default();
    nobody_knows_it(&mut work);
    let other = samples::user("other");
    work.users.expect_find_by_login().returning(move |_| Ok(email_taken.then(|| other.clone())));
    work.users
        .expect_insert()
        .withf(move |user| user.email.is_some() == given && user.password_hash.is_none())
        .times(1)
        .returning(|_| Ok(()));
    work.accounts.expect_insert().times(1).returning(|_| Ok(()));
    work.oauth_identities.expect_insert().times(1).returning(|_| Ok(()));
    work.sessions.expect_insert().times(1).returning(|_| Ok(()));
    work.audit.expect_append().withf(|event| event.action == "identity.link").times(1).returning(|_| Ok(()));
    work
}

#[pollster::test]
async fn what_is_begun_is_stored_before_the_browser_leaves() {
    let mut work = MockWork::default();
    work.oauth_flows.expect_insert().withf(|flow| flow.belongs_to(&secrets(), &github())).returning(|_| Ok(()));
    let store = Arc::new(MockStore::default().beginning(work));
    let begun = service(&store, providers(None), true).begin_log_in(&github(), None, None).await.unwrap();
    assert_eq!((begun.browser, store.commits()), (secrets().browser, 1));
}

#[pollster::test]
async fn an_unknown_identity_becomes_a_new_user_and_never_another_with_the_same_address() {
    for email_taken in [false, true] {
        let store = MockStore::default()
            .beginning(taking(log_in_flow(), true))
            .beginning(making_a_user(email_taken, !email_taken));
        let store = Arc::new(store);
        let ended = finish(&store, providers(Some(who())), true).await.unwrap();
        let Ended::LoggedIn(opened) = ended else { panic!("{ended:?}") };
        assert_eq!(opened.user.email, (!email_taken).then(|| Email::parse("z@example.cn").unwrap()));
        assert_eq!(store.commits(), 2);
    }
}

#[pollster::test]
async fn an_address_that_the_provider_did_not_verify_is_not_given_to_the_new_user() {
    let unverified = ExternalIdentity { email_verified: false, ..who() };
    let store = MockStore::default().beginning(taking(log_in_flow(), true)).beginning(making_a_user(false, false));
    let store = Arc::new(store);
    assert!(finish(&store, providers(Some(unverified)), true).await.is_ok());
}

#[pollster::test]
async fn while_registration_is_closed_only_known_identities_come_in() {
    let mut work = MockWork::default();
    nobody_knows_it(&mut work);
    let store = Arc::new(MockStore::default().beginning(taking(log_in_flow(), true)).beginning(work));
    assert!(matches!(finish(&store, providers(Some(who())), false).await, Err(Error::Forbidden(_))));
    assert_eq!(store.commits(), 1);
}

#[pollster::test]
async fn a_flow_that_another_took_or_that_is_another_browsers_or_over_asks_no_provider() {
    let elsewhere = OAuthFlow { browser_hash: secrets().state.hash(), ..log_in_flow() };
    let over = OAuthFlow { expires_at: samples::created_at(), ..log_in_flow() };
    for (flow, taken) in [(log_in_flow(), false), (elsewhere, true), (over, true)] {
        let store = Arc::new(MockStore::default().beginning(taking(flow, taken)));
        let mut asked = MockIdentityProviders::new();
        asked.expect_identify().never();
        assert!(matches!(finish(&store, asked, true).await, Err(Error::Forbidden(_))));
        assert_eq!(store.commits(), 0);
    }
}

#[pollster::test]
async fn a_flow_is_used_up_even_when_the_provider_refuses() {
    let store = Arc::new(MockStore::default().beginning(taking(log_in_flow(), true)));
    assert!(matches!(finish(&store, providers(None), true).await, Err(Error::Forbidden("no"))));
    assert_eq!(store.commits(), 1);
}

fn known(user: &User) -> MockWork {
    let identity = OAuthIdentity::new(user.id, github(), &who(), samples::created_at());
    let mut work = MockWork::default();
    let (again, locked) = (identity.clone(), user.clone());
    work.oauth_identities.expect_find_by_subject().returning(move |_, _| Ok(Some(identity.clone())));
    work.oauth_identities.expect_find().returning(move |_, _| Ok(Some(again.clone())));
    work.oauth_identities.expect_save().returning(|_| Ok(()));
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    work.users.expect_save().returning(|_| Ok(()));
    work
}

#[pollster::test]
async fn a_known_identity_opens_its_user_unless_that_user_is_disabled() {
    let active = samples::user("zhang");
    let disabled = User { status: UserStatus::Disabled, ..active.clone() };
    for (user, welcome) in [(active, true), (disabled, false)] {
        let mut work = known(&user);
        work.sessions.expect_insert().times(usize::from(welcome)).returning(|_| Ok(()));
        let store = Arc::new(MockStore::default().beginning(taking(log_in_flow(), true)).beginning(work));
        let ended = finish(&store, providers(Some(who())), false).await;
        assert_eq!(ended.is_ok(), welcome);
    }
}

#[pollster::test]
async fn with_a_challenge_the_session_waits_for_its_code_and_its_secret() {
    let challenge =
        ExchangeChallenge::parse(&crate::text::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"kept"))).unwrap();
    let user = samples::user("zhang");
    let mut work = known(&user);
    work.oauth_flows
        .expect_insert()
        .withf(|flow| matches!(flow.purpose, Purpose::Exchange { .. }))
        .returning(|_| Ok(()));
    let flow = flow(Purpose::LogIn { challenge: Some(challenge.clone()) });
    let store = Arc::new(MockStore::default().beginning(taking(flow, true)).beginning(work));
    let Ended::Code(code) = finish(&store, providers(Some(who())), true).await.unwrap() else { panic!() };
    for (secret, right) in [("kept", true), ("guessed", false)] {
        let waiting = OAuthFlow::waiting(&code, github(), (user.id, challenge.clone()), samples::created_at());
        let mut work = taking(waiting, true);
        let locked = user.clone();
        work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
        work.sessions.expect_insert().returning(|_| Ok(()));
        let store = Arc::new(MockStore::default().beginning(work));
        let opened = service(&store, providers(None), true).exchange(code.expose(), secret, None).await;
        assert_eq!((opened.is_ok(), store.commits()), (right, usize::from(right)));
    }
}

fn linking(user: &User, session_lasts: TimeDelta) -> MockWork {
    let mut work = MockWork::default();
    let locked = user.clone();
    work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
    let hash = samples::token(TokenKind::Session, 1).hash();
    let session = Session::new(user.id, hash, session_lasts, samples::created_at());
    work.sessions.expect_find().returning(move |_, _| Ok(Some(session.clone())));
    work
}

fn link_flow(user: &User) -> OAuthFlow {
    flow(Purpose::Link { user: user.id, session: SessionId::new(samples::created_at()) })
}

#[pollster::test]
async fn a_link_needs_the_session_that_began_it_and_an_identity_that_is_nobody_elses() {
    let (user, other) = (samples::user("zhang"), samples::user("other"));
    let of = |owner: &User| Some(OAuthIdentity::new(owner.id, github(), &who(), samples::created_at()));
    for (lasts, found, linked) in [
        (TimeDelta::days(1), None, true),
        (TimeDelta::days(1), of(&user), true),
        (TimeDelta::days(1), of(&other), false),
        (TimeDelta::zero(), None, false),
    ] {
        let mut work = linking(&user, lasts);
        work.oauth_identities.expect_find_by_subject().returning(move |_, _| Ok(found.clone()));
        work.oauth_identities.expect_list().returning(|_| Ok(Vec::new()));
        work.oauth_identities.expect_insert().returning(|_| Ok(()));
        work.audit.expect_append().returning(|_| Ok(()));
        let store = Arc::new(MockStore::default().beginning(taking(link_flow(&user), true)).beginning(work));
        let ended = finish(&store, providers(Some(who())), true).await;
        assert_eq!(matches!(ended, Ok(Ended::Linked(_))), linked, "{ended:?}");
    }
}

#[pollster::test]
async fn two_who_link_one_identity_at_once_meet_at_the_index_and_the_second_is_refused() {
    let (user, other) = (samples::user("zhang"), samples::user("other"));
    let mut first = linking(&user, TimeDelta::days(1));
    nobody_knows_it(&mut first);
    first.oauth_identities.expect_list().returning(|_| Ok(Vec::new()));
    first.oauth_identities.expect_insert().returning(|_| Err(StoreError::Duplicate));
    let mut second = linking(&user, TimeDelta::days(1));
    let taken = OAuthIdentity::new(other.id, github(), &who(), samples::created_at());
    second.oauth_identities.expect_find_by_subject().returning(move |_, _| Ok(Some(taken.clone())));
    let store = MockStore::default().beginning(taking(link_flow(&user), true)).beginning(first).beginning(second);
    let store = Arc::new(store);
    assert!(matches!(finish(&store, providers(Some(who())), true).await, Err(Error::Conflict { .. })));
}

#[pollster::test]
async fn the_last_way_to_log_in_stays() {
    let with_password = samples::user("zhang");
    let without = User { password_hash: None, ..with_password.clone() };
    let gone_provider = ProviderName::parse("gone").unwrap();
    let of = |provider: &ProviderName| OAuthIdentity::new(without.id, provider.clone(), &who(), samples::created_at());
    for (user, left, allowed) in [
        (&with_password, Vec::new(), true),
        (&without, Vec::new(), false),
        (&without, vec![of(&github())], true),
        (&without, vec![of(&gone_provider)], false),
    ] {
        let unlinked = of(&github());
        let all: Vec<_> = left.into_iter().chain([unlinked.clone()]).collect();
        let (mut work, locked) = (MockWork::default(), user.clone());
        work.users.expect_lock().returning(move |_| Ok(Some(locked.clone())));
        work.oauth_identities.expect_list().returning(move |_| Ok(all.clone()));
        work.oauth_identities.expect_delete().times(usize::from(allowed)).returning(|_, _| Ok(()));
        work.audit.expect_append().returning(|_| Ok(()));
        let store = Arc::new(MockStore::default().beginning(work));
        let answer = service(&store, providers(None), true).unlink(&user.as_actor(), unlinked.id).await;
        assert_eq!((answer.is_ok(), store.commits()), (allowed, usize::from(allowed)));
    }
}

#[pollster::test]
async fn an_api_key_links_and_unlinks_nothing() {
    let user = samples::user("zhang");
    let key = samples::api_key(&user, &samples::token(TokenKind::ApiKey, 1));
    let actor = Actor { key: Some(key.as_actor(&user)), ..user.as_actor() };
    let caller = Authenticated { actor, session: None, requests_per_minute: None };
    let store = Arc::new(MockStore::default());
    let service = service(&store, providers(None), true);
    assert!(matches!(service.begin_link(&caller, &github()).await, Err(Error::Forbidden(_))));
    let id = crate::id::IdentityId::new(samples::created_at());
    assert!(matches!(service.unlink(&caller.actor, id).await, Err(Error::Forbidden(_))));
}
