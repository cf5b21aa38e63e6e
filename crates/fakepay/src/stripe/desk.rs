//! What only Stripe remembers: answers by idempotency key, sessions by id, subscriptions.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What a key stands for: the parameters, and the answer that is repeated.
pub struct Stored {
    pub fingerprint: String,
    pub status: u16,
    pub body: String,
    pub at: DateTime<Utc>,
}

#[derive(Clone)]
pub struct Subscription {
    pub id: String,
    pub customer: String,
    pub number: String,
    pub status: &'static str,
    pub unit_amount: i64,
    pub currency: String,
    pub quantity: i64,
    /// `month` or `year`.
    pub interval: String,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub cancel_at_period_end: bool,
    pub ended_at: Option<DateTime<Utc>>,
}

/// A term that was charged, or could not be.
#[derive(Clone)]
pub struct Invoice {
    pub id: String,
    pub subscription: String,
    pub customer: String,
    /// Of its payment.
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub paid_at: Option<DateTime<Utc>>,
}

/// What a session has beyond a trade.
#[derive(Clone)]
pub struct Session {
    pub id: String,
    /// The merchant's number, which is the trade's.
    pub number: String,
    /// `payment` or `subscription`.
    pub mode: String,
    pub interval: String,
    pub unit_amount: i64,
    pub quantity: i64,
    pub customer: Option<String>,
    pub subscription: Option<String>,
    /// Of the payment, which the charge and the daily bill have too; of a subscription, which they have not.
    pub metadata: Option<String>,
}

#[derive(Default)]
pub struct Desk {
    pub answers: BTreeMap<String, Stored>,
    /// By id.
    pub sessions: BTreeMap<String, Session>,
    pub subscriptions: BTreeMap<String, Subscription>,
    pub invoices: BTreeMap<String, Invoice>,
}

impl Desk {
    pub fn session_of(&self, number: &str) -> Option<&Session> {
        self.sessions.values().find(|session| session.number == number)
    }
}
