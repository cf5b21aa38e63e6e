//! Consuming at full speed, hot and spread, in turns with the references; then its latency at half that speed.

use super::Runs;
use crate::arguments::Scenario;
use crate::database::Engine;
use crate::figures::Figures;
use crate::loads::Whom;
use crate::process::Tuning;
use crate::reference::{Reference, Work};
use crate::report::{Required, Row};
use crate::stage::{Bench, Stage};

/// Longest p99 at half of the full speed.
const P99_MS: f64 = 25.0;
/// One transaction per request of our own server, for SQLite.
const UNBATCHED: Tuning = Tuning { commit_batch: Some(1), open_files: None };

/// What the server is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rival {
    Database(Work),
    Unbatched,
}

impl Rival {
    const fn name(self) -> &'static str {
        match self {
            Self::Database(work) => work.name(),
            Self::Unbatched => "one transaction a request",
        }
    }
}

/// Who is measured beside the server, and how many times their rate it must reach.
const fn rivals(engine: Engine, whom: Whom) -> &'static [(Rival, f64)] {
    const HAND_WRITTEN: Rival = Rival::Database(Work::HandWritten);
    const BARE: Rival = Rival::Database(Work::Bare);
    match (engine, whom) {
        (Engine::Postgres, Whom::Hot) => &[(HAND_WRITTEN, 20.0), (BARE, 10.0)],
        (Engine::Postgres, Whom::Spread) => &[(HAND_WRITTEN, 4.0)],
        (Engine::Sqlite, Whom::Hot) => &[(Rival::Unbatched, 10.0)],
        (Engine::Sqlite, Whom::Spread) => &[(Rival::Unbatched, 4.0)],
        (Engine::MariaDb, Whom::Hot) => &[(HAND_WRITTEN, 8.0)],
        (Engine::MariaDb, Whom::Spread) => &[(HAND_WRITTEN, 3.0)],
    }
}

/// The server's runs and those of each rival.
struct Contest {
    whom: Whom,
    ours: Runs,
    rivals: Vec<(Rival, f64, Vec<f64>)>,
}

pub async fn measure(bench: &Bench, stage: &mut Stage) -> anyhow::Result<Vec<Row>> {
    let wants = |scenario| bench.arguments.wants(scenario);
    let latency = wants(Scenario::Latency);
    let mut contests = Vec::new();
    for (whom, asked) in [(Whom::Hot, wants(Scenario::Hot)), (Whom::Spread, wants(Scenario::Spread))] {
        if asked || latency {
            let against = if asked && !bench.arguments.alone { rivals(stage.engine(), whom) } else { &[] };
            let rivals = against.iter().map(|(rival, times)| (*rival, *times, Vec::new())).collect();
            contests.push(Contest { whom, ours: Runs::default(), rivals });
        }
    }
    if contests.is_empty() {
        return Ok(Vec::new());
    }
    compete(bench, stage, &mut contests).await?;
    let mut rows: Vec<Row> = contests.iter().flat_map(|contest| contest.rows(stage.engine())).collect();
    if latency {
        for contest in &contests {
            rows.push(at_half_speed(bench, stage, contest).await?);
        }
    }
    stage.verify().await?;
    Ok(rows)
}

/// In turns, so that whatever else the machine does meets all of them.
async fn compete(bench: &Bench, stage: &mut Stage, contests: &mut [Contest]) -> anyhow::Result<()> {
    let course = bench.course;
    let uses_database = contests.iter().any(Contest::uses_database);
    let mut reference = None;
    if uses_database {
        let database = bench.databases.create(stage.engine()).await?;
        reference = Some(Reference::set_up(database, bench.arguments.accounts).await?);
    }
    for _ in 0..course.repeat {
        for contest in &mut *contests {
            let load = stage.single(contest.whom, course)?;
            let outcome = stage.run(contest.whom.name(), load).await?;
            contest.ours.add(outcome.rate(), &outcome);
            for (rival, _, rates) in &mut contest.rivals {
                match (*rival, &mut reference) {
                    (Rival::Database(work), Some(reference)) => {
                        rates.push(reference.run(work, contest.whom, course.duration).await?);
                    }
                    _ => rates.push(unbatched(bench, stage, contest.whom).await?),
                }
            }
        }
    }
    if let Some(reference) = reference {
        reference.verify().await?;
        bench.databases.discard(reference.into_database()).await?;
    }
    Ok(())
}

/// Our own server on the same file, with every request in a transaction of its own.
async fn unbatched(bench: &Bench, stage: &mut Stage, whom: Whom) -> anyhow::Result<f64> {
    stage.restart(UNBATCHED).await?;
    let load = stage.single(whom, bench.course)?;
    let outcome = stage.run(&format!("{}, {}", whom.name(), Rival::Unbatched.name()), load).await?;
    stage.restart(Tuning::default()).await?;
    Ok(outcome.rate())
}

async fn at_half_speed(bench: &Bench, stage: &mut Stage, contest: &Contest) -> anyhow::Result<Row> {
    let half = contest.ours.figures().median / 2.0;
    let (mut p99, mut p50) = (Vec::new(), Vec::new());
    for _ in 0..bench.course.repeat {
        let load = stage.paced(contest.whom, half, bench.course)?;
        let outcome = stage.run(&format!("{} at half speed", contest.whom.name()), load).await?;
        p50.push(outcome.percentile_ms(50.0));
        p99.push(outcome.percentile_ms(99.0));
    }
    let name = format!("p99 at half speed, {} ({half:.0}/s)", contest.whom.name());
    let (p50, p99) = (Figures::of(&p50).unwrap_or_default(), Figures::of(&p99).unwrap_or_default());
    let (median, last) = (p50.median, p99.median);
    let row = Row::new(name, stage.engine(), "ms", p99).latencies(Some(median), Some(last));
    Ok(row.required(Required::AtMost(P99_MS)))
}

impl Contest {
    fn uses_database(&self) -> bool {
        self.rivals.iter().any(|(rival, ..)| matches!(rival, Rival::Database(_)))
    }

    /// A row for each rival; one without when there is none.
    fn rows(&self, engine: Engine) -> Vec<Row> {
        let row = || self.ours.row(format!("consume, {}", self.whom.name()), engine, "/s");
        if self.rivals.is_empty() {
            return vec![row()];
        }
        let against = self.rivals.iter().map(|(rival, times, rates)| {
            row().compared_with(rival.name(), Figures::of(rates)).required(Required::Ratio(*times))
        });
        against.collect()
    }
}
