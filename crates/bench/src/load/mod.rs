//! The load: keep-alive connections over loopback, each with one request in flight, bounded in count and time.
//!
//! It runs on one thread of its own and does as little as it can for a request, for it shares the machine with the
//! server that it measures. Every request that was sent is answered before a run ends, so that the database and the
//! count of answers can be compared.

pub mod answer;
mod connection;
pub mod numbers;
pub mod request;

use crate::figures::float;
use answer::Expected;
use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use request::Template;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Latencies are kept in microseconds with three digits, up to a minute.
const LONGEST_MICROS: u64 = 60_000_000;
const DIGITS: u8 = 3;
/// How long after its end a run may wait for its last answers.
const GRACE: Duration = Duration::from_mins(1);

/// One run.
#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    pub connections: usize,
    /// Sent and counted like everything else, but not part of the rate and the latencies.
    pub warm_up: Duration,
    pub duration: Duration,
    pub template: Template,
    pub expected: Expected,
    /// How many accounts there are to draw from.
    pub accounts: u64,
    /// Requests a second; without it every connection sends as soon as it has its answer.
    pub rate: Option<f64>,
}

/// What happened in a run.
#[derive(Debug)]
pub struct Outcome {
    /// Answers as expected within the measured time.
    pub answers: u64,
    /// Events recorded in the measured time.
    pub events: u64,
    /// Events recorded in all, which the database must hold.
    pub recorded: u64,
    /// All answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Of answers within the measured time, in microseconds.
    pub latency: Histogram<u64>,
    pub duration: Duration,
    /// The first answer that was not as expected.
    pub wrong: Option<String>,
}

impl Outcome {
    fn new(duration: Duration) -> anyhow::Result<Self> {
        let latency = Histogram::new_with_bounds(1, LONGEST_MICROS, DIGITS).context("the histogram's bounds")?;
        let (answers, events, recorded) = (0, 0, 0);
        Ok(Self { answers, events, recorded, statuses: BTreeMap::new(), latency, duration, wrong: None })
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        float(self.answers) / self.duration.as_secs_f64()
    }

    /// Answers of any kind, warm-up included.
    pub fn all_answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Events recorded a second.
    pub fn events_rate(&self) -> f64 {
        float(self.events) / self.duration.as_secs_f64()
    }

    /// The latency that `percent` of the answers did not exceed, in milliseconds.
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        Duration::from_micros(self.latency.value_at_percentile(percent)).as_secs_f64() * 1000.0
    }
}

/// Runs the load in a thread of its own. An answer that is not as expected fails the run.
pub async fn run(load: Load) -> anyhow::Result<Outcome> {
    let outcome = tokio::task::spawn_blocking(move || on_this_thread(&load)).await??;
    if let Some(wrong) = &outcome.wrong {
        bail!("an answer was not as expected: {wrong} (answers by status: {:?})", outcome.statuses);
    }
    if outcome.answers == 0 {
        bail!("no answer came in time (answers by status: {:?})", outcome.statuses);
    }
    Ok(outcome)
}

fn on_this_thread(load: &Load) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let most = load.warm_up + load.duration + GRACE;
    let local = tokio::task::LocalSet::new();
    let all = async { tokio::time::timeout(most, connection::run_all(load)).await };
    local.block_on(&runtime, all).context("the server stopped answering")?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_latency_that_so_many_did_not_exceed() {
        let mut outcome = Outcome::new(Duration::from_secs(1)).unwrap();
        for millis in 1..=100 {
            outcome.latency.saturating_record(millis * 1000);
        }
        assert!((outcome.percentile_ms(50.0) - 50.0).abs() < 0.1, "{}", outcome.percentile_ms(50.0));
        assert!((outcome.percentile_ms(99.0) - 99.0).abs() < 0.1, "{}", outcome.percentile_ms(99.0));
    }

    #[test]
    fn a_latency_beyond_the_scale_is_kept_as_the_longest() {
        let mut outcome = Outcome::new(Duration::from_secs(1)).unwrap();
        outcome.latency.saturating_record(u64::MAX);
        assert!(outcome.percentile_ms(99.0) >= 60_000.0);
    }
}
