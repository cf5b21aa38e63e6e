//! How fast the server starts on an existing database, and how much memory it takes, idle and overloaded.

use crate::figures::{Figures, float};
use crate::loads::{FULL_CONNECTIONS, FULL_EVENTS};
use crate::process::Tuning;
use crate::report::{Required, Row};
use crate::stage::{Bench, Stage};
use anyhow::bail;
use std::time::Duration;

/// How long a server is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(3);
const READY_SECONDS: f64 = 1.0;
const IDLE_MEGABYTES: f64 = 40.0;
const LOADED_MEGABYTES: f64 = 150.0;
const BYTES_PER_MEGABYTE: f64 = 1_000_000.0;
const BUSY: u16 = 503;

pub async fn measure(bench: &Bench, stage: &mut Stage) -> anyhow::Result<Vec<Row>> {
    let (mut ready, mut idle, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.course.repeat {
        stage.restart(Tuning::default()).await?;
        ready.push(stage.server()?.ready_after.as_secs_f64());
        tokio::time::sleep(IDLE).await;
        idle.push(megabytes(stage.server()?.memory()?.0));
        let load = stage.full(bench.course)?;
        let outcome = stage.run("full queue", load).await?;
        let busy = outcome.statuses.get(&BUSY).copied().unwrap_or_default();
        if busy == 0 {
            bail!("the queue was never full: {:?}", outcome.statuses);
        }
        loaded.push(megabytes(stage.server()?.memory()?.1));
        let latest = (ready.last(), idle.last(), loaded.last());
        eprintln!("{}: ready s, idle MB, loaded MB: {latest:.3?}; {:?}", stage.engine(), outcome.statuses);
    }
    stage.verify().await?;
    let row = |name: &str, unit, runs: &[f64], most| {
        let figures = Figures::of(runs).unwrap_or_default();
        Row::new(name, stage.engine(), unit, figures).required(Required::AtMost(most))
    };
    let full = format!("memory, {FULL_CONNECTIONS} connections with {FULL_EVENTS} events each, queue full");
    Ok(vec![
        row("start to ready", "s", &ready, READY_SECONDS),
        row("memory, idle", "MB", &idle, IDLE_MEGABYTES),
        row(&full, "MB", &loaded, LOADED_MEGABYTES),
    ])
}

fn megabytes(bytes: u64) -> f64 {
    float(bytes) / BYTES_PER_MEGABYTE
}
