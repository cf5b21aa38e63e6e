//! `suanpan seed`: its sessions are open, and one that was killed is finished by the next.

use api::cli::seed;
use domain::accounts::Registration;
use domain::identity::{Password, Username};
use domain::page::PageRequest;
use domain::plans::Allowance;
use domain::quantity::Quantity;
use harness::databases::sqlite;
use harness::scene::{Scene, settings};
use serde_json::{Value, json};

fn texts<'a>(object: &'a Value, field: &str) -> Vec<&'a str> {
    object["users"].as_array().unwrap().iter().filter_map(|user| user[field].as_str()).collect()
}

#[tokio::test]
async fn the_sessions_of_a_new_demo_are_open_even_when_sessions_are_short() {
    let fresh = sqlite().await;
    let short = settings(&fresh.url, &[("SUANPAN__SESSIONS__TTL_HOURS", "1")]);
    let scene = Scene::new(&fresh.url).await;
    let made = seed(&short).await.unwrap();
    let mut tokens = texts(&made, "token");
    tokens.push(made["admin"]["token"].as_str().unwrap());
    assert_eq!((made["created"].clone(), tokens.len()), (json!(true), 6));
    for token in tokens.into_iter().chain(texts(&made, "api_key")).chain(made["service_key"].as_str()) {
        assert!(scene.services.identity.authenticate(token, None).await.is_ok());
    }
    let again = seed(&short).await.unwrap();
    assert_eq!((again["created"].clone(), again.get("service_key")), (json!(false), None));
    for field in ["username", "account", "plan"] {
        assert_eq!(texts(&again, field), texts(&made, field));
    }
    assert!(texts(&again, "password").is_empty() && texts(&again, "token").is_empty());
    the_demo_team_shares_one_pool(&scene, &made).await;
    assert_eq!(again["team"], made["team"]);
}

/// Three members, their keys on the team's account, and 900 000 words for all of them.
async fn the_demo_team_shares_one_pool(scene: &Scene, made: &Value) {
    let team = &made["team"];
    let members: Vec<_> = team["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| {
            (member["username"].as_str().unwrap(), member["role"].as_str().unwrap(), member["status"].clone())
        })
        .collect();
    let active = json!("active");
    let expected = [("owner", "owner"), ("member1", "member"), ("member2", "member")];
    assert_eq!(members, expected.map(|(name, role)| (name, role, active.clone())));
    assert_eq!(team["invite_code"].as_str().unwrap().len(), 6);
    assert_eq!(texts(made, "plan"), ["free", "professional", "team", "team", "team"]);
    assert!(texts(made, "account")[2..].iter().all(|account| team["account"] == *account));
    for key in &texts(made, "api_key")[2..] {
        let actor = scene.services.identity.authenticate(key, None).await.unwrap().actor;
        assert_eq!(team["account"], json!(actor.default_account()));
    }
    let account = team["account"].as_str().unwrap().parse().unwrap();
    let words = scene.quota(account, "words").await;
    assert_eq!(words.included, Allowance::Limited(Quantity::atoms(900_000)));
}

#[tokio::test]
async fn a_seed_that_was_killed_half_way_is_completed_by_the_next_run() {
    let fresh = sqlite().await;
    let scene = Scene::new(&fresh.url).await;
    let password = Password::choose("a password of tests").unwrap();
    let username = |name: &str| Username::parse(name).unwrap();
    let registration = &scene.services.registration;
    registration.create_admin(username("admin"), &password).await.unwrap();
    for name in ["free", "pro"] {
        let wish = Registration { username: Some(username(name)), ..Registration::default() };
        registration.register(wish, &password, None).await.unwrap();
    }
    let made = seed(&settings(&fresh.url, &[])).await.unwrap();
    assert_eq!(made["created"], json!(true));
    assert_eq!(texts(&made, "username"), ["free", "pro", "owner", "member1", "member2"]);
    assert_eq!(texts(&made, "plan")[..3], ["free", "professional", "team"]);
    assert_eq!((texts(&made, "api_key").len(), texts(&made, "password").len()), (5, 3));
    assert!(made["service_key"].is_string() && made["admin"].get("password").is_none());
    let users = async || scene.services.store.users().list(PageRequest::default()).await.unwrap().rows;
    let before = users().await;
    assert_eq!(seed(&settings(&fresh.url, &[])).await.unwrap()["created"], json!(false));
    assert_eq!((before.len(), users().await), (6, before));
}
