//! Fifty at once on one scarce thing: exactly as many succeed as fit.

mod last_units;
mod migrating;
mod seeding;
