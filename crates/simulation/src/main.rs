//! `simulate`: runs seeds, says what failed, and shortens the first failure to a script.

use clap::Parser;
use simulation::faults::Fault;
use simulation::runner::{Outcome, Run};
use simulation::shrink::shorten;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Simulates the domain: interleaved use cases, months of time, failures at every call.
#[derive(Parser)]
struct Arguments {
    /// Seeds to run, one after the other.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// Operations in each.
    #[arg(long, default_value_t = 400)]
    operations: usize,
    /// Goes on with further seeds until so many steps were taken.
    #[arg(long, default_value_t = 0)]
    steps: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Commits between two looks at everything.
    #[arg(long, default_value_t = 1)]
    check_every: u64,
    /// Print what was done.
    #[arg(long)]
    trace: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let (mut all, mut failed) = (Totals::default(), 0);
    for seed in arguments.seed.. {
        if all.seeds >= arguments.seeds && all.steps >= arguments.steps {
            break;
        }
        let run = Run { check_every: arguments.check_every, ..Run::seeded(seed, arguments.operations) };
        let outcome = run.go()?;
        if arguments.trace {
            outcome.trace.iter().for_each(|line| println!("{line}"));
        }
        if let Some(violation) = &outcome.violation {
            failed += 1;
            println!("seed {seed}: after {} steps: {violation}", outcome.counts.steps);
        }
        all.add(&outcome);
        if failed == 1 && outcome.violation.is_some() {
            println!("{}", shorten(&run, outcome)?);
        }
    }
    all.print(failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Totals {
    seeds: u64,
    steps: u64,
    calls: u64,
    commits: u64,
    deadlocks: u64,
    waits: u64,
    faults: BTreeMap<Fault, u64>,
    told: BTreeMap<&'static str, u64>,
}

impl Totals {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.steps += outcome.counts.steps;
        self.calls += outcome.counts.calls;
        self.commits += outcome.counts.commits;
        self.deadlocks += outcome.counts.deadlocks;
        self.waits += outcome.counts.waits;
        for fault in outcome.injected.values() {
            *self.faults.entry(*fault).or_default() += 1;
        }
        for (what, count) in &outcome.told {
            *self.told.entry(what).or_default() += count;
        }
    }

    fn print(&self, failed: u64) {
        println!("{} seeds, {} steps, {} port calls, {} commits", self.seeds, self.steps, self.calls, self.commits);
        println!("{} waits for locks, {} contended statements", self.waits, self.deadlocks);
        let faults: Vec<String> =
            self.faults.iter().map(|(fault, count)| format!("{count} {}", fault.name())).collect();
        println!("injected: {}", faults.join(", "));
        let told: Vec<String> = self.told.iter().map(|(what, count)| format!("{count} {what}")).collect();
        println!("answers: {}", told.join(", "));
        println!("violations: {failed}");
    }
}
