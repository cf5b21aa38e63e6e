//! What all of the fake's pages and calls share.

use crate::book::{Book, Kind};
use crate::faults::{Fault, Misdeed, take};
use crate::merchant::Keys;
use crate::postman::Postman;
use crate::stripe::Desk;
use chrono::{DateTime, TimeDelta, Utc};
use domain::time::Clock;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// What becomes of refunds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundManner {
    /// They succeed, WeChat Pay's a moment after they were taken.
    #[default]
    Succeed,
    /// They stay under way until somebody decides them.
    Stuck,
    Abnormal,
}

/// How the fake behaves until it is told otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Manners {
    pub refunds: RefundManner,
    /// How far the fake's clock is ahead of the merchant's.
    pub skew_seconds: i64,
    /// Whether notifications are sent; they are kept and can be sent later.
    pub deliver: bool,
    /// How many times each notification is sent although it was taken.
    pub duplicates: u32,
    /// How many times faster than the providers' plans the retries are.
    pub speed: u32,
    /// Where Stripe's events go; the others are told with each order.
    pub stripe_webhook_url: Option<String>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            refunds: RefundManner::Succeed,
            skew_seconds: 0,
            deliver: true,
            duplicates: 0,
            speed: 60,
            stripe_webhook_url: None,
        }
    }
}

/// Whoever locks several locks the keys first, then the book, then the desk.
pub struct Shared {
    pub clock: Arc<dyn Clock>,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    pub postman: Postman,
    book: Mutex<Book>,
    desk: Mutex<Desk>,
    faults: Mutex<Vec<Fault>>,
    manners: Mutex<Manners>,
    keys: RwLock<Keys>,
}

/// A lock whose holder panicked still holds what it held; the fake goes on.
fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(clock: Arc<dyn Clock>, base: String, keys: Keys, manners: Manners, postman: Postman) -> Self {
        Self {
            clock,
            base,
            postman,
            book: Mutex::default(),
            desk: Mutex::default(),
            faults: Mutex::default(),
            manners: Mutex::new(manners),
            keys: RwLock::new(keys),
        }
    }

    /// The fake's time.
    pub fn now(&self) -> DateTime<Utc> {
        let skew = TimeDelta::try_seconds(self.manners().skew_seconds).unwrap_or_default();
        self.clock.now().checked_add_signed(skew).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        open(&self.book)
    }

    /// What only Stripe has.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        open(&self.desk)
    }

    pub fn manners(&self) -> MutexGuard<'_, Manners> {
        open(&self.manners)
    }

    pub fn keys(&self) -> std::sync::RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn keys_mut(&self) -> std::sync::RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add_fault(&self, fault: Fault) {
        open(&self.faults).push(fault);
    }

    pub fn clear_faults(&self) {
        open(&self.faults).clear();
    }

    pub fn misdeed(&self, kind: Kind, target: &str) -> Option<Misdeed> {
        take(&mut open(&self.faults), kind, target)
    }

    /// Where the customer pays.
    pub fn pay_page(&self, kind: Kind, number: &str) -> String {
        format!("{}/pay/{}/{number}", self.base, kind.name())
    }
}
