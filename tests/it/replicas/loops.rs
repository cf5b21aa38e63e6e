//! Background work is done by one server, and goes on when that one is killed.

use super::Stage;
use super::process::Process;
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::AccountId;
use futures_util::future::join_all;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::command;
use reqwest::Method;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Accounts that nobody touches when the period ends, and some that everybody does.
const IDLE: usize = 30;
const BUSY: usize = 6;
const STORED: i64 = 4_000;
/// Much longer than the loops' pause of ten seconds: other work may be on the machine.
const SOON: Duration = Duration::from_secs(45);

/// Waits until it is so.
async fn soon(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Accounts that this server's loop said it rolled over.
fn rolled_over(server: &Process) -> usize {
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("periods rolled over"));
    let events = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.map(|event| usize::try_from(event["fields"]["accounts"].as_u64().unwrap()).unwrap()).sum()
}

db_test!(a_period_ends_once_for_every_account, async |fresh: &Fresh| {
    let stage = Stage::set(fresh).await;
    let mut accounts = Vec::new();
    for number in 0..IDLE + BUSY {
        let customer = stage.scene.customer(None).await;
        let stored = command(customer.account, "storage", STORED, &format!("s{number}"));
        stage.scene.consume_one(stored).await.unwrap();
        accounts.push(customer);
    }
    let busy: Vec<_> = join_all(accounts[IDLE..].iter().map(|customer| stage.key(customer))).await;
    let ends = stage.scene.services.metering.quota(accounts[0].account).await.unwrap().subscription.period.end;
    stage.set_clock(ends + TimeDelta::minutes(1)).await;
    soon("the servers follow the clock", async || {
        let periods = stage.servers.iter().map(|server| server.get(&busy[0], "/quota"));
        let begun = |answer: &harness::app::Answer| answer.text("/period/start").parse() == Ok(ends);
        join_all(periods).await.iter().all(begun)
    })
    .await;
    let touches = (0..BUSY * 6).map(|number| {
        let body = json!({"meter": "words", "quantity": 1, "key": number.to_string()});
        let (stage, key) = (&stage, &busy[number % BUSY]);
        async move { stage.server(number / BUSY).post(key, "/usage", &body).await.expect(201) }
    });
    join_all(touches).await;
    let periods = "SELECT COUNT(*) FROM quota_periods WHERE period_start = ?";
    let all = i64::try_from(IDLE + BUSY).unwrap();
    soon("the idle accounts are rolled over", async || stage.count(periods, vec![ends.into()]).await >= all).await;

    for customer in &accounts {
        carried_once(&stage, customer.account, ends).await;
    }
    let by_loops: Vec<usize> = stage.servers.iter().map(rolled_over).collect();
    assert!(by_loops.iter().sum::<usize>() <= IDLE + BUSY, "an account is rolled over once: {by_loops:?}");
    assert!(by_loops.iter().sum::<usize>() >= IDLE, "the loops did what nobody asked for: {by_loops:?}");
    assert!(by_loops.iter().filter(|count| **count > 0).count() <= 1, "one server does it: {by_loops:?}");
});

/// Two periods, and one counter of the gauge in each with the same level.
async fn carried_once(stage: &Stage, account: AccountId, ends: DateTime<Utc>) {
    let id = account.as_uuid();
    assert_eq!(stage.count("SELECT COUNT(*) FROM quota_periods WHERE account_id = ?", vec![id.into()]).await, 2);
    let counters = "SELECT COUNT(*) FROM quota_counters WHERE account_id = ? AND meter = 'storage' AND used = ?";
    assert_eq!(stage.count(counters, vec![id.into(), STORED.into()]).await, 2);
    let new = format!("{counters} AND period_start = ?");
    assert_eq!(stage.count(&new, vec![id.into(), STORED.into(), ends.into()]).await, 1);
}

/// The server whose loop has this name.
fn whose(stage: &Stage, holder: Uuid) -> Option<usize> {
    stage.servers.iter().position(|server| server.log().contains(&holder.to_string()))
}

db_test!(a_server_killed_under_load_loses_nothing_and_its_lease_passes_on, async |fresh: &Fresh| {
    let mut stage = Stage::set(fresh).await;
    let customer = stage.scene.customer(Some("professional")).await;
    let key = stage.key(&customer).await;
    soon("somebody holds the lease", async || stage.lease("roll_over").await.is_some()).await;
    let (holder, until) = stage.lease("roll_over").await.unwrap();
    let victim = whose(&stage, holder).unwrap();
    let mut killed = stage.servers.remove(victim);

    let (ended, sent, unsure) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let clients = (0..8).map(async |client: usize| {
        let mut each = 0;
        while !ended.load(Ordering::SeqCst) {
            let event = json!({"meter": "words", "quantity": 1, "key": format!("{client}-{each}")});
            sent.fetch_add(1, Ordering::SeqCst);
            each += 1;
            let first = if client.is_multiple_of(2) { &killed } else { stage.server(client) };
            let answer = first.send(&key, (Method::POST, "/usage"), Some(&event)).await;
            if let Ok(answer) = answer {
                answer.expect(201);
            } else {
                // Whether it was counted is not known, so it is sent again under its key.
                let again = stage.server(client).post(&key, "/usage", &event).await;
                assert!(again.status == 201 || again.status == 200, "{again:?}");
                unsure.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let pid = killed.id();
    let murder = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        kill_hard(pid);
        tokio::time::sleep(Duration::from_millis(800)).await;
        ended.store(true, Ordering::SeqCst);
    };
    tokio::join!(join_all(clients), murder);
    killed.kill();
    let sent = sent.into_inner();
    assert!(unsure.into_inner() > 0, "the kill was noticed");
    let used = stage.scene.quota(customer.account, "words").await.used.as_atoms();
    assert_eq!(used, i64::try_from(sent).unwrap(), "every acknowledged use once, and nothing twice");
    let rows = "SELECT COUNT(*) FROM usage_records WHERE account_id = ?";
    assert_eq!(stage.count(rows, vec![customer.account.as_uuid().into()]).await, used);

    let (still, until_now) = stage.lease("roll_over").await.unwrap();
    assert_eq!(still, holder, "a lease is not taken before it ends");
    assert!(until_now >= until);
    stage.end_lease("roll_over").await;
    soon("another server takes the lease", async || {
        let (holder, _) = stage.lease("roll_over").await.unwrap();
        holder != still && whose(&stage, holder).is_some()
    })
    .await;
});

/// SIGKILL, while clients still borrow the process.
pub fn kill_hard(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}
