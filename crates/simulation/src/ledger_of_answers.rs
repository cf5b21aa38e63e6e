//! What clients were told, kept apart from the database: nothing of it may be lost, and nothing refused may be there.

use chrono::NaiveDate;
use domain::id::{
    AccountId, AdjustmentId, BillId, BillPaymentId, GrantId, InvoiceId, OrderId, RedemptionUseId, RefundId,
    ReservationId, UserId,
};
use domain::identity::{PasswordHash, Token};
use domain::metering::{Consume, ReservationStatus, Reserve, UsageRecord};
use domain::money::Money;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

/// The answers so far, by what was asked.
#[derive(Default)]
pub struct Book {
    /// What an operation chose when it was first tried: a repetition asks for the same.
    chosen: BTreeMap<(usize, &'static str), u128>,
    /// Receipts by account and key.
    pub receipts: BTreeMap<(AccountId, String), Arc<UsageRecord>>,
    /// Keys whose use was refused at least once.
    pub refused: BTreeSet<(AccountId, String)>,
    /// Uses that were booked, to be repeated.
    pub commands: Vec<Consume>,
    /// Reservations that were made, to be asked for again.
    pub reserves: Vec<Reserve>,
    pub reservations: BTreeMap<ReservationId, Reserved>,
    pub grants: BTreeMap<GrantId, AccountId>,
    pub revoked: BTreeSet<GrantId>,
    pub adjustments: BTreeSet<AdjustmentId>,
    /// What bills asked for as they were issued.
    pub bills: BTreeMap<BillId, Money>,
    /// Bills that were said to be paid, and by which payment.
    pub paid: BTreeMap<BillId, BillPaymentId>,
    /// What invoices were said to be over.
    pub invoices: BTreeMap<InvoiceId, Money>,
    pub orders: BTreeSet<OrderId>,
    pub refunds: BTreeSet<RefundId>,
    /// Messages of the provider that were acknowledged, by their place.
    pub acknowledged: BTreeSet<usize>,
    /// Who was said to have a user name.
    pub registered: BTreeMap<String, UserId>,
    pub sessions: Vec<Opened>,
    /// Passwords that were said to be replaced, as they are stored.
    pub replaced: BTreeSet<(UserId, String)>,
    pub redeemed: BTreeSet<RedemptionUseId>,
    pub check_ins: BTreeSet<(UserId, NaiveDate)>,
    /// Every answer by scope and key, as text: a repetition is answered alike.
    answers: BTreeMap<(&'static str, String), String>,
    /// What ended operations say of themselves.
    pub lines: Vec<String>,
    /// What clients saw that no client may see.
    pub broken: Vec<String>,
    pub told: BTreeMap<&'static str, u64>,
}

/// A reservation that was acknowledged, and the end of it that was.
#[derive(Clone, Debug)]
pub struct Reserved {
    pub account: AccountId,
    pub ended: Option<(ReservationStatus, i64)>,
    /// As far as its client knows.
    pub is_open: bool,
}

/// A session that somebody was given.
#[derive(Clone, Debug)]
pub struct Opened {
    pub user: UserId,
    pub token: Token,
    /// What the user's password was when it opened.
    pub password: PasswordHash,
    /// It was asked to end.
    pub is_ending: bool,
    /// It was said to have ended.
    pub has_ended: bool,
    /// A new password was asked for through it, which leaves it open.
    pub may_stay: bool,
}

impl Opened {
    pub fn new(user: UserId, token: Token, password: PasswordHash) -> Self {
        Self { user, token, password, is_ending: false, has_ended: false, may_stay: false }
    }
}

impl Book {
    /// The choice of an operation: made once, and the same after a crash.
    pub fn choose(&mut self, operation: usize, what: &'static str, make: impl FnOnce() -> u128) -> u128 {
        *self.chosen.entry((operation, what)).or_insert_with(make)
    }

    /// Makes the choices that others made.
    pub fn choose_as(&mut self, other: &Self) {
        self.chosen.clone_from(&other.chosen);
    }

    /// Notes an answer under a key, which is to be the first one given.
    pub fn answered(&mut self, scope: &'static str, key: &str, answer: &impl Debug) {
        let answer = format!("{answer:?}");
        let known = self.answers.entry((scope, key.to_owned())).or_insert_with(|| answer.clone());
        if *known != answer {
            self.broken.push(format!("{scope} {key} was answered in two ways: {known} and {answer}"));
        }
    }

    pub fn receipt(&mut self, record: &Arc<UsageRecord>) {
        let key = (record.account, record.key.clone());
        let known = self.receipts.entry(key).or_insert_with(|| record.clone());
        if **known != **record {
            self.broken.push(format!("two receipts for one key: {known:?} and {record:?}"));
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.told.entry(what).or_default() += 1;
    }
}
