//! Whether keys are looked up before they are written.
//!
//! Most keys are new, and then looking first is a statement for nothing: the key's own uniqueness tells. Customers
//! who repeat themselves do so in bursts, so a batch that met a repeated key makes the following ones look first.

use std::sync::atomic::{AtomicU32, Ordering};

/// Batches that look first after one that met a repeated key.
const WARY_BATCHES: u32 = 64;

#[derive(Debug, Default)]
pub(super) struct Repeats {
    wary: AtomicU32,
}

impl Repeats {
    /// Whether the next batch looks first.
    pub fn are_likely(&self) -> bool {
        self.wary.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// A batch met a key that existed.
    pub fn seen(&self) {
        self.wary.store(WARY_BATCHES, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_repeated_key_a_bounded_number_of_batches_look_first() {
        let repeats = Repeats::default();
        assert!(!repeats.are_likely());
        repeats.seen();
        assert_eq!((0..1_000).filter(|_| repeats.are_likely()).count(), WARY_BATCHES as usize);
    }
}
