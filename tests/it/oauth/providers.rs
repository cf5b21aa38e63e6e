//! Providers with ways of their own: GitHub, LINUX DO, WeChat, Telegram.

use super::{app_with, cookie_of, travel};
use domain::time::Clock;
use harness::app::{Answer, TestApp};
use harness::identity_provider::{IdentityProvider, telegram_fields};
use infra::clock::SystemClock;
use serde_json::{Map, Value, json};

#[tokio::test]
async fn github_wechat_and_linux_do_say_who_came_in_their_own_words() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("hub", "github"), ("wx", "wechat"), ("ldo", "linuxdo")]).await;
    for (name, subject, shown, email) in
        [("hub", "42", "zhang", Some("z@example.cn")), ("wx", "o42", "张小三", None), ("ldo", "42", "zhang", None)]
    {
        let opened = travel(&app, name, "").await.finish(&app).await.expect(200);
        assert_eq!(opened.text("/user/display_name"), shown, "{name}");
        assert_eq!(opened.body["user"]["email"], json!(email), "{name}");
        let identities = app.by(&opened.text("/token")).get("/me/identities").await.expect(200);
        assert_eq!(identities.text("/data/0/subject"), subject, "{name}");
        let again = travel(&app, name, "").await.finish(&app).await.expect(200);
        assert_eq!(again.text("/user/id"), opened.text("/user/id"), "{name}");
    }
}

#[tokio::test]
async fn a_code_that_a_provider_does_not_know_opens_nothing() {
    let fresh = harness::databases::sqlite().await;
    let provider = IdentityProvider::start();
    let app = app_with(&fresh.url, &provider, &[("hub", "github"), ("wx", "wechat"), ("ldo", "linuxdo")]).await;
    for name in ["hub", "wx", "ldo"] {
        let mut trip = travel(&app, name, "").await;
        let code = trip.back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        trip.back = trip.back.replace(&code, "another");
        trip.finish(&app).await.expect(403);
    }
}

const BOT: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

async fn app_with_telegram(url: &str) -> TestApp {
    let settings = [
        ("SUANPAN__OAUTH__PUBLIC_URL", super::PUBLIC_URL),
        ("SUANPAN__OAUTH__PROVIDERS__TG__KIND", "telegram"),
        ("SUANPAN__OAUTH__PROVIDERS__TG__CLIENT_ID", "110201543"),
        ("SUANPAN__OAUTH__PROVIDERS__TG__CLIENT_SECRET", BOT),
    ];
    TestApp::with(url, &settings).await
}

/// Begins a log-in and brings back the fields, in a query or a body.
async fn come_back(app: &TestApp, fields: &[(String, String)], in_body: bool) -> Answer {
    let start = app.anonymous().get("/auth/oauth/tg/start").await.expect(303);
    let cookie = cookie_of(&start);
    let location = reqwest::Url::parse(start.header("location").unwrap()).unwrap();
    let return_to = location.query_pairs().find(|(name, _)| name == "return_to").unwrap().1.into_owned();
    let state = return_to.split("state=").nth(1).unwrap();
    let browser = app.anonymous().header("Cookie", &cookie);
    if in_body {
        let mut body: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        body.insert("state".to_owned(), json!(state));
        if let Some(number) = body.get("id").and_then(Value::as_str).and_then(|id| id.parse::<i64>().ok()) {
            body.insert("id".to_owned(), json!(number));
        }
        return browser.post("/auth/oauth/tg/callback", &Value::Object(body)).await;
    }
    let query: Vec<String> = fields.iter().map(|(name, value)| format!("&{name}={value}")).collect();
    let query = query.concat();
    browser.get(&format!("/auth/oauth/tg/callback?state={state}{query}")).await
}

#[tokio::test]
async fn telegrams_fields_open_a_user_once_while_they_are_fresh_and_signed() {
    let fresh = harness::databases::sqlite().await;
    let app = app_with_telegram(&fresh.url).await;
    let now = SystemClock.now().timestamp();
    let signed = telegram_fields(BOT, "777", now);
    let opened = come_back(&app, &signed, false).await.expect(200);
    assert_eq!(opened.text("/user/display_name"), "Zhang");
    // The same fields again, in a log-in of somebody else's.
    come_back(&app, &signed, true).await.expect(403);
    let later = telegram_fields(BOT, "777", now + 1);
    let again = come_back(&app, &later, true).await.expect(200);
    assert_eq!(again.text("/user/id"), opened.text("/user/id"));
    let mut changed = telegram_fields(BOT, "777", now + 2);
    changed[2].1 = "778".to_owned();
    let mut folded = telegram_fields(BOT, "778", now + 2);
    // Two lines in one field would hash the same.
    let id = folded.remove(2).1;
    folded[1].1 = format!("Zhang%0Aid={id}");
    let mut unsigned = telegram_fields(BOT, "777", now + 2);
    unsigned.pop();
    for fields in [
        changed,
        folded,
        unsigned,
        telegram_fields("110201543:another", "777", now + 2),
        telegram_fields(BOT, "900", now - 302),
        telegram_fields(BOT, "900", now + 120),
    ] {
        assert_eq!(come_back(&app, &fields, false).await.expect(403).code(), "forbidden", "{fields:?}");
    }
}
