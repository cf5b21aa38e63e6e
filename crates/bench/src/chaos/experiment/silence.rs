//! The database falls silent without a word, for longer than anybody waits: the server recovers by itself.

use crate::trial::Ground;
use anyhow::{Context, ensure};
use std::time::{Duration, Instant};
use suanpan_bench::database::Engine;

const CLIENTS: usize = 64;
const BEFORE: Duration = Duration::from_secs(1);
const SHORT_SILENCE: Duration = Duration::from_secs(12);
const LONG_SILENCE: Duration = Duration::from_mins(1);
const RECOVERED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    if engine == Engine::Sqlite {
        return Ok("has no connection that could fall silent".to_owned());
    }
    let trial = ground.trial(engine).await?;
    let faults = trial.proxy.as_ref().context("no proxy")?.faults.clone();
    let silence = if ground.arguments.long { LONG_SILENCE } else { SHORT_SILENCE };
    let server = trial.serve().await?;
    let clients = trial.crowd.start(CLIENTS);
    tokio::time::sleep(BEFORE).await;
    faults.silent.set(true);
    tokio::time::sleep(silence).await;
    let before = trial.crowd.journal.acknowledged();
    faults.heal();
    let healed = Instant::now();
    while trial.crowd.journal.acknowledged() == before {
        ensure!(healed.elapsed() < RECOVERED_WITHIN, "nothing was accepted {RECOVERED_WITHIN:?} after the silence");
        tokio::time::sleep(POLL).await;
    }
    let recovered = healed.elapsed();
    trial.crowd.stop(clients).await?;
    let repeated = trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    let told = format!(
        "{} s of silence, accepted again after {:.2} s, {} acknowledged, {repeated} repeated, answers {:?}: 0 lost, \
         0 doubled",
        silence.as_secs(),
        recovered.as_secs_f64(),
        trial.crowd.journal.acknowledged(),
        trial.crowd.journal.statuses(),
    );
    ground.end(trial).await?;
    Ok(told)
}
