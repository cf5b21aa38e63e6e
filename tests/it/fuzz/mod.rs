//! Mutated input for everything that reads what strangers write. A bounded number of inputs in the suite, by the clock with
//! `just fuzz SECONDS TARGET`; a run repeats with `SUANPAN_FUZZ_SEED`.

mod engine;
mod files;
mod notifications;
mod over_http;
mod texts;
