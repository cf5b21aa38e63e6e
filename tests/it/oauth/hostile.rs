//! What must not open anything: forged and stale ID tokens, other browsers' log-ins, providers that misbehave.

use super::{Trip, app_with, travel};
use domain::error::Error;
use domain::identity::{FlowSecrets, IdentityProviders, Proof, ProviderName, Token, TokenKind};
use domain::page::PageRequest;
use domain::time::Clock;
use harness::databases::Fresh;
use harness::db_test;
use harness::identity_provider::{CLIENT_ID, Fault, IdentityProvider};
use infra::clock::{SystemClock, TestClock};
use infra::oauth::{ProviderKind, ProviderSettings, Providers};
use reqwest::Url;
use std::sync::Arc;

#[tokio::test]
async fn an_id_token_that_is_not_exactly_right_opens_nothing() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let refused = [
        Fault::WrongAudience,
        Fault::SharedAudience,
        Fault::WrongIssuer,
        Fault::WrongNonce,
        Fault::NoNonce,
        Fault::Expired,
        Fault::NotYetValid,
        Fault::AlgorithmNone,
        Fault::SymmetricWithPublicKey,
        Fault::AnotherKey,
        Fault::UnknownKey,
        Fault::ChangedAfterSigning,
        Fault::NoToken,
    ];
    for fault in refused {
        provider.misbehave(fault);
        let answer = travel(&app, "corp", "").await.finish(&app).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden"), "{fault:?}");
    }
    for fault in [Fault::TooLong, Fault::Redirect, Fault::ServerError] {
        provider.misbehave(fault);
        let answer = travel(&app, "corp", "").await.finish(&app).await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"), "{fault:?}");
    }
    assert_eq!(app.scene.services.store.users().list(PageRequest::default()).await.unwrap().rows.len(), 1);
    provider.misbehave(Fault::None);
    travel(&app, "corp", "").await.finish(&app).await.expect(200);
}

#[tokio::test]
async fn a_log_in_ends_only_in_the_browser_that_began_it_and_at_its_provider() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc"), ("hub", "github")]).await;
    let (mine, victims) = (travel(&app, "corp", "").await, travel(&app, "corp", "").await);
    // The attacker's code and state in the victim's browser, and the attacker's code with the victim's state.
    let with = |back: &str, cookie: &str| Trip { back: back.to_owned(), cookie: cookie.to_owned() };
    let code_of = |trip: &Trip| trip.back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let crossed = victims.back.replace(&code_of(&victims), &code_of(&mine));
    let twice = format!("{}; {}", mine.cookie, victims.cookie);
    let elsewhere = mine.back.replace("/corp/", "/hub/");
    for trip in [
        with(&mine.back, &victims.cookie),
        with(&mine.back, ""),
        with(&mine.back, &twice),
        with(&elsewhere, &mine.cookie),
        with("/auth/oauth/corp/callback?code=x", &mine.cookie),
        with("/auth/oauth/corp/callback", ""),
        with(&format!("/auth/oauth/corp/callback?code=x&state=ost{}", "0".repeat(64)), &mine.cookie),
        with(&crossed, &victims.cookie),
    ] {
        assert_eq!(trip.finish(&app).await.expect(403).code(), "forbidden", "{trip:?}");
    }
    // None of that used up the attacker's own log-in.
    mine.finish(&app).await.expect(200);
    mine.finish(&app).await.expect(403);
}

#[tokio::test]
async fn somebody_who_says_no_or_takes_too_long_is_not_logged_in() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let trip = travel(&app, "corp", "").await;
    let state = trip.back.split("state=").nth(1).unwrap();
    let refused = Trip { back: format!("/auth/oauth/corp/callback?error=access_denied&state={state}"), ..trip.clone() };
    refused.finish(&app).await.expect(403);
    let late = travel(&app, "corp", "").await;
    app.scene.move_clock(app.scene.now() + chrono::TimeDelta::minutes(10));
    late.finish(&app).await.expect(403);
    app.anonymous().get("/auth/oauth/nobody/start").await.expect(404);
    app.anonymous().get("/auth/oauth/NOBODY/callback?state=x").await.expect(404);
}

