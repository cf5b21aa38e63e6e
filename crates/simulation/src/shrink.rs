//! Shortens a failing run: fewer operations, then fewer failures, as long as something stays wrong.

use crate::faults::Plan;
use crate::runner::{Outcome, Run};

/// Runs that a shortening may take.
const MOST_TRIES: u32 = 600;

/// The shortest run found that still fails, and what becomes of it.
pub struct Shortened {
    pub run: Run,
    pub outcome: Outcome,
    pub tries: u32,
}

/// Shortens a run that fails as `outcome` says.
pub fn shorten(run: &Run, outcome: Outcome) -> anyhow::Result<Shortened> {
    let listed = Run { faults: Plan::Listed(outcome.injected.clone()), ..run.clone() };
    let mut best = Shortened { run: run.clone(), outcome, tries: 0 };
    best.attempt(listed)?;
    let reached = best.outcome.started;
    let cut = Run { script: best.run.script[..reached.min(best.run.script.len())].to_vec(), ..best.run.clone() };
    best.attempt(cut)?;
    best.drop_operations()?;
    best.drop_faults()?;
    best.drop_operations()?;
    Ok(best)
}

/// What a violation is about, without the ids and numbers of this run.
fn kind(violation: &str) -> String {
    let head = violation.split(':').next().unwrap_or_default();
    let words = head.split(' ').filter(|word| !word.contains(|letter: char| letter.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

impl Shortened {
    /// Keeps the run if it fails too; whether it does.
    fn attempt(&mut self, run: Run) -> anyhow::Result<bool> {
        if self.tries >= MOST_TRIES {
            return Ok(false);
        }
        self.tries += 1;
        let outcome = run.go()?;
        if outcome.violation.as_deref().map(kind) != self.outcome.violation.as_deref().map(kind) {
            return Ok(false);
        }
        (self.run, self.outcome) = (run, outcome);
        Ok(true)
    }

    /// Leaves out ever smaller parts of the script.
    fn drop_operations(&mut self) -> anyhow::Result<()> {
        let mut size = (self.run.script.len() / 2).max(1);
        loop {
            let mut from = 0;
            while from < self.run.script.len() {
                let mut script = self.run.script.clone();
                script.drain(from..(from + size).min(script.len()));
                if !self.attempt(Run { script, ..self.run.clone() })? {
                    from += size;
                }
            }
            if size == 1 || self.tries >= MOST_TRIES {
                return Ok(());
            }
            size /= 2;
        }
    }

    fn drop_faults(&mut self) -> anyhow::Result<()> {
        let Plan::Listed(listed) = self.run.faults.clone() else { return Ok(()) };
        for place in listed.keys() {
            let Plan::Listed(mut fewer) = self.run.faults.clone() else { return Ok(()) };
            fewer.remove(place);
            self.attempt(Run { faults: Plan::Listed(fewer), ..self.run.clone() })?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Shortened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "shortened to {} operations in {} runs:", self.run.script.len(), self.tries)?;
        for operation in &self.run.script {
            let twin = if operation.twin_of == operation.number { "" } else { ", once more" };
            writeln!(f, "  #{} {:?}{twin}", operation.number, operation.act)?;
        }
        for ((operation, call), fault) in &self.outcome.injected {
            writeln!(f, "  at call {call} of #{operation}: {}", fault.name())?;
        }
        writeln!(f, "what was done:")?;
        self.outcome.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        write!(f, "then: {}", self.outcome.violation.as_deref().unwrap_or("nothing wrong"))
    }
}
