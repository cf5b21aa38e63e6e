//! Chance that can be repeated: a schedule of faults derives from its seed alone.

use std::cell::Cell;
use std::time::Duration;

/// SplitMix64.
pub struct Chance(Cell<u64>);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut mixed = self.0.get();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to but not including `end`, which is above zero.
    pub fn below(&self, end: u64) -> u64 {
        self.next() % end
    }

    /// True in `percent` of a hundred.
    pub fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn between(&self, shortest: Duration, longest: Duration) -> Duration {
        let range = u64::try_from((longest.saturating_sub(shortest)).as_micros()).unwrap_or(u64::MAX).max(1);
        shortest + Duration::from_micros(self.below(range))
    }
}
