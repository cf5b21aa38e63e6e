//! What many usage rows cost: two databases, one with few and one with many, in turns.

use super::Runs;
use crate::database::Engine;
use crate::disk::Disk;
use crate::load::Outcome;
use crate::loads::Whom;
use crate::process::Tuning;
use crate::report::{Required, Row};
use crate::stage::{Bench, Stage};
use std::time::{Duration, Instant};

const FEW: u64 = 10_000;
/// Rows between two lines on standard error.
const STEP: u64 = 1_000_000;
/// The part of the rate with few rows that must be left.
const PART: f64 = 0.8;
/// A rest that is worth a line on standard error.
const LONG_REST: Duration = Duration::from_secs(1);

pub async fn measure(bench: &Bench, engine: Engine) -> anyhow::Result<Vec<Row>> {
    let disk = Disk::of(bench.databases.folder())?;
    let mut few = filled(bench, engine, FEW).await?;
    let mut many = filled(bench, engine, bench.arguments.rows).await?;
    let mut rows = Vec::new();
    for whom in [Whom::Hot, Whom::Spread] {
        let (mut with_few, mut with_many) = (Runs::default(), Runs::default());
        // The first turn finds trees and disk as the filling left them, and counts for neither.
        for turn in 0..=bench.course.repeat {
            for (stage, runs) in [(&mut few, &mut with_few), (&mut many, &mut with_many)] {
                let outcome = run(bench, &disk, stage, whom).await?;
                if turn > 0 {
                    runs.add(outcome.rate(), &outcome);
                }
            }
        }
        let name = format!("consume, {}, {} usage rows", whom.name(), bench.arguments.rows);
        let row = with_many.row(name, engine, "/s").compared_with("10 000 rows", Some(with_few.figures()));
        rows.push(row.required(Required::Ratio(PART)));
    }
    for stage in [few, many] {
        stage.verify().await?;
        bench.databases.discard(stage.end().await?).await?;
    }
    Ok(rows)
}

/// One run on a disk that has finished what was asked of it before.
async fn run(bench: &Bench, disk: &Disk, stage: &mut Stage, whom: Whom) -> anyhow::Result<Outcome> {
    let rested = disk.rest().await?;
    if rested > LONG_REST {
        eprintln!("{}: the disk was quiet after {:.0} s", stage.engine(), rested.as_secs_f64());
    }
    let load = stage.single(whom, bench.course)?;
    stage.run(&format!("{}, growth", whom.name()), load).await
}

async fn filled(bench: &Bench, engine: Engine, rows: u64) -> anyhow::Result<Stage> {
    let mut stage = bench.stage(engine).await?;
    let started = Instant::now();
    let mut first = 0;
    while first < rows {
        let next = rows.min(first + STEP);
        stage.database.add_usage(stage.original, stage.accounts, first, next).await?;
        eprintln!("{engine}: {next} of {rows} usage rows after {:.0} s", started.elapsed().as_secs_f64());
        first = next;
    }
    stage.database.settle().await?;
    stage.start_counting().await?;
    // A server that was there while others filled its tables is not what is asked about.
    stage.restart(Tuning::default()).await?;
    Ok(stage)
}
