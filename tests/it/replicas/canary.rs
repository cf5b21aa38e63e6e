//! Secrets with a mark on them go through every door of a server that logs all it can; afterwards they are looked for in
//! its log, in every row of its database (on SQLite in the file's bytes too) and in what it answered.

use super::process::Process;
use crate::access::dump;
use domain::text::hex;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PASSWORD: &str = "canary-password-Zq7";
const NEW_PASSWORD: &str = "canary-new-password-Zq8";
const WRONG_PASSWORD: &str = "canary-wrong-password-Zq9";
const CARD: &str = "4111111111111111";
const NAME: &str = "金丝雀之名";
const NUMBER: &str = "11010519491231002X";
/// 32 bytes in Base64.
const ENCRYPTION_KEY: &str = "Y2FuYXJ5LWVuY3J5cHRpb24ta2V5LTMyLWJ5dGVzLS0=";
const INDEX_KEY: &str = "Y2FuYXJ5LWluZGV4LWtleS1vZi0zMi1ieXRlcy0tLS0=";
const STRIPE_KEY: &str = "sk_live_canary_51Zq7";
const STRIPE_SECRET: &str = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";
const OAUTH_SECRET: &str = "canary-oauth-client-secret";
const MAIL_PASSWORD: &str = "canary-mail-password";

/// What was sent or given out and must be nowhere, by what it is.
#[derive(Default)]
struct Canaries {
    secrets: BTreeMap<&'static str, String>,
    answers: Vec<Value>,
}

impl Canaries {
    fn mark(&mut self, what: &'static str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        assert!(secret.len() >= 10, "{what}: {secret}");
        self.secrets.insert(what, secret.clone());
        secret
    }

    /// What of it is found in some bytes, as it is or in hexadecimal digits.
    fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let text = String::from_utf8_lossy(bytes);
        let there = |secret: &str| {
            let digits = hex(secret.as_bytes());
            [secret, &digits, &digits.to_uppercase()].into_iter().any(|wanted| text.contains(wanted))
        };
        self.secrets.iter().filter(|(_, secret)| there(secret)).map(|(what, _)| *what).collect()
    }
}

fn settings() -> Vec<(&'static str, &'static str)> {
    vec![
        ("SUANPAN__LOG__LEVEL", "trace"),
        ("SUANPAN__SECURITY__ENCRYPTION_KEYS", concat!("k:", "Y2FuYXJ5LWVuY3J5cHRpb24ta2V5LTMyLWJ5dGVzLS0=")),
        ("SUANPAN__SECURITY__INDEX_KEY", INDEX_KEY),
        ("SUANPAN__VERIFICATION__ENABLED", "true"),
        ("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true"),
        ("SUANPAN__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1"),
        ("SUANPAN__PAYMENTS__ONLINE__NOTIFY_URL", "https://pay.example.com"),
        ("SUANPAN__PAYMENTS__ONLINE__STRIPE__SECRET_KEY", STRIPE_KEY),
        ("SUANPAN__PAYMENTS__ONLINE__STRIPE__WEBHOOK_SECRETS", STRIPE_SECRET),
        ("SUANPAN__PAYMENTS__ONLINE__STRIPE__BASE_URL", "http://127.0.0.1:9"),
        ("SUANPAN__OAUTH__PUBLIC_URL", "https://suanpan.example.com"),
        ("SUANPAN__OAUTH__PROVIDERS__GITHUB__KIND", "github"),
        ("SUANPAN__OAUTH__PROVIDERS__GITHUB__CLIENT_ID", "client"),
        ("SUANPAN__OAUTH__PROVIDERS__GITHUB__CLIENT_SECRET", OAUTH_SECRET),
        ("SUANPAN__MAIL__PASSWORD", MAIL_PASSWORD),
    ]
}

