//! First-run set-up: one root, once, for whoever holds the token.

use domain::actor::Role;
use harness::app::{PASSWORD, TestApp};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;

const AT_ONCE: usize = 50;

db_test!(of_fifty_who_set_up_at_once_one_becomes_root_and_afterwards_there_is_no_set_up, async |fresh: &Fresh| {
    let app = TestApp::start(&fresh.url, &[]).await;
    let registration = &app.scene.services.registration;
    // Two replicas start and print one each; both are good.
    let first = registration.offer_set_up().await.unwrap().unwrap();
    let second = registration.offer_set_up().await.unwrap().unwrap();
    let body =
        |token: &str, number: usize| json!({"token": token, "username": format!("root{number}"), "password": PASSWORD});
    app.anonymous().post("/setup", &body(&format!("setup-{}", "0".repeat(64)), 0)).await.expect(403);
    app.anonymous().post("/setup", &body("ses-x", 0)).await.expect(403);
    app.anonymous()
        .post("/setup", &json!({"token": first.expose(), "username": "r", "password": PASSWORD}))
        .await
        .expect(422);
    let requests = (0..AT_ONCE).map(|number| {
        let token = if number % 2 == 0 { first.expose() } else { second.expose() };
        let body = body(token, number);
        let app = &app;
        async move { app.anonymous().post("/setup", &body).await }
    });
    let answers = futures_util::future::join_all(requests).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    let late = answers.iter().filter(|answer| [404, 503].contains(&answer.status)).count();
    assert_eq!((made.len(), late), (1, AT_ONCE - 1), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    app.by(&made[0].text("/token")).get("/admin/users").await.expect(200);
    let roots = app.scene.services.store.begin().await.unwrap().users().lock_roots().await.unwrap();
    assert_eq!(roots.len(), 1);
    for token in [first.expose(), "setup-x"] {
        app.anonymous().post("/setup", &body(token, 0)).await.expect(404);
    }
    assert!(registration.offer_set_up().await.unwrap().is_none());
    let log = app.by(&made[0].text("/token")).get("/admin/audit-log?action=set_up.finish").await.expect(200);
    assert_eq!(log.text("/data/0/actor"), made[0].text("/user/id"));
});

#[tokio::test]
async fn a_root_made_on_the_command_line_ends_set_up() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::start(&fresh.url, &[]).await;
    let services = &app.scene.services;
    let token = services.registration.offer_set_up().await.unwrap().unwrap();
    let input = format!("{PASSWORD}\n");
    let made = api::admin::create_admin(services, "root", input.as_bytes()).await.unwrap();
    assert_eq!(made.user.role, Role::Root);
    let body = json!({"token": token.expose(), "username": "other", "password": PASSWORD});
    app.anonymous().post("/setup", &body).await.expect(404);
    let log = app.by(made.token.expose()).get("/admin/audit-log?action=root.create").await.expect(200);
    assert_eq!((log.text("/data/0/target"), &log.body["data"][0]["actor"]), (made.user.id.to_string(), &json!(null)));
}
