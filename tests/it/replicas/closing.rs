//! Two servers close the same periods at once while usage arrives, and one of them is killed in the middle.

use super::Stage;
use super::loops::kill_hard;
use super::process::Process;
use crate::online::count;
use chrono::{DateTime, TimeDelta, Utc};
use domain::billing::{BillKind, IssuedBill};
use domain::id::AccountId;
use domain::time::Period;
use futures_util::future::join_all;
use harness::auditor::violations;
use harness::bills::wish;
use harness::databases::{self, Fresh};
use harness::db_test;
use harness::scene::command;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Accounts that close at once, and how often; the full figures are 1,000 and 20.
const ACCOUNTS: usize = 60;
const ROUNDS: usize = 1;
/// Who report usage meanwhile, each so many events a call.
const CLIENTS: usize = 4;
const EVENTS: usize = 10;
/// A thousand words beyond what is included: half a yuan.
const BEFORE: i64 = 310_000;
/// Of an event that a server is too busy for.
const ATTEMPTS: usize = 100;
/// Longer than any round takes.
const PATIENCE: Duration = Duration::from_mins(5);

/// One database with subscriptions whose period is over, and two servers on it.
struct Month {
    stage: Stage,
    accounts: Vec<AccountId>,
    period: Period,
    /// An operator's session.
    operator: String,
    /// A key that reports for any account.
    service: String,
}

impl Month {
    async fn over(fresh: &Fresh, accounts: usize) -> Self {
        let mut stage = Stage::set(fresh).await;
        stage.servers.truncate(2);
        let services = &stage.scene.services;
        let accounts = stage.scene.accounts(accounts).await;
        for account in &accounts {
            services.subscriptions.set(&stage.scene.operator(), *account, &wish("professional")).await.unwrap();
        }
        let uses: Vec<_> = accounts.iter().map(|account| command(*account, "words", BEFORE, "before")).collect();
        assert!(services.metering.consume(&uses).await.unwrap().iter().all(Result::is_ok));
        let period = services.metering.quota(accounts[0]).await.unwrap().subscription.period;
        let operator = stage.scene.operator_in_session("closer").await;
        let body = json!({"name": "service", "scopes": ["service"]});
        let service = stage.servers[0].post(&operator, "/api-keys", &body).await.expect(201).text("/key");
        let month = Self { stage, accounts, period, operator, service };
        month.end().await;
        month
    }

