//! Identities of a user who is logged in.

use super::{Trip, app_with, consent, cookie_of, travel};
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use harness::identity_provider::IdentityProvider;
use serde_json::json;

async fn link(app: &TestApp, token: &str, provider: &str) -> Trip {
    let begun = app.by(token).send("POST", &format!("/me/identities/{provider}/start"), None).await.expect(200);
    consent(&begun.text("/url"), cookie_of(&begun)).await
}

db_test!(an_identity_is_linked_opens_its_user_and_is_unlinked, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc"), ("hub", "github")]).await;
    let user = app.user(None).await;
    let linked = link(&app, &user.token, "corp").await.finish(&app).await.expect(200);
    assert_eq!((linked.text("/provider"), linked.text("/subject")), ("corp".to_owned(), "42".to_owned()));
    let opened = travel(&app, "corp", "").await.finish(&app).await.expect(200);
    assert_eq!(opened.text("/user/id"), user.customer.actor.user.to_string());
    let again = link(&app, &user.token, "corp").await.finish(&app).await.expect(200);
    assert_eq!(again.text("/id"), linked.text("/id"));
    let other = app.user(None).await;
    assert_eq!(link(&app, &other.token, "corp").await.finish(&app).await.expect(409).code(), "conflict");
    let path = format!("/me/identities/{}", linked.text("/id"));
    app.by(&other.token).delete(&path).await.expect(404);
    app.by(&user.token).delete(&path).await.expect(204);
    app.by(&user.token).delete(&path).await.expect(404);
    assert_eq!(app.by(&user.token).get("/me/identities").await.expect(200).body["data"], json!([]));
    let stranger = travel(&app, "corp", "").await.finish(&app).await.expect(200);
    assert_ne!(stranger.text("/user/id"), opened.text("/user/id"));
});

db_test!(the_last_way_to_log_in_stays_also_when_two_are_taken_at_once, async |fresh: &Fresh| {
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc"), ("hub", "github")]).await;
    let token = travel(&app, "corp", "").await.finish(&app).await.expect(200).text("/token");
    let list = app.by(&token).get("/me/identities").await.expect(200);
    let only = format!("/me/identities/{}", list.text("/data/0/id"));
    assert_eq!(app.by(&token).delete(&only).await.expect(409).code(), "conflict");
    let second = link(&app, &token, "hub").await.finish(&app).await.expect(200);
    let second = format!("/me/identities/{}", second.text("/id"));
    let me = app.by(&token);
    let (one, other) = tokio::join!(me.delete(&only), me.delete(&second));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
});

#[tokio::test]
async fn a_link_ends_only_while_the_session_that_began_it_is_open() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("corp", "oidc")]).await;
    let user = app.user(None).await;
    let trip = link(&app, &user.token, "corp").await;
    app.by(&user.token).send("POST", "/auth/logout", None).await.expect(204);
    trip.finish(&app).await.expect(403);
    let other = app.user(None).await;
    let key = app.by(&other.token).post("/api-keys", &json!({"name": "k"})).await.expect(201).text("/key");
    app.by(&key).send("POST", "/me/identities/corp/start", None).await.expect(403);
    app.by(&key).get("/me/identities").await.expect(403);
    app.anonymous().send("POST", "/me/identities/corp/start", None).await.expect(401);
}
