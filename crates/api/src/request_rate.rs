//! Requests per minute of an API key: a bucket per key in this process.

use domain::error::{Error, Result};
use domain::id::ApiKeyId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Buckets kept; the least used goes first and starts full when it comes back.
const MAX_BUCKETS: usize = 100_000;
const MILLISECONDS_PER_MINUTE: u64 = 60_000;

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// What a limited key is told in `RateLimit-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateStanding {
    pub limit: u32,
    pub remaining: u32,
    /// Until the bucket is full again.
    pub reset_seconds: u64,
}

impl RateStanding {
    /// Of a key that used up its minute.
    pub fn exhausted(per_minute: NonZeroU32) -> Self {
        standing(per_minute.get(), 0)
    }
}

pub struct RequestRates {
    buckets: Cache<(ApiKeyId, NonZeroU32), Arc<Bucket>>,
    clock: DefaultClock,
}

impl Default for RequestRates {
    fn default() -> Self {
        Self { buckets: Cache::new(MAX_BUCKETS), clock: DefaultClock::default() }
    }
}

impl RequestRates {
    /// Counts one request of a key that may make `per_minute`.
    pub fn count(&self, key: ApiKeyId, per_minute: NonZeroU32) -> Result<RateStanding> {
        let bucket = self.bucket(key, per_minute);
        match bucket.check() {
            Ok(snapshot) => Ok(standing(per_minute.get(), snapshot.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(MILLISECONDS_PER_MINUTE);
                Err(Error::RateLimited { retry_after_seconds: milliseconds.div_ceil(1000).max(1) })
            }
        }
    }

    fn bucket(&self, key: ApiKeyId, per_minute: NonZeroU32) -> Arc<Bucket> {
        let fresh = || Arc::new(RateLimiter::direct(Quota::per_minute(per_minute)).with_middleware());
        match self.buckets.get_or_insert_with(&(key, per_minute), || Ok::<_, std::convert::Infallible>(fresh())) {
            Ok(bucket) => bucket,
            Err(never) => match never {},
        }
    }
}

fn standing(limit: u32, remaining: u32) -> RateStanding {
    let missing = u64::from(limit.saturating_sub(remaining));
    let reset_seconds = (missing * MILLISECONDS_PER_MINUTE).div_ceil(u64::from(limit.max(1)) * 1000);
    RateStanding { limit, remaining, reset_seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn the_request_beyond_the_limit_waits_and_other_keys_do_not() {
        let rates = RequestRates::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (key, other) = (ApiKeyId::new(now), ApiKeyId::new(now));
        let three = NonZeroU32::new(3).unwrap();
        let remaining: Vec<_> = (0..3).map(|_| rates.count(key, three).unwrap().remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = rates.count(key, three);
        assert!(matches!(refused, Err(Error::RateLimited { retry_after_seconds: 1..=20 })));
        assert_eq!(rates.count(other, three).unwrap(), RateStanding { limit: 3, remaining: 2, reset_seconds: 20 });
    }
}
