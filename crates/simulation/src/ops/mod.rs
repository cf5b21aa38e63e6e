//! What clients do: each operation asks until it is answered, with the same words, as a client without an answer does.

mod billing;
mod incentives;
mod invoices;
mod keeping;
mod metered;
mod metering;
mod notices;
mod operators;
mod payments;
mod people;
mod settling;
mod teams;

use crate::db::{OUTSIDE, Tables};
use crate::executor::Task;
use crate::replica::Replica;
use crate::rng::Rng;
use crate::script::{Act, Operation};
use crate::world::World;
use domain::actor::Actor;
use domain::error::{Error, Result};
use domain::id::AccountId;
use domain::idempotency::IdempotentRequest;
use std::fmt::Debug;
use std::sync::Arc;
use uuid::Uuid;

/// How often a client asks before it gives up; no run comes near it.
const MOST_ASKED: u32 = 400;

/// An operation under way.
pub struct Doing {
    pub world: Arc<World>,
    pub replica: usize,
    pub operation: Operation,
    pub rng: Rng,
}

pub fn task(world: Arc<World>, replica: usize, operation: Operation) -> Task {
    let doing = Doing { world, replica, operation, rng: Rng::new(operation.dice) };
    Box::pin(doing.run())
}

/// Does an operation, whoever lets it go on.
pub async fn perform(world: Arc<World>, operation: Operation) {
    let rng = Rng::new(operation.dice);
    Doing { world, replica: 0, operation, rng }.run().await;
}

impl Doing {
    async fn run(mut self) {
        match self.operation.act {
            Act::Meter => self.meter().await,
            Act::RepeatUse => self.repeat_use().await,
            Act::Reserve => self.reserve().await,
            Act::End => self.end().await,
            Act::ExpireDue => self.expire_due().await,
            Act::RollOver => self.roll_over().await,
            Act::Cap => self.cap().await,
            Act::GiveGrant => self.give_grant().await,
            Act::RevokeGrant => self.revoke_grant().await,
            Act::Adjust => self.adjust().await,
            Act::DecideAdjustment => self.decide_adjustment().await,
            Act::Reverse => self.reverse().await,
            Act::Subscribe => self.subscribe().await,
            Act::Alter => self.alter().await,
            Act::MakeCoupon => self.make_coupon().await,
            Act::PayBill => self.pay_bill().await,
            Act::ChargeBill => self.charge_bill().await,
            Act::VoidBill => self.void_bill().await,
            Act::RefundBill => self.refund_bill().await,
            Act::AskForInvoice => self.ask_for_invoice().await,
            Act::DecideInvoice => self.decide_invoice().await,
            Act::BillingRound => self.billing_round().await,
            Act::Order => self.order().await,
            Act::PayAtProvider => self.pay_at_provider(),
            Act::Notify => self.notify().await,
            Act::PaymentRound => self.payment_round().await,
            Act::Reconcile => self.reconcile().await,
            Act::CloseOrder => self.close_order().await,
            Act::RefundPayment => self.refund_payment().await,
            Act::ResolveSuspense => self.resolve_suspense().await,
            Act::FoundTeam => self.found_team().await,
            Act::Join => self.join().await,
            Act::Invite => self.invite().await,
            Act::Manage => self.manage().await,
            Act::Register => self.register().await,
            Act::LogIn => self.log_in().await,
            Act::LogOut => self.log_out().await,
            Act::ChangePassword => self.change_password().await,
            Act::MakeCodes => self.make_codes().await,
            Act::Redeem => self.redeem().await,
            Act::CheckIn => self.check_in().await,
            Act::TransferReferral => self.transfer_referral().await,
            Act::FanOut => self.fan_out().await,
            Act::Deliver => self.deliver().await,
            Act::Report => self.report().await,
            Act::Reseal => self.reseal().await,
            Act::Retain => self.retain().await,
            Act::Settle => self.settle().await,
            Act::Audit => self.audit().await,
            Act::Advance => {}
        }
    }

    pub fn services(&self) -> &Replica {
        &self.world.replicas[self.replica % 2]
    }

    pub fn customer(&mut self) -> Actor {
        let place = self.rng.below(self.world.customers.len());
        self.world.customers[place].clone()
    }

    pub fn operator(&mut self) -> Actor {
        let place = self.rng.below(self.world.operators.len());
        self.world.operators[place].clone()
    }

    /// What this operation chose when it was first tried.
    pub fn choose(&self, what: &'static str, make: impl FnOnce() -> u128) -> u128 {
        // Made before the book is locked: it may look into the book itself.
        let fresh = make();
        self.world.book().choose(self.operation.twin_of, what, || fresh)
    }

    /// One of the rows that there are now, by its id; nil when there is none.
    pub fn choose_id(&mut self, what: &'static str, ids: impl FnOnce(&Tables) -> Vec<Uuid>) -> Uuid {
        let dice = self.rng.draw();
        let chosen = self.choose(what, || {
            let ids = ids(&self.world.eyes.lock().tables);
            let place = usize::try_from(dice % (ids.len().max(1) as u64)).unwrap_or(0);
            ids.get(place).map_or(0, Uuid::as_u128)
        });
        Uuid::from_u128(chosen)
    }

    /// The customer of an account's owner, if it is one of ours.
    pub fn owner_of(&self, account: AccountId) -> Option<Actor> {
        let place = self.choose("owner", || {
            let owner = self.world.eyes.lock().tables.accounts.get(OUTSIDE, &account).map(|account| account.owner);
            let mut customers = self.world.customers.iter();
            customers.position(|customer| Some(customer.user) == owner).map_or(u128::MAX, |place| place as u128)
        });
        self.world.customers.get(usize::try_from(place).ok()?).cloned()
    }

    /// A key of this operation's own.
    pub fn key(&self) -> String {
        format!("k{}", self.operation.twin_of)
    }

    pub fn request(&self, actor: &Actor, scope: &'static str) -> IdempotentRequest {
        let fingerprint = format!("{:x}", self.operation.dice);
        IdempotentRequest { user: actor.user, scope, key: self.key(), fingerprint }
    }

    /// Says what was done.
    pub fn tell(&self, what: &str, answer: &impl Debug) {
        let mut text = format!("{answer:?}");
        if text.len() > 300 {
            let end = (0..=300).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        let line = format!("#{} {} {what} -> {text}", self.operation.number, self.world.sim.lock().now);
        self.world.book().lines.push(line);
    }

    /// Counts an answer as done or refused.
    pub fn count<T>(&self, done: &'static str, refused: &'static str, answer: &Result<T>) {
        self.world.book().count(if answer.is_ok() { done } else { refused });
    }
}

/// Asks until there is an answer: of a failure of storage nobody knows whether it was done.
macro_rules! until_answered {
    ($ask:expr) => {{
        let mut asked = 0;
        loop {
            let answer = $ask.await;
            asked += 1;
            if asked >= $crate::ops::MOST_ASKED || !$crate::ops::is_open(&answer) {
                break answer;
            }
        }
    }};
}
pub(crate) use until_answered;

/// Whether the client knows nothing yet.
pub fn is_open<T>(answer: &Result<T>) -> bool {
    matches!(answer, Err(Error::Store(_) | Error::Unavailable))
}