/// Everything that has a secret in it, and everything that may go wrong with one.
async fn go_through(server: &Process, canaries: &mut Canaries) {
    let register = json!({"username": "canary", "password": PASSWORD});
    let session =
        canaries.mark("session", server.post("", "/auth/register", &register).await.expect(201).text("/token"));
    let login = |password: &str| json!({"login": "canary", "password": password});
    let other = server.post("", "/auth/login", &login(PASSWORD)).await.expect(200).text("/token");
    canaries.mark("another session", other);
    let keys = json!({"name": "canary"});
    let key = canaries.mark("key", server.post(&session, "/api-keys", &keys).await.expect(201).text("/key"));
    server.post(&key, "/usage", &json!({"meter": "words", "quantity": 3, "key": "a"})).await.expect(201);
    server.get(&key, "/quota").await.expect(200);
    let hook = json!({"url": "http://127.0.0.1:9/"});
    let made = server.post(&session, "/webhook-endpoints", &hook).await.expect(201);
    canaries.mark("webhook secret", made.text("/secret"));
    let claim = json!({"real_name": NAME, "id_number": NUMBER});
    server.send(&session, (Method::PUT, "/me/verification"), Some(&claim)).await.unwrap().expect(200);
    server.get(&session, "/me/verification").await.expect(200);

    let order = json!({"topup": {"amount": "10.00", "currency": "CNY"}, "provider": "stripe"});
    let ordered = server.post_with(&session, "/orders", &[("Idempotency-Key", "one")], &order).await;
    let mut refused = vec![ordered.body];
    for (token, path, body) in [
        ("", "/auth/login", login(WRONG_PASSWORD)),
        ("", "/auth/login", json!({"login": CARD, "password": CARD})),
        ("", "/auth/register", json!({"username": "canary2", "password": NEW_PASSWORD, "card": CARD})),
        ("", "/auth/register", json!({"username": "canary", "password": NEW_PASSWORD})),
        (&session, "/me/verification", json!({"real_name": NAME, "id_number": "110105194912310021"})),
        (&session, "/webhook-endpoints", json!({"url": format!("http://user:{PASSWORD}@127.0.0.1/")})),
        (&session, "/redemptions/redeem", json!({"code": CARD})),
        (&session, "/usage", json!({"meter": CARD, "quantity": CARD, "key": "b", "card": CARD})),
        (&format!("{key}x"), "/usage", json!({"meter": "words", "quantity": 1, "key": "c"})),
        (&format!("sk-{CARD}{CARD}"), "/usage", json!({"meter": "words", "quantity": 1, "key": "c"})),
    ] {
        let answer = server.post(token, path, &body).await;
        assert!(answer.status >= 400, "{path}: {}", answer.body);
        refused.push(answer.body);
    }
    for old in [WRONG_PASSWORD, PASSWORD] {
        let change = json!({"password": NEW_PASSWORD, "old_password": old});
        refused.push(server.send(&session, (Method::PATCH, "/me"), Some(&change)).await.unwrap().body);
    }
    for path in [format!("/quota?api_key={key}"), format!("/usage?cursor={CARD}"), format!("/api-keys/{CARD}")] {
        refused.push(server.get("", &path).await.body);
    }
    // Its body would be kept as it came in, for operators.
    let signed = [("Stripe-Signature", "t=1,v1=00")];
    refused.push(server.post_with("", "/webhooks/stripe", &signed, &json!({"type": "forged"})).await.body);
    canaries.answers = refused;
}

fn mark_settings(canaries: &mut Canaries) {
    for (what, secret) in [
        ("password", PASSWORD),
        ("new password", NEW_PASSWORD),
        ("wrong password", WRONG_PASSWORD),
        ("card", CARD),
        ("name", NAME),
        ("ID number", NUMBER),
        ("encryption key", ENCRYPTION_KEY),
        ("index key", INDEX_KEY),
        ("Stripe key", STRIPE_KEY),
        ("Stripe webhook secret", STRIPE_SECRET),
        ("OAuth secret", OAUTH_SECRET),
        ("mail password", MAIL_PASSWORD),
    ] {
        canaries.mark(what, secret);
    }
}

async fn secrets_are_in_no_log_no_row_and_no_refusal(fresh: &Fresh) {
    // Somebody is there, or the server would make demo users and print their keys.
    Scene::new(&fresh.url).await.customer(None).await;
    let mut server = Process::start_with(&fresh.url, &settings());
    let mut canaries = Canaries::default();
    mark_settings(&mut canaries);
    go_through(&server, &mut canaries).await;
    server.kill();
    let log = server.log();
    assert!(log.contains("TRACE") && log.len() > 10_000, "the server logs all it can: {} bytes", log.len());
    let lines: Vec<_> = log.lines().filter(|line| !canaries.found_in(line.as_bytes()).is_empty()).take(5).collect();
    assert!(lines.is_empty(), "in the log: {:?}, such as {lines:#?}", canaries.found_in(log.as_bytes()));
    let database = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let rows = dump::lines(&database).await;
    database.close().await.unwrap();
    for known in ["canary", "forged"] {
        let there = rows.iter().any(|(_, line)| named(known).found_in(line.as_bytes()) == ["it"]);
        assert!(there, "a row with {known} is looked at");
    }
    for (table, line) in &rows {
        assert_eq!(canaries.found_in(line.as_bytes()), Vec::<&str>::new(), "in a row of {table}: {line}");
    }
    if let Some(file) = fresh.url.strip_prefix("sqlite://") {
        let mut bytes = std::fs::read(file).unwrap();
        bytes.extend(std::fs::read(format!("{file}-wal")).unwrap_or_default());
        assert!(named("canary").found_in(&bytes) == ["it"], "the rows are in these bytes");
        assert_eq!(canaries.found_in(&bytes), Vec::<&str>::new(), "in the file");
    }
    for answer in &canaries.answers {
        let found = canaries.found_in(answer.to_string().as_bytes());
        assert!(found.is_empty(), "{found:?} in {answer}");
    }
}
db_test!(canary, secrets_are_in_no_log_no_row_and_no_refusal);

/// Something that must be found where secrets are looked for, or looking would prove nothing.
fn named(name: &str) -> Canaries {
    Canaries { secrets: [("it", name.to_owned())].into(), answers: Vec::new() }
}
