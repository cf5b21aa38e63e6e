//! A team of three on 900 000 words: allocations, warnings, overage, and a member removed while consuming.

use domain::teams::JoinPolicy;
use harness::app::{Answer, TestApp, User};
use harness::crew::Crew;
use harness::databases::Fresh;
use harness::db_test;
use harness::receiver::until;
use harness::scene::Scene;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the issue of teams promises, and the operations manual.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 20;
/// Uses that are seen to go on before the removal.
const BEFORE_REMOVAL: u64 = 60;
const PATIENCE: Duration = Duration::from_mins(1);

/// The owner and two members, each with a key on the team's account.
struct Team {
    app: TestApp,
    id: String,
    account: String,
    people: Vec<(User, String)>,
}

impl Team {
    async fn of_three(fresh: &Fresh) -> Self {
        let app = TestApp::new(&fresh.url).await;
        let mut users = Vec::new();
        for _ in 0..3 {
            users.push(app.user(None).await);
        }
        let owner = app.by(&users[0].token);
        let team = owner.post("/teams", &json!({"name": "写作组"})).await.expect(201);
        let (id, account, code) = (team.text("/id"), team.text("/account"), team.text("/invite_code"));
        let plan = json!({"plan": "team", "seats": 3});
        app.by(&app.operator).post(&format!("/admin/accounts/{account}/subscription"), &plan).await.expect(200);
        for user in &users[1..] {
            app.by(&user.token).post("/teams/join", &json!({"invite_code": code})).await.expect(200);
            let approve = format!("/teams/{id}/members/{}/approve", user.customer.actor.user);
            owner.send("POST", &approve, None).await.expect(200);
        }
        let mut people = Vec::new();
        for user in users {
            let key = app.by(&user.token).post("/api-keys", &json!({"name": "work", "account": account})).await;
            people.push((user, key.expect(201).text("/key")));
        }
        Self { app, id, account, people }
    }

    async fn words(&self, person: usize, quantity: i64, key: &str) -> Answer {
        let body = json!({"meter": "words", "quantity": quantity, "key": key});
        self.app.by(&self.people[person].1).post("/usage", &body).await
    }

    fn member(&self, person: usize) -> String {
        format!("/teams/{}/members/{}", self.id, self.people[person].0.customer.actor.user)
    }

    async fn allocate(&self, person: usize, words: Value) -> Answer {
        let owner = self.app.by(&self.people[0].0.token);
        owner.patch(&self.member(person), &json!({"allocations": {"words": words}})).await
    }

    async fn pool(&self) -> Value {
        let quota = self.app.by(&self.people[0].1).get("/quota").await.expect(200);
        assert_eq!(quota.text("/account"), self.account);
        quota.body["meters"].as_array().unwrap().iter().find(|meter| meter["meter"] == "words").unwrap().clone()
    }

    /// What the members used together, removed ones too.
    async fn sum(&self) -> i64 {
        let owner = self.app.by(&self.people[0].0.token);
        let members = owner.get(&format!("/teams/{}/members", self.id)).await.expect(200);
        let meters =
            members.body["data"].as_array().unwrap().iter().flat_map(|member| member["meters"].as_array().unwrap());
        meters.filter(|meter| meter["meter"] == "words").map(|meter| number(&meter["used"])).sum()
    }
}

fn number(text: &Value) -> i64 {
    text.as_str().unwrap().parse().unwrap()
}

async fn a_team_of_three_lives_through_a_month(fresh: &Fresh) {
    let team = Team::of_three(fresh).await;
    team.allocate(1, json!(100_000)).await.expect(200);
    let warnings = |answer: &Answer| answer.body["warnings"].clone();

    // The member's allocation: 80 %, 100 %, refused.
    assert_eq!(warnings(&team.words(1, 79_999, "a1").await.expect(201)), json!([]));
    assert_eq!(warnings(&team.words(1, 1, "a2").await.expect(201)), json!([80]));
    assert_eq!(warnings(&team.words(1, 20_000, "a3").await.expect(201)), json!([100]));
    let refused = team.words(1, 1, "a4").await.expect(402);
    assert_eq!((refused.code().as_str(), refused.text("/limit").as_str()), ("quota_exceeded", "member_allocation"));
    assert_eq!((refused.text("/raised_by"), refused.text("/remaining")), ("team_admin".to_owned(), "0".to_owned()));

    // The pool: 80 %, 100 %, overage at 0.50 a thousand.
    assert_eq!(warnings(&team.words(2, 619_999, "b1").await.expect(201)), json!([]));
    assert_eq!(warnings(&team.words(2, 1, "b2").await.expect(201)), json!([80]));
    assert_eq!(warnings(&team.words(2, 180_000, "b3").await.expect(201)), json!([100]));
    let over = team.words(2, 1_000, "b4").await.expect(201);
    assert_eq!((over.text("/parts/0/source"), over.text("/amount")), ("overage".to_owned(), "0.50".to_owned()));

    // A raised allocation holds for the next use.
    let raised = team.allocate(1, json!(200_000)).await.expect(200);
    assert_eq!(raised.text("/username"), team.people[1].0.name);
    assert_eq!(team.words(1, 500, "a5").await.expect(201).text("/amount"), "0.25");
    let pool = team.pool().await;
    assert_eq!((pool["included"].clone(), pool["used"].clone()), (json!("900000"), json!("901500")));
    assert_eq!(pool["overage"], json!({"quantity": "1500", "fee": "0.75"}));
    assert_eq!(team.sum().await, 901_500);
    warnings_are_each_ones_own(&team).await;
}

