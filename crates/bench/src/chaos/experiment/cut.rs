//! The connection breaks at COMMIT, so that its outcome is unknown: whoever repeats the request gets one effect.

use crate::trial::Ground;
use anyhow::{Context, ensure};
use std::time::{Duration, Instant};
use suanpan_bench::database::Engine;

const CLIENTS: usize = 64;
/// Of a hundred COMMITs; as many are cut before and after.
const PERCENT: u64 = 20;
const SHORT_CUTS: u32 = 200;
const LONG_CUTS: u32 = 10_000;
const POLL: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_mins(40);

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    if engine == Engine::Sqlite {
        return Ok("has no connection to cut".to_owned());
    }
    let trial = ground.trial(engine).await?;
    let faults = trial.proxy.as_ref().context("no proxy")?.faults.clone();
    let wanted = u64::from(ground.arguments.rounds(SHORT_CUTS, LONG_CUTS));
    let server = trial.serve().await?;
    let clients = trial.crowd.start(CLIENTS);
    faults.cut_before.set(PERCENT);
    faults.cut_after.set(PERCENT);
    let began = Instant::now();
    while faults.cuts() < wanted {
        ensure!(began.elapsed() < LONGEST, "only {} connections were cut", faults.cuts());
        tokio::time::sleep(POLL).await;
    }
    faults.heal();
    trial.crowd.stop(clients).await?;
    let repeated = trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    let told = format!(
        "{} cut before COMMIT arrived, {} before its answer did, {} acknowledged, {repeated} repeated, answers {:?}: \
         0 lost, 0 doubled",
        faults.cuts_before.get(),
        faults.cuts_after.get(),
        trial.crowd.journal.acknowledged(),
        trial.crowd.journal.statuses(),
    );
    ground.end(trial).await?;
    Ok(told)
}
