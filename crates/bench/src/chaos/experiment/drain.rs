//! SIGTERM under load: what was begun is answered whole, and the server ends by itself.

use crate::seed::Chance;
use crate::trial::Ground;
use anyhow::ensure;
use std::time::Duration;
use suanpan_bench::database::Engine;

const CLIENTS: usize = 64;
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_millis(700);
const SHORT_DRAINS: u32 = 5;
const LONG_DRAINS: u32 = 100;
/// The bound of the settings, `server.drain_seconds`, and a little.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    let trial = ground.trial(engine).await?;
    let chance = Chance::new(ground.arguments.seed());
    let drains = ground.arguments.rounds(SHORT_DRAINS, LONG_DRAINS);
    let mut slowest = Duration::ZERO;
    for _ in 0..drains {
        let server = trial.serve().await?;
        let clients = trial.crowd.start(CLIENTS);
        tokio::time::sleep(chance.between(SHORTEST, LONGEST)).await;
        let (status, took) = server.terminate(ENDED_WITHIN).await?;
        trial.crowd.stop(clients).await?;
        ensure!(status.success(), "the server ended with {status}");
        slowest = slowest.max(took);
    }
    let server = trial.serve().await?;
    let repeated = trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    let told = format!(
        "{drains} times asked to end, {} acknowledged, {repeated} repeated: 0 answers broke off, 0 lost, 0 doubled; \
         ended within {:.2} s",
        trial.crowd.journal.acknowledged(),
        slowest.as_secs_f64()
    );
    ground.end(trial).await?;
    Ok(told)
}
