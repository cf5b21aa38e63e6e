//! Rates before and after something happened, and how soon the usual one was there again.

use crate::trial::Trial;
use std::time::{Duration, Instant};
use suanpan_bench::figures::float;

/// Windows whose median is the usual rate.
const USUAL: usize = 15;
const WINDOW: Duration = Duration::from_secs(1);
/// In windows.
const RECOVERED_WITHIN: usize = 10;
/// Of the usual rate.
const PERCENT: f64 = 95.0;

/// The windows after something happened, beside the usual rate before it.
pub struct Comparison {
    pub before: f64,
    windows: Vec<f64>,
    /// The usual rate later, where no window was as good as before.
    after: Option<f64>,
}

impl Comparison {
    pub async fn with(trial: &Trial, before: f64) -> Self {
        let mut windows = Vec::new();
        for _ in 0..RECOVERED_WITHIN {
            let now = rate(trial).await;
            windows.push(now);
            if is_as_good(now, before) {
                return Self { before, windows, after: None };
            }
        }
        // The database's own rate may have changed meanwhile, which is nobody's doing: see what it stays at.
        let after = Some(usual_rate(trial).await);
        Self { before, windows, after }
    }

    /// Windows until the rate was as good as before.
    pub fn strictly(&self) -> Option<usize> {
        self.after.is_none().then_some(self.windows.len())
    }

    /// Windows until the rate was as good as before, or as it was to stay.
    pub fn within(&self) -> Option<usize> {
        let reference = self.after.unwrap_or(self.before);
        self.windows.iter().position(|now| is_as_good(*now, reference)).map(|place| place + 1)
    }

    /// What the rate stayed at, of that before.
    pub fn left(&self) -> f64 {
        self.after.map_or(1.0, |after| after / self.before)
    }

    pub fn told(&self) -> String {
        let Self { before, windows, after } = self;
        format!("{PERCENT} % of {before:.0} events/s before or {after:.0?} afterwards: {windows:.0?}")
    }
}

/// How often and how soon the rate before was there again.
pub fn summed_up(comparisons: &[Comparison]) -> String {
    let slowest = comparisons.iter().filter_map(Comparison::strictly).max().unwrap_or(0);
    let other: Vec<usize> = (0..comparisons.len()).filter(|at| comparisons[*at].strictly().is_none()).collect();
    let (strictly, all) = (comparisons.len() - other.len(), comparisons.len());
    format!("{PERCENT} % of the rate before within {slowest} s {strictly} times of {all}, not so {other:?}")
}

/// The median of many windows.
pub async fn usual_rate(trial: &Trial) -> f64 {
    let mut rates = Vec::with_capacity(USUAL);
    for _ in 0..USUAL {
        rates.push(rate(trial).await);
    }
    rates.sort_by(f64::total_cmp);
    rates[USUAL / 2]
}

fn is_as_good(now: f64, reference: f64) -> bool {
    now >= reference * PERCENT / 100.0
}

/// Acknowledged events a second from now on.
async fn rate(trial: &Trial) -> f64 {
    let (before, began) = (trial.crowd.journal.acknowledged(), Instant::now());
    tokio::time::sleep(WINDOW).await;
    float(trial.crowd.journal.acknowledged() - before) / began.elapsed().as_secs_f64()
}