fn secrets() -> FlowSecrets {
    let token = |kind, byte| Token::from_random(kind, [byte; 32]);
    FlowSecrets { state: token(TokenKind::OAuthState, 1), browser: token(TokenKind::OAuthBrowser, 2) }
}

fn settings(provider: &IdentityProvider) -> ProviderSettings {
    ProviderSettings {
        name: ProviderName::parse("corp").unwrap(),
        kind: ProviderKind::Oidc,
        label: None,
        client_id: CLIENT_ID.to_owned(),
        client_secret: harness::identity_provider::CLIENT_SECRET.to_owned().into(),
        callback_url: "http://suanpan.test/callback".to_owned(),
        issuer: Some(provider.address.clone()),
        authorize_url: None,
        token_url: None,
        userinfo_url: None,
        emails_url: None,
        scopes: None,
        subject_field: None,
        name_field: None,
    }
}

async fn identify(providers: &Providers) -> Result<String, Error> {
    let (name, secrets) = (ProviderName::parse("corp").unwrap(), secrets());
    let url = providers.authorization_url(&name, &secrets).await?;
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let back = browser.get(url).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
    let back = Url::parse(&back).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    providers.identify(&name, &Proof::Code(code), &secrets).await.map(|who| who.subject)
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_first_seen_but_not_for_everybody_who_claims_one() {
    let provider = IdentityProvider::start();
    let clock = Arc::new(TestClock::default());
    let as_clock: Arc<dyn Clock> = clock.clone();
    let providers = Providers::new(vec![settings(&provider)], &as_clock).unwrap();
    assert_eq!(identify(&providers).await.unwrap(), "42");
    assert_eq!(identify(&providers).await.unwrap(), "42");
    assert_eq!(provider.key_fetches(), 1);
    clock.advance(SystemClock.now() + chrono::TimeDelta::seconds(31));
    provider.misbehave(Fault::UnknownKey);
    for _ in 0..5 {
        assert!(matches!(identify(&providers).await, Err(Error::Forbidden(_))));
    }
    assert_eq!(provider.key_fetches(), 2);
    provider.misbehave(Fault::None);
    provider.change_key("second");
    assert!(matches!(identify(&providers).await, Err(Error::Forbidden(_))));
    clock.advance(SystemClock.now() + chrono::TimeDelta::seconds(62));
    assert_eq!(identify(&providers).await.unwrap(), "42");
    assert_eq!(provider.key_fetches(), 3);
}

/// As many log-ins as one address may leave open, and as many failures of log-in.
const OPEN_LOG_INS: usize = 20;

db_test!(who_begins_and_never_ends_is_refused_by_address_and_who_comes_back_is_not, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let start = async || app.anonymous().get("/auth/oauth/corp/start").await;
    // Those that end well end the run, however many there are.
    for _ in 0..3 {
        for _ in 0..OPEN_LOG_INS / 2 {
            start().await.expect(303);
        }
        travel(&app, "corp", "").await.finish(&app).await.expect(200);
    }
    for _ in 0..OPEN_LOG_INS {
        start().await.expect(303);
    }
    let refused = start().await.expect(429);
    assert_eq!(refused.code(), "rate_limited");
    assert!(refused.header("retry-after").is_some());
    // Who is logged in is known, and links an identity all the same; and passwords have a count of their own.
    let user = app.user(None).await;
    app.by(&user.token).send("POST", "/me/identities/corp/start", None).await.expect(200);
    let right = serde_json::json!({"login": user.name, "password": harness::app::PASSWORD});
    app.anonymous().post("/auth/login", &right).await.expect(200);
    app.scene.move_clock(app.scene.now() + chrono::TimeDelta::seconds(61));
    start().await.expect(303);
});

db_test!(log_ins_begun_side_by_side_are_counted_one_by_one, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let start = async || app.anonymous().get("/auth/oauth/corp/start").await;
    let starts = (0..OPEN_LOG_INS * 2).map(|_| start());
    let answers = futures_util::future::join_all(starts).await;
    let begun = answers.iter().filter(|answer| answer.status == 303).count();
    assert!(begun <= OPEN_LOG_INS, "{begun}");
    assert!(answers.iter().all(|answer| [303, 429, 503].contains(&answer.status)));
});