async fn warnings_are_each_ones_own(team: &Team) {
    let path = format!("/warnings?account={}", team.account);
    let seen = async |person: usize| {
        let page = team.app.by(&team.people[person].0.token).get(&path).await.expect(200);
        let mut seen: Vec<_> = page.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|warning| (warning["scope"].as_str().unwrap().to_owned(), warning["threshold"].as_i64().unwrap()))
            .collect();
        seen.sort();
        seen
    };
    let pool = [("account".to_owned(), 80), ("account".to_owned(), 100)];
    let member = [("member".to_owned(), 80), ("member".to_owned(), 100)];
    assert_eq!(seen(0).await, [&pool[..], &member].concat());
    assert_eq!(seen(1).await, [&pool[..], &member].concat(), "the own ones");
    assert_eq!(seen(2).await, pool, "another member's are not shown");
    let rows = async |person: usize| {
        let path = format!("/usage?account={}", team.account);
        team.app.by(&team.people[person].0.token).get(&path).await.expect(200).body["data"].as_array().unwrap().len()
    };
    assert_eq!((rows(0).await, rows(1).await, rows(2).await), (8, 4, 4));
    let sums = team.app.by(&team.people[1].1).get("/usage/summary?group_by=user").await.expect(200);
    assert_eq!(sums.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(sums.text("/data/0/quantity"), "100500");
}

db_test!(a_month, a_team_of_three_lives_through_a_month);

async fn a_member_removed_while_consuming_is_refused_within_five_seconds(fresh: &Fresh) {
    let team = Arc::new(Team::of_three(fresh).await);
    let replica = Arc::new(team.app.replica(&fresh.url).await);
    let accepted = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let (team, replica, accepted) = (team.clone(), replica.clone(), accepted.clone());
            tokio::spawn(async move {
                let app = if connection % 2 == 0 { &team.app } else { &*replica };
                let mut last = start;
                for number in 0.. {
                    let body = json!({"meter": "words", "quantity": 1, "key": format!("c{connection}-{number}")});
                    let answer = app.by(&team.people[1].1).post("/usage", &body).await;
                    if answer.status != 201 {
                        assert!([401, 422].contains(&answer.status), "{}", answer.body);
                        break;
                    }
                    accepted.fetch_add(1, Ordering::SeqCst);
                    last = Instant::now();
                }
                last
            })
        })
        .collect();
    until(PATIENCE, || accepted.load(Ordering::SeqCst) >= BEFORE_REMOVAL).await;
    let owner = team.app.by(&team.people[0].0.token);
    owner.delete(&team.member(1)).await.expect(204);
    let removed = Instant::now();
    for connection in connections {
        let last = connection.await.unwrap();
        assert!(last < removed + REFUSED_WITHIN, "used {:?} after the removal", last - removed);
    }
    let (accepted, pool) = (accepted.load(Ordering::SeqCst), number(&team.pool().await["used"]));
    assert!(accepted >= BEFORE_REMOVAL);
    assert_eq!((u64::try_from(pool).unwrap(), team.sum().await), (accepted, pool));
    // On both servers: the key is dead, and the session finds no team.
    for app in [&team.app, &*replica] {
        let gone = async || app.by(&team.people[1].1).get("/quota").await.status == 401;
        while !gone().await {
            assert!(removed.elapsed() < REFUSED_WITHIN);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let session = app.by(&team.people[1].0.token);
        session.get(&format!("/teams/{}", team.id)).await.expect(404);
        session.get(&format!("/quota?account={}", team.account)).await.expect(404);
        let body = json!({"meter": "words", "quantity": 1, "key": "late", "account": team.account});
        session.post("/usage", &body).await.expect(404);
        session.post("/api-keys", &json!({"name": "again", "account": team.account})).await.expect(404);
    }
}

db_test!(a_removal, a_member_removed_while_consuming_is_refused_within_five_seconds);

