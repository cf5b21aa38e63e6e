//! A few seeds of the simulation, that a seed repeats itself, and that each guard taken away is seen.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use simulation::defect::Defect;
use simulation::runner::{Outcome, Run};
use simulation::shrink::shorten;

#[test]
fn nothing_is_wrong_whatever_is_interleaved_and_whatever_fails() {
    for seed in 1..=6 {
        let outcome = Run::seeded(seed, 200).go().unwrap();
        assert_eq!(outcome.violation, None, "seed {seed}");
        assert!(outcome.counts.commits > 50, "seed {seed} did little: {:?}", outcome.counts);
    }
}

#[test]
fn a_seed_is_the_same_run_each_time_and_another_seed_is_another() {
    let digest = |seed| Run::seeded(seed, 150).go().unwrap().digest;
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}

/// The seeds that see the defect, one after the other.
fn seeing(defect: Defect) -> impl Iterator<Item = (Run, Outcome)> {
    (1..=40).filter_map(move |seed| {
        let run = Run { defect: Some(defect), ..Run::seeded(seed, 300) };
        let outcome = run.go().unwrap();
        outcome.violation.is_some().then_some((run, outcome))
    })
}

/// One at a time, each is the only thing that keeps something from going wrong.
const GUARDS: [Defect; 24] = [
    Defect::NoRowLock("accounts"),
    Defect::NoRowLock("api_keys"),
    Defect::NoRowLock("users"),
    Defect::NoUnique("users"),
    Defect::NoUnique("usage_keys"),
    Defect::NoUnique("answers"),
    Defect::Unconditional("coupons"),
    Defect::Unconditional("redemption_codes"),
    Defect::Unconditional("payments"),
    Defect::Unconditional("referrals"),
    Defect::Unconditional("lanes"),
    Defect::Forget("answers"),
    Defect::Forget("usage_keys"),
    Defect::Forget("counters"),
    Defect::Forget("outbox"),
    Defect::Forget("audit"),
    Defect::Forget("suspense"),
    Defect::Forget("notices"),
    Defect::Forget("bill_payments"),
    Defect::Forget("invoices"),
    Defect::Forget("marks"),
    Defect::Forget("sessions"),
    Defect::LoseCommit,
    Defect::KeepRolledBack,
];

#[test]
fn each_guard_that_is_taken_away_is_missed() {
    let overlooked: Vec<Defect> = GUARDS.into_iter().filter(|guard| seeing(*guard).next().is_none()).collect();
    assert_eq!(overlooked, [], "taken away, and nothing was wrong");
}

#[test]
fn a_failure_is_shortened_to_a_few_operations() {
    // Some failures need many to come together; of a few one does not.
    let shortened = seeing(Defect::NoRowLock("accounts")).take(6).map(|(run, outcome)| shorten(&run, outcome).unwrap());
    let short = shortened.min_by_key(|short| short.run.script.len()).unwrap();
    println!("{short}");
    assert!(short.run.script.len() <= 12, "{short}");
    assert!(short.outcome.violation.is_some());
}
