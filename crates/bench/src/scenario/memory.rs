//! How fast the server starts on an existing database, and how much memory it takes, idle and overloaded.

use crate::database::Engine;
use crate::figures::{Figures, float};
use crate::load::Load;
use crate::loads::{FULL_CONNECTIONS, FULL_EVENTS, Whom};
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
/// How many connections load the server between two full queues, so that its commits are of many sizes.
const SIZES: [usize; 6] = [4, 16, 32, 64, 128, 256];
const EACH_SIZE: Duration = Duration::from_secs(1);

/// What the runs gave, in seconds and megabytes.
#[derive(Default)]
struct Taken {
    ready: Vec<f64>,
    idle: Vec<f64>,
    full: Vec<f64>,
    full_later: Vec<f64>,
}

pub async fn measure(bench: &Bench, stage: &mut Stage) -> anyhow::Result<Vec<Row>> {
    let mut taken = Taken::default();
    for _ in 0..bench.course.repeat {
        stage.restart(Tuning::default()).await?;
        taken.ready.push(stage.server()?.ready_after.as_secs_f64());
        tokio::time::sleep(IDLE).await;
        taken.idle.push(megabytes(stage.server()?.memory()?.0));
        taken.full.push(highest_when_full(bench, stage).await?);
        for (whom, connections) in [Whom::Hot, Whom::Spread].into_iter().flat_map(|whom| SIZES.map(|size| (whom, size)))
        {
            let load = Load { connections, duration: EACH_SIZE, ..stage.single(whom, bench.course)? };
            stage.run(&format!("{}, {connections} connections", whom.name()), load).await?;
        }
        taken.full_later.push(highest_when_full(bench, stage).await?);
        let latest = [&taken.ready, &taken.idle, &taken.full, &taken.full_later].map(|runs| runs.last().copied());
        eprintln!("{}: ready s, idle, full and full again MB: {latest:.3?}", stage.engine());
    }
    stage.verify().await?;
    Ok(taken.rows(stage.engine()))
}

/// Fills the queue; the most megabytes that the server ever took.
async fn highest_when_full(bench: &Bench, stage: &mut Stage) -> anyhow::Result<f64> {
    let load = stage.full(bench.course)?;
    let outcome = stage.run("full queue", load).await?;
    if !outcome.statuses.contains_key(&BUSY) {
        bail!("the queue was never full: {:?}", outcome.statuses);
    }
    Ok(megabytes(stage.server()?.memory()?.1))
}

impl Taken {
    fn rows(&self, engine: Engine) -> Vec<Row> {
        let row = |name: &str, unit, runs: &[f64], most| {
            let figures = Figures::of(runs).unwrap_or_default();
            Row::new(name, engine, unit, figures).required(Required::AtMost(most))
        };
        let full = format!("memory, {FULL_CONNECTIONS} connections with {FULL_EVENTS} events each, queue full");
        vec![
            row("start to ready", "s", &self.ready, READY_SECONDS),
            row("memory, idle", "MB", &self.idle, IDLE_MEGABYTES),
            row(&full, "MB", &self.full, LOADED_MEGABYTES),
            row("memory, queue full again after loads of all sizes", "MB", &self.full_later, LOADED_MEGABYTES),
        ]
    }
}

fn megabytes(bytes: u64) -> f64 {
    float(bytes) / BYTES_PER_MEGABYTE
}
