//! The scenarios, and on which database each runs.

mod batch;
mod close;
mod consume;
mod growth;
mod memory;
mod quota;
mod reads;

use crate::arguments::Scenario;
use crate::database::Engine;
use crate::figures::Figures;
use crate::load::Outcome;
use crate::report::Row;
use crate::stage::Bench;

/// Scenarios that share one database: none minds the rows that the others left.
const SHARED: [Scenario; 6] =
    [Scenario::Hot, Scenario::Spread, Scenario::Latency, Scenario::Batch, Scenario::Quota, Scenario::Memory];

/// Runs what was asked for.
pub async fn run_all(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for engine in bench.arguments.engines() {
        if SHARED.iter().any(|scenario| bench.arguments.wants(*scenario)) {
            rows.extend(on_one_stage(bench, engine).await?);
        }
        if bench.arguments.wants(Scenario::Growth) {
            rows.extend(growth::measure(bench, engine).await?);
        }
        if bench.arguments.wants(Scenario::Reads) {
            rows.extend(reads::measure(bench, engine).await?);
        }
        if bench.arguments.wants(Scenario::Close) {
            rows.extend(close::measure(bench, engine).await?);
        }
    }
    Ok(rows)
}

async fn on_one_stage(bench: &Bench, engine: Engine) -> anyhow::Result<Vec<Row>> {
    let mut stage = bench.stage(engine).await?;
    let mut rows = consume::measure(bench, &mut stage).await?;
    if bench.arguments.wants(Scenario::Batch) {
        rows.push(batch::measure(bench, &mut stage).await?);
    }
    if bench.arguments.wants(Scenario::Quota) {
        rows.push(quota::measure(bench, &mut stage).await?);
    }
    if bench.arguments.wants(Scenario::Memory) {
        rows.extend(memory::measure(bench, &mut stage).await?);
    }
    bench.databases.discard(stage.end().await?).await?;
    Ok(rows)
}

/// What the runs of one kind gave.
#[derive(Debug, Default)]
struct Runs {
    rates: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
}

impl Runs {
    fn add(&mut self, rate: f64, outcome: &Outcome) {
        self.rates.push(rate);
        self.p50_ms.push(outcome.percentile_ms(50.0));
        self.p99_ms.push(outcome.percentile_ms(99.0));
    }

    fn figures(&self) -> Figures {
        Figures::of(&self.rates).unwrap_or_default()
    }

    /// The row of the rates, with the medians of the latencies.
    fn row(&self, scenario: String, engine: Engine, unit: &'static str) -> Row {
        let median = |runs: &[f64]| Figures::of(runs).map(|figures| figures.median);
        Row::new(scenario, engine, unit, self.figures()).latencies(median(&self.p50_ms), median(&self.p99_ms))
    }
}
