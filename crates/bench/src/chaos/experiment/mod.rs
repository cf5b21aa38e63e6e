//! The experiments. Each says what it did and found, or fails.

pub mod cancel;
pub mod cut;
pub mod drain;
pub mod kill;
pub mod restart;
pub mod silence;
pub mod starve;
