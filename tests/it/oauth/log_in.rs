//! Coming in: a first time, again, closed, many at once, and by a one-time code.

use super::{app_with, travel};
use domain::page::PageRequest;
use domain::text::hex;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use harness::identity_provider::IdentityProvider;
use serde_json::json;

const AT_ONCE: usize = 10;

async fn users(app: &TestApp) -> usize {
    app.scene.services.store.users().list(PageRequest::default()).await.unwrap().rows.len()
}

db_test!(whoever_comes_first_becomes_a_user_and_whoever_comes_again_is_the_same, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    assert_eq!(app.anonymous().get("/auth/oauth").await.expect(200).body["data"][0]["name"], json!("corp"));
    let first = travel(&app, "corp", "").await.finish(&app).await.expect(200);
    assert_eq!((first.text("/user/email"), first.text("/user/display_name")), ("z@example.cn".into(), "Zhang".into()));
    assert!(first.header("set-cookie").unwrap().contains("Max-Age=0"));
    app.by(&first.text("/token")).get("/quota").await.expect(200);
    let again = travel(&app, "corp", "").await.finish(&app).await.expect(200);
    assert_eq!(again.text("/user/id"), first.text("/user/id"));
    assert_ne!(again.text("/token"), first.text("/token"));
    let log = app.by(&app.operator).get("/admin/audit-log?action=identity.link").await.expect(200);
    assert_eq!(log.text("/data/0/actor"), first.text("/user/id"));
    let disabled = format!("/admin/users/{}", first.text("/user/id"));
    app.by(&app.operator).patch(&disabled, &json!({"status": "disabled"})).await.expect(200);
    assert_eq!(travel(&app, "corp", "").await.finish(&app).await.expect(403).code(), "forbidden");
});

db_test!(many_who_come_with_one_new_identity_at_once_become_one_user, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let mut trips = Vec::new();
    for _ in 0..AT_ONCE {
        trips.push(travel(&app, "corp", "").await);
    }
    let answers = futures_util::future::join_all(trips.iter().map(|trip| trip.finish(&app))).await;
    let found: std::collections::BTreeSet<_> =
        answers.into_iter().map(|answer| answer.expect(200).text("/user/id")).collect();
    // The operator of every test is the other one.
    assert_eq!((found.len(), users(&app).await), (1, 2));
});

db_test!(a_state_works_once_even_when_shown_many_times_at_once, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let trip = travel(&app, "corp", "").await;
    let answers = futures_util::future::join_all((0..AT_ONCE).map(|_| trip.finish(&app))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[403; AT_ONCE - 1][..]));
});

#[tokio::test]
async fn while_registration_is_closed_only_those_who_are_users_come_in() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    travel(&app, "corp", "").await.finish(&app).await.expect(200);
    app.by(&app.operator).put("/admin/options", &json!({"registration_open": false})).await.expect(200);
    travel(&app, "corp", "").await.finish(&app).await.expect(200);
    provider.send("77", "new@example.cn", true);
    assert_eq!(travel(&app, "corp", "").await.finish(&app).await.expect(403).code(), "forbidden");
    assert_eq!(users(&app).await, 2);
}

#[tokio::test]
async fn nobody_is_recognised_by_an_address() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc"), ("hub", "github")]).await;
    let wish = json!({"email": "z@example.cn", "password": "a password of the attacker"});
    let squatter = app.anonymous().post("/auth/register", &wish).await.expect(201);
    let owner = travel(&app, "corp", "").await.finish(&app).await.expect(200);
    assert_ne!(owner.text("/user/id"), squatter.text("/user/id"));
    assert_eq!(owner.body["user"]["email"], json!(null));
    let elsewhere = travel(&app, "hub", "").await.finish(&app).await.expect(200);
    assert_ne!(elsewhere.text("/user/id"), owner.text("/user/id"));
    provider.send("78", "unverified@example.cn", false);
    let unverified = travel(&app, "corp", "").await.finish(&app).await.expect(200);
    assert_eq!(unverified.body["user"]["email"], json!(null));
}

db_test!(with_a_challenge_the_session_waits_for_whoever_knows_the_secret_and_once, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let challenge = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"kept by the page").as_ref());
    app.anonymous().get("/auth/oauth/corp/start?challenge=short").await.expect(422);
    let trip = travel(&app, "corp", &format!("?challenge={challenge}")).await;
    let answer = trip.finish(&app).await.expect(200);
    assert_eq!(answer.body.get("token"), None);
    let exchange = |secret: &str| json!({"code": answer.text("/code"), "secret": secret});
    app.anonymous().post("/auth/oauth/exchange", &exchange("guessed")).await.expect(403);
    let requests = (0..AT_ONCE)
        .map(|_| async { app.anonymous().post("/auth/oauth/exchange", &exchange("kept by the page")).await });
    let answers = futures_util::future::join_all(requests).await;
    let opened: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!((opened.len(), answers.iter().filter(|answer| answer.status == 403).count()), (1, AT_ONCE - 1));
    app.by(&opened[0].text("/token")).get("/me").await.expect(200);
});

#[tokio::test]
async fn a_configured_page_gets_the_code_or_the_error_and_never_a_token() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let mut settings = provider.settings("corp", "oidc");
    settings.push(("SUANPAN__OAUTH__PUBLIC_URL".to_owned(), super::PUBLIC_URL.to_owned()));
    settings.push(("SUANPAN__OAUTH__RETURN_URL".to_owned(), "http://page.test/in".to_owned()));
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let app = TestApp::with(&fresh.url, &settings).await;
    let trip = travel(&app, "corp", &format!("?challenge={}", "0".repeat(64))).await;
    let done = trip.finish(&app).await.expect(303);
    assert!(done.header("location").unwrap().starts_with("http://page.test/in?code=oac-"));
    let again = trip.finish(&app).await.expect(303);
    assert_eq!(again.header("location"), Some("http://page.test/in?error=forbidden"));
}