/// A gauge is carried over for the pool and for each member, and only the pool owes for it.
async fn what_members_store_goes_into_the_next_period(fresh: &Fresh) {
    const GB: i64 = 1024 * 1000;
    let scene = Scene::new(&fresh.url).await;
    let people = scene.people(2).await;
    let crew: Crew = scene.crew(&people[0], 3, JoinPolicy::Open).await;
    scene.services.teams.join(&people[1], &crew.code).await.unwrap();
    for (person, gigabytes) in [(0, 400), (1, 200)] {
        let store = crew.command(people[person].user, "storage", gigabytes * GB, &format!("store{person}"));
        scene.consume_one(store).await.unwrap();
    }
    let now = scene.quota(crew.account, "storage").await;
    assert_eq!(now.overage_fee.to_decimal(), "20.00", "100 GB over 500 at 0.20");
    let end = scene.services.metering.open_period(crew.account).await.unwrap().period.end;
    scene.move_clock(end);
    let next = scene.quota(crew.account, "storage").await;
    assert_eq!((next.used, next.overage_fee), (now.used, now.overage_fee));
    assert_eq!(scene.sum_of_members(&crew, "storage").await, 600 * GB);
    let release = crew.command(people[1].user, "storage", -300 * GB, "delete");
    scene.consume_one(release).await.unwrap();
    assert_eq!(scene.sum_of_members(&crew, "storage").await, 300 * GB);
    assert_eq!(scene.quota(crew.account, "storage").await.used.as_atoms(), 300 * GB);
}

db_test!(gauges, what_members_store_goes_into_the_next_period);

/// A host product reports late and for people without keys.
async fn a_service_reports_for_members_also_for_the_time_before_they_left(fresh: &Fresh) {
    let team = Team::of_three(fresh).await;
    let service = team.app.service_key().await;
    let user = team.people[1].0.customer.actor.user.to_string();
    let report = |key: &str, occurred_at: Option<String>| json!({"meter": "words", "quantity": 10, "key": key, "user": user, "account": team.account, "occurred_at": occurred_at});
    team.allocate(1, json!(15)).await.expect(200);
    team.app.by(&service).post("/usage", &report("s1", None)).await.expect(201);
    let refused = team.app.by(&service).post("/usage", &report("s2", None)).await.expect(402);
    assert_eq!(refused.text("/limit"), "member_allocation");
    team.allocate(1, Value::Null).await.expect(200);
    let before = team.app.scene.now().to_rfc3339();
    team.app.by(&team.people[0].0.token).delete(&team.member(1)).await.expect(204);
    team.app.by(&service).post("/usage", &report("s3", None)).await.expect(422);
    team.app.by(&service).post("/usage", &report("s4", Some(before))).await.expect(201);
    assert_eq!(team.sum().await, 20);
    // Without a user nobody's counter would have it, and the pool would not be the sum of its members.
    let event = |user: Value| {
        json!({"specversion": "1.0", "id": "s6", "source": "s", "type": "words", "subject": team.account,
            "data": {"value": 5}, "user": user})
    };
    let own = team.people[0].0.account();
    for (path, kind, body) in [
        ("/usage", "application/json", json!({"meter": "words", "quantity": 5, "key": "s5", "account": team.account})),
        ("/reservations", "application/json", json!({"meter": "words", "quantity": 5, "account": team.account})),
        (
            "/usage",
            "application/json",
            json!({"meter": "storage", "quantity": -5, "key": "s7", "account": team.account}),
        ),
    ] {
        let caller = team.app.by(&service).header("Idempotency-Key", path);
        let refused = caller.raw("POST", path, kind, body.to_string().into_bytes()).await.expect(422);
        assert_eq!(refused.text("/errors/0/field"), "user", "{}", refused.body);
    }
    let told = async |event: Value| {
        let (kind, bytes) = ("application/cloudevents+json", event.to_string().into_bytes());
        team.app.by(&service).raw("POST", "/usage/events", kind, bytes).await.expect(200)
    };
    assert_eq!(told(event(Value::Null)).await.text("/results/0/problem/errors/0/field"), "user");
    assert_eq!((team.pool().await["used"].clone(), team.sum().await), (json!("20"), 20));
    let owner = team.people[0].0.customer.actor.user.to_string();
    assert_eq!(told(event(json!(owner))).await.text("/results/0/status"), "accepted");
    assert_eq!((team.pool().await["used"].clone(), team.sum().await), (json!("25"), 25));
    // A personal account has one user, and a service need not name it.
    let body = json!({"meter": "words", "quantity": 5, "key": "s8", "account": own});
    team.app.by(&service).post("/usage", &body).await.expect(201);
    let listed = team.app.by(&team.people[0].0.token).get("/usage").await.expect(200);
    assert_eq!((listed.text("/data/0/quantity"), &listed.body["data"][0]["user"]), ("5".to_owned(), &Value::Null));
}

db_test!(a_service, a_service_reports_for_members_also_for_the_time_before_they_left);
