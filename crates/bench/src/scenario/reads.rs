//! Reading from an account with very many usage rows.

use super::Runs;
use crate::client;
use crate::database::Engine;
use crate::figures::Figures;
use crate::report::{Required, Row};
use crate::stage::{Bench, Stage};
use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::time::Clock;
use infra::clock::SystemClock;
use serde_json::{Value, json};

const MOST_ROWS: u64 = 1_000_000;
const CALL_EVENTS: u64 = 500;
/// The rows lie in so many hours back from now.
const HOURS: u64 = 700;
const MODELS: u64 = 8;
/// Calls between two lines on standard error.
const STEP: u64 = 200;
const CONNECTIONS: usize = 8;
const P99_MS: f64 = 20.0;
const ROUTES: [&str; 4] = ["/quota", "/usage", "/usage/summary", "/usage/summary?group_by=model"];

pub async fn measure(bench: &Bench, engine: Engine) -> anyhow::Result<Vec<Row>> {
    let mut stage = bench.stage(engine).await?;
    let events = fill(&mut stage, bench.arguments.rows.min(MOST_ROWS))?;
    stage.verify().await?;
    stage.database.settle().await?;
    let mut rows = Vec::new();
    for route in ROUTES {
        let mut runs = Runs::default();
        for _ in 0..bench.course.repeat {
            let load = stage.read(&format!("/api/v1{route}"), CONNECTIONS, bench.course)?;
            let outcome = stage.run(route, load).await?;
            runs.add(outcome.rate(), &outcome);
        }
        let p99 = Figures::of(&runs.p99_ms).unwrap_or_default();
        let latencies = runs.row(String::new(), engine, "/s");
        let name = format!("GET {route}, account with {events} rows");
        let row = Row::new(name, engine, "ms", p99).latencies(latencies.p50_ms, latencies.p99_ms);
        rows.push(row.required(Required::AtMost(P99_MS)));
    }
    bench.databases.discard(stage.end().await?).await?;
    Ok(rows)
}

/// Through the API, so that sums and counters are what they would be.
fn fill(stage: &mut Stage, rows: u64) -> anyhow::Result<u64> {
    let (now, calls) = (SystemClock.now(), rows.div_ceil(CALL_EVENTS));
    for call in 0..calls {
        let body = json!({"events": (0..CALL_EVENTS).map(|event| use_of(now, call, event)).collect::<Vec<_>>()});
        let answer = client::post(stage.server()?.address, "/usage/batch", Some(&stage.keys.hot), &body)?;
        let results = answer["results"].as_array().context("a batch without results")?;
        if let Some(other) = results.iter().find(|result| result["status"] != "accepted") {
            bail!("an event was not accepted: {other}");
        }
        stage.count(CALL_EVENTS);
        if call % STEP == 0 {
            eprintln!("{}: {} of {rows} rows of one account", stage.engine(), call * CALL_EVENTS);
        }
    }
    Ok(calls * CALL_EVENTS)
}

fn use_of(now: DateTime<Utc>, call: u64, event: u64) -> Value {
    let hours = i64::try_from(call % HOURS).unwrap_or_default();
    let occurred_at = (now - TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({
        "meter": "words",
        "quantity": 1,
        "key": format!("read-{call}-{event}"),
        "occurred_at": occurred_at,
        "dimensions": {"model": format!("model-{}", event % MODELS)},
    })
}