    /// A minute after the period: no loop closes it yet.
    async fn end(&self) {
        let now = self.period.end + TimeDelta::minutes(1);
        self.stage.set_clock(now).await;
        self.stage.scene.move_clock(now);
        // What was used before the end lies in the future of a server whose clock stands still.
        let (started, nobody) = (Instant::now(), self.stage.scene.accounts(1).await[0]);
        let at = (self.period.end - TimeDelta::hours(1)).to_rfc3339();
        for (number, server) in self.stage.servers.iter().enumerate() {
            let key = format!("probe {number}");
            let probe =
                json!({"meter": "words", "quantity": 1, "key": key, "account": nobody.to_string(), "occurred_at": at});
            while server.post(&self.service, "/usage", &probe).await.status != 201 {
                assert!(started.elapsed() < PATIENCE, "the servers follow the clock");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    async fn close(&self, server: &Process) -> Option<Value> {
        let call = (Method::POST, "/admin/billing/close");
        let answer = server.send(&self.operator, call, Some(&json!({}))).await.ok()?;
        Some(answer.expect(200).body)
    }

    /// What arrives while it is closed: events of the period that is over, and of the new one.
    async fn report(&self, client: usize, ended: &AtomicBool, kept: &Mutex<Vec<String>>) {
        let (start, late) = (self.period.start.to_rfc3339(), self.period.end - TimeDelta::hours(1));
        for each in 0.. {
            if ended.load(Ordering::SeqCst) {
                return;
            }
            let event = |number: usize| {
                let account = self.accounts[(client + each * EVENTS + number * 7) % self.accounts.len()].to_string();
                let key = format!("{start} {client} {each} {number}");
                let mut event = json!({"meter": "words", "quantity": 1000, "key": key, "account": account});
                if number.is_multiple_of(2) {
                    event["occurred_at"] = json!(late.to_rfc3339());
                }
                event
            };
            let mut left: Vec<Value> = (0..EVENTS).map(event).collect();
            let keys = left.iter().map(|event| format!("{} {}", event["account"], event["key"]));
            kept.lock().unwrap().extend(keys);
            // Nobody knows whether what is not answered was counted, so it is sent again under its keys, to the survivor.
            for attempt in 0.. {
                let server = if attempt == 0 { client % self.stage.servers.len() } else { 1 };
                left = self.unbooked(&self.stage.servers[server], left).await;
                if left.is_empty() {
                    break;
                }
                assert!(attempt < ATTEMPTS, "not booked: {left:?}");
            }
        }
    }

    /// Sends events; those that are not booked, as far as is known.
    async fn unbooked(&self, server: &Process, events: Vec<Value>) -> Vec<Value> {
        let body = json!({ "events": events });
        let answer = server.send(&self.service, (Method::POST, "/usage/batch"), Some(&body)).await;
        let Some(results) = answer.ok().and_then(|answer| answer.body["results"].as_array().cloned()) else {
            return events;
        };
        let booked = |result: &Value| result["status"] == "accepted" || result["status"] == "duplicate";
        for result in results.iter().filter(|result| !booked(result)) {
            assert_eq!(result["problem"]["code"], "unavailable", "{result}");
        }
        events.into_iter().zip(results).filter(|(_, result)| !booked(result)).map(|(event, _)| event).collect()
    }

    async fn issued(&self) -> i64 {
        self.stage.count("SELECT COUNT(*) FROM billing_records WHERE kind = 'month'", vec![]).await
    }

    /// The bills of the period, by account.
    async fn bills(&self) -> BTreeMap<AccountId, Vec<IssuedBill>> {
        let slots: Vec<_> = self.accounts.iter().map(|account| (*account, self.period.start)).collect();
        let mut bills = BTreeMap::<_, Vec<_>>::new();
        for issued in self.stage.scene.services.store.bills().of_periods(BillKind::Month, &slots).await.unwrap() {
            if issued.bill.period == self.period {
                bills.entry(issued.bill.account).or_default().push(issued);
            }
        }
        bills
    }

    /// One server is killed when a third of the bills are there; answers the bills that were issued by then.
    async fn close_while_one_is_killed(&self, kept: &Mutex<Vec<String>>) -> BTreeMap<AccountId, Vec<IssuedBill>> {
        let (ended, [victim, survivor]) = (AtomicBool::new(false), [0, 1].map(|at| &self.stage.servers[at]));
        let clients = (0..CLIENTS).map(|client| self.report(client, &ended, kept));
        let murder = async {
            let (started, third) = (Instant::now(), i64::try_from(self.accounts.len() / 3).unwrap());
            while self.issued().await < third {
                assert!(started.elapsed() < PATIENCE, "bills are made");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            kill_hard(victim.id());
            self.bills().await
        };
        let closing = async {
            let (_, closed, early) = tokio::join!(self.close(victim), self.close(survivor), murder);
            assert!(closed.is_some(), "the survivor answers");
            ended.store(true, Ordering::SeqCst);
            early
        };
        tokio::join!(join_all(clients), closing).1
    }
}

async fn round(fresh: &Fresh, accounts: usize) {
    let month = Month::over(fresh, accounts).await;
    let kept = Mutex::new(Vec::new());
    let early = month.close_while_one_is_killed(&kept).await;
    let scene = &month.stage.scene;
    assert!(early.len() >= accounts / 3);

    // Whatever the victim had begun is undone and done by the survivor.
    let again = month.close(&month.stage.servers[1]).await.unwrap();
    assert_eq!(again["failed"], 0);
    let bills = month.bills().await;
    assert_eq!(bills.len(), accounts, "none is missing");
    assert!(bills.values().all(|of| of.len() == 1), "none twice");
    for (account, before) in &early {
        assert_eq!(bills.get(account), Some(before), "an issued bill never changes");
    }
    assert_eq!(scene.differences().await, [], "every bill is its usage rows");
    late_use_is_no_part_of_it(&month).await;
    assert_eq!(month.bills().await, bills, "an issued bill never changes");

    let mut kept = kept.into_inner().unwrap();
    kept.sort_unstable();
    kept.dedup();
    let rows =
        "SELECT COUNT(*) FROM usage_records WHERE usage_key NOT IN ('before', 'after') AND usage_key NOT LIKE 'probe%'";
    assert_eq!(month.stage.count(rows, vec![]).await, i64::try_from(kept.len()).unwrap(), "each use once");
    let found = violations(&fresh.url).await;
    assert!(found.is_empty(), "the auditor found {found:#?}");
    println!("{accounts} subscriptions, {} uses meanwhile, {} bills when one was killed", kept.len(), early.len());
}

async fn late_use_is_no_part_of_it(month: &Month) {
    let late: DateTime<Utc> = month.period.end - TimeDelta::hours(2);
    let uses = month.accounts.iter().map(|account| {
        let mut after = command(*account, "words", 1, "after");
        after.occurred_at = Some(late);
        after
    });
    let outcomes = month.stage.scene.services.metering.consume(&uses.collect::<Vec<_>>()).await.unwrap();
    let adjusted = |outcome: &domain::metering::Outcome| {
        let record = &outcome.as_ref().unwrap().record;
        (record.adjustment, record.period_start) == (true, month.period.end)
    };
    assert!(outcomes.iter().all(adjusted));
}

/// Another database of the same kind.
async fn another(fresh: &Fresh) -> Fresh {
    match fresh.url.split(':').next() {
        Some("postgres") => databases::server("TEST_POSTGRES_URL").await,
        Some("mysql") => databases::server("TEST_MARIADB_URL").await,
        _ => databases::sqlite().await,
    }
}

db_test!(servers_that_close_at_once_bill_each_subscription_once_though_one_is_killed, async |fresh: &Fresh| {
    let (rounds, accounts) = (count("SUANPAN_CLOSING_ROUNDS", ROUNDS), count("SUANPAN_CLOSING_ACCOUNTS", ACCOUNTS));
    for _ in 0..rounds {
        let another = another(fresh).await;
        round(&another, accounts).await;
        another.discard().await;
    }
});
