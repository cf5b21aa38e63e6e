//! Fifty at once on one scarce thing: exactly as many succeed as fit.

mod incentives;
mod last_units;
mod migrating;
mod reservations;
mod seeding;
mod teams;
mod wallets;

const ROUNDS: usize = 100;
/// How many rounds instead, as `just race` says.
const ROUNDS_VARIABLE: &str = "SUANPAN_RACE_ROUNDS";

#[expect(clippy::disallowed_methods, clippy::panic, reason = "tests have no settings, and a typo must not pass")]
pub fn rounds() -> usize {
    match std::env::var(ROUNDS_VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{ROUNDS_VARIABLE} is not a number: {text}")),
        Err(_) => ROUNDS,
    }
}
