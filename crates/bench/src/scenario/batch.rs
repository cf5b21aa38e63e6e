//! The batch endpoint beside single events.

use super::Runs;
use crate::database::Engine;
use crate::figures::Figures;
use crate::loads::{BATCH_CONNECTIONS, BATCH_EVENTS, Whom};
use crate::report::{Required, Row};
use crate::stage::{Bench, Stage};

/// How many times as many events must go through.
const TIMES: f64 = 1.5;

pub async fn measure(bench: &Bench, stage: &mut Stage) -> anyhow::Result<Row> {
    let (mut batches, mut singles) = (Runs::default(), Vec::new());
    for _ in 0..bench.course.repeat {
        if !bench.arguments.alone {
            let load = stage.single(Whom::Hot, bench.course)?;
            singles.push(stage.run("hot, beside batches", load).await?.rate());
        }
        let load = stage.batch(bench.course)?;
        let outcome = stage.run("batches", load).await?;
        batches.add(outcome.events_rate(), &outcome);
    }
    stage.verify().await?;
    let name = format!("batches of {BATCH_EVENTS}, {BATCH_CONNECTIONS} connections");
    let row = batches.row(name, stage.engine(), "events/s").compared_with("single events", Figures::of(&singles));
    Ok(if stage.engine() == Engine::Postgres { row.required(Required::Ratio(TIMES)) } else { row })
}
