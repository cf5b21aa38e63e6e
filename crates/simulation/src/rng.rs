//! A small seeded generator: the same seed gives the same numbers on every machine, and ids if it is asked to.

use domain::id::repeatable;

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for each purpose of one seed.
    pub fn of(seed: u64, purposes: &[u64]) -> Self {
        let start = Self(seed).draw();
        Self(purposes.iter().fold(start, |state, purpose| Self(state ^ purpose.wrapping_mul(GOLDEN)).draw()))
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % end).unwrap_or(0)
    }

    /// From `least` to `most`.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = most.saturating_sub(least).unsigned_abs().saturating_add(1);
        least.saturating_add_unsigned(self.draw() % span)
    }

    /// True once in so many.
    pub fn one_in(&mut self, many: u64) -> bool {
        many > 0 && self.draw().is_multiple_of(many)
    }

    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }
}

/// From here on the ids of this thread follow from the seed; `None` ends it.
pub fn seed_ids(seed: Option<u64>) {
    repeatable::draw_from(seed.map(|seed| -> repeatable::Source {
        let mut rng = Rng::new(seed);
        Box::new(move || rng.draw())
    }));
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
