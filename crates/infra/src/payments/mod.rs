//! Payment providers over HTTP: WeChat Pay, Alipay and Stripe, each a thin adapter of the domain's ports.
//!
//! What is shared: keys, the way outside, times and amounts. An adapter holds base URL, keys and clock and no state.

pub mod alipay;
mod amount;
mod bill;
mod form;
mod keys;
mod outside;
pub mod stripe;
mod time;
pub mod wechat;

pub use keys::{SigningKey, VerifyingKey};
pub use outside::{TIMEOUT, base_url, is_loopback};

#[cfg(test)]
mod vectors_tests;

use domain::identity::SecretSource;
use domain::time::Clock;
use std::sync::Arc;
use std::time::Duration;

/// What every adapter gets from outside.
#[derive(Clone)]
pub struct Surroundings {
    /// The real time, whatever a test clock says: providers compare it with theirs.
    pub clock: Arc<dyn Clock>,
    /// Where nonces come from.
    pub random: Arc<dyn SecretSource>,
    /// How long a call may take in all.
    pub timeout: Duration,
}
