//! What is done in a run: a list of operations that follows from the seed, so that it can be shortened.

use crate::rng::Rng;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A batch of one to four uses, reservations and ends.
    Meter,
    /// A key that was used before, with the same content.
    RepeatUse,
    Reserve,
    End,
    ExpireDue,
    RollOver,
    GiveGrant,
    RevokeGrant,
    Adjust,
    DecideAdjustment,
    Reverse,
    /// Time goes on: seconds, hours, days or weeks.
    Advance,
}

/// One operation in so many is the one before it once more, at the same time.
const TWIN: u64 = 12;

/// How often each is drawn.
const WEIGHTS: &[(Act, usize)] = &[
    (Act::Meter, 30),
    (Act::RepeatUse, 8),
    (Act::Reserve, 10),
    (Act::End, 12),
    (Act::ExpireDue, 4),
    (Act::RollOver, 3),
    (Act::GiveGrant, 4),
    (Act::RevokeGrant, 2),
    (Act::Adjust, 8),
    (Act::DecideAdjustment, 3),
    (Act::Reverse, 3),
    (Act::Advance, 9),
];

/// One operation. Whatever else it needs is drawn from `dice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    pub number: usize,
    /// The operation of which this is a second click: its number, or the own one.
    pub twin_of: usize,
    pub act: Act,
    pub dice: u64,
}

/// The operations of a seed.
pub fn script(seed: u64, length: usize) -> Vec<Operation> {
    let mut rng = Rng::of(seed, &[1]);
    let total = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let draw = |number| {
        let mut place = rng.below(total);
        let act = WEIGHTS.iter().find(|(_, weight)| {
            let here = place < *weight;
            place = place.saturating_sub(*weight);
            here
        });
        Operation { number, twin_of: number, act: act.map_or(Act::Meter, |(act, _)| *act), dice: rng.draw() }
    };
    let mut operations: Vec<Operation> = (0..length).map(draw).collect();
    for number in 1..operations.len() {
        let before = operations[number - 1];
        if before.act != Act::Advance && Rng::new(operations[number].dice).one_in(TWIN) {
            operations[number] = Operation { number, ..before };
        }
    }
    operations
}
