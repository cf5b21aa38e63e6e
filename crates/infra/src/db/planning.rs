//! How PostgreSQL is to plan our statements, and for how long it keeps a plan.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Planning a large multi-row statement anew costs more than running it. A plan made while a table was still empty would scan
/// it, and every query of ours has an index.
pub const POSTGRES_PLANNING: [(&str, &str); 3] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// Without a transaction a bare ROLLBACK would write a warning into the server's log at every release.
const RESET: &str = "BEGIN; ROLLBACK";
/// As `RESET`, and the next run of each prepared statement plans it anew.
const RESET_AND_REPLAN: &str = "BEGIN; ROLLBACK; DISCARD PLANS";

/// What the connections of a pool are told when they return to it.
///
/// For a table that was analysed while it was empty all indexes cost the same, and PostgreSQL may look a row up by one that does
/// not begin with what is looked for. Such a plan reads the whole index, more as the table grows, and stays until somebody analyses
/// the table. So about once a second a connection that was in use forgets its plans: the next ones are made for
/// the size that the table has then.
pub struct Resets {
    began: Instant,
    second: AtomicU64,
}

impl Resets {
    pub fn new() -> Self {
        Self { began: Instant::now(), second: AtomicU64::new(0) }
    }

    pub fn next(&self) -> &'static str {
        let second = self.began.elapsed().as_secs();
        if self.second.fetch_max(second, Ordering::Relaxed) < second { RESET_AND_REPLAN } else { RESET }
    }
}
