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
    /// Caps what overage costs, or not any more.
    Cap,
    GiveGrant,
    RevokeGrant,
    Adjust,
    DecideAdjustment,
    Reverse,
    Subscribe,
    /// Cancels, resumes, or chooses whether bills are paid from the wallet.
    Alter,
    MakeCoupon,
    PayBill,
    ChargeBill,
    VoidBill,
    RefundBill,
    AskForInvoice,
    /// Issues, rejects or reverses.
    DecideInvoice,
    /// A chunk of renewals, interim bills, chasing or closing.
    BillingRound,
    Order,
    /// A customer pays at the provider, mostly what was asked for.
    PayAtProvider,
    /// The provider's message is delivered, perhaps not for the first time.
    Notify,
    /// A chunk of closing, asking and following.
    PaymentRound,
    /// A day of the provider is compared with ours.
    Reconcile,
    CloseOrder,
    RefundPayment,
    ResolveSuspense,
    FoundTeam,
    Join,
    Invite,
    /// Approves, removes, caps, hands over, leaves or deletes.
    Manage,
    Register,
    LogIn,
    LogOut,
    ChangePassword,
    MakeCodes,
    Redeem,
    CheckIn,
    TransferReferral,
    FanOut,
    Deliver,
    /// Operators look at revenue, overage, what is owed and what went back.
    Report,
    /// What is encrypted is encrypted with the newest key.
    Reseal,
    /// Old usage rows are deleted; nothing compares sums with them afterwards.
    Retain,
    /// After the last operation: the loops do all that is left.
    Settle,
    /// At the very end: bills are derived again from the usage rows behind them.
    Audit,
    /// Time goes on: seconds, hours, days or weeks.
    Advance,
}

/// One operation in so many is the one before it once more, at the same time.
const TWIN: u64 = 12;

/// One operation in so many is of the same kind as the one before it, or its rival: several want the same at the same time.
const RUSH: u64 = 4;

/// Acts that want the same row, and that the dice alone seldom bring together.
const RIVALS: &[(Act, Act)] = &[(Act::LogIn, Act::ChangePassword), (Act::ChangePassword, Act::LogIn)];

/// How often each is drawn.
const WEIGHTS: &[(Act, usize)] = &[
    (Act::Meter, 40),
    (Act::RepeatUse, 9),
    (Act::Reserve, 12),
    (Act::End, 14),
    (Act::ExpireDue, 5),
    (Act::RollOver, 4),
    (Act::Cap, 4),
    (Act::GiveGrant, 4),
    (Act::RevokeGrant, 4),
    (Act::Adjust, 9),
    (Act::DecideAdjustment, 3),
    (Act::Reverse, 3),
    (Act::Subscribe, 12),
    (Act::Alter, 4),
    (Act::MakeCoupon, 3),
    (Act::PayBill, 9),
    (Act::ChargeBill, 6),
    (Act::VoidBill, 2),
    (Act::RefundBill, 3),
    (Act::AskForInvoice, 4),
    (Act::DecideInvoice, 4),
    (Act::BillingRound, 14),
    (Act::Order, 10),
    (Act::PayAtProvider, 14),
    (Act::Notify, 14),
    (Act::PaymentRound, 10),
    (Act::Reconcile, 4),
    (Act::CloseOrder, 2),
    (Act::RefundPayment, 4),
    (Act::ResolveSuspense, 3),
    (Act::FoundTeam, 2),
    (Act::Join, 10),
    (Act::Invite, 4),
    (Act::Manage, 8),
    (Act::Register, 4),
    (Act::LogIn, 10),
    (Act::LogOut, 2),
    (Act::ChangePassword, 6),
    (Act::MakeCodes, 1),
    (Act::Redeem, 6),
    (Act::CheckIn, 5),
    (Act::TransferReferral, 2),
    (Act::FanOut, 14),
    (Act::Deliver, 14),
    (Act::Report, 3),
    (Act::Reseal, 2),
    (Act::Advance, 22),
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
    for number in 2..operations.len() {
        let before = operations[number - 1];
        if before.act != Act::Advance && Rng::new(operations[number].dice ^ 1).one_in(RUSH) {
            operations[number].act = rival_of(before.act).unwrap_or(before.act);
        }
    }
    for number in 1..operations.len() {
        let before = operations[number - 1];
        if before.act != Act::Advance && Rng::new(operations[number].dice).one_in(TWIN) {
            operations[number] = Operation { number, ..before };
        }
    }
    operations
}

fn rival_of(act: Act) -> Option<Act> {
    RIVALS.iter().find(|(one, _)| *one == act).map(|(_, other)| *other)
}
