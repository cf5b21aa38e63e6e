//! kill -9 under load: nothing that was acknowledged is lost or counted twice, and the server is soon back.

use crate::seed::Chance;
use crate::trial::Ground;
use anyhow::ensure;
use std::time::Duration;
use suanpan_bench::database::Engine;

const CLIENTS: usize = 64;
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_millis(1_200);
const READY_WITHIN: Duration = Duration::from_secs(5);
const SHORT_CYCLES: u32 = 10;
const LONG_CYCLES: u32 = 200;

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    let trial = ground.trial(engine).await?;
    let chance = Chance::new(ground.arguments.seed());
    let cycles = ground.arguments.rounds(SHORT_CYCLES, LONG_CYCLES);
    let (mut slowest, mut unanswered) = (Duration::ZERO, 0);
    for _ in 0..cycles {
        let server = trial.serve().await?;
        slowest = slowest.max(server.ready_after);
        unanswered += trial.settle().await?;
        let clients = trial.crowd.start(CLIENTS);
        tokio::time::sleep(chance.between(SHORTEST, LONGEST)).await;
        // Dropping a server kills it.
        drop(server);
        trial.crowd.stop(clients).await?;
    }
    let server = trial.serve().await?;
    unanswered += trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    ensure!(slowest <= READY_WITHIN, "the server was ready only after {slowest:?}");
    let told = format!(
        "{cycles} kills, {} acknowledged, {unanswered} repeated: 0 lost, 0 doubled; ready within {:.2} s",
        trial.crowd.journal.acknowledged(),
        slowest.as_secs_f64()
    );
    ground.end(trial).await?;
    Ok(told)
}
