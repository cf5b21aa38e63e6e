//! How long a log-in must wait after failures, per login name and per address; and joining a team by a code of six
//! digits, redeeming a code, and claiming an ID number, each per user and per address; and beginning to log in through
//! another provider, per address.
//!
//! After a run of failures each further one locks for twice as long. A quiet quarter of an hour
//! ends the run; so does a success, for the login name only: an address may hold many people.

use crate::id::UserId;
use crate::text::hex;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Failures of one login name, or wrong codes of one user, until it is locked.
const LOGIN_FAILURES: u32 = 5;
/// Failures from one address until it is locked: more, because an office shares one.
const ADDRESS_FAILURES: u32 = 20;
const QUIET: TimeDelta = TimeDelta::minutes(15);
const FIRST_LOCK_SECONDS: i64 = 60;
const LONGEST_LOCK_SECONDS: i64 = 15 * 60;

/// Whose failures are counted; a hash, so that mistyped passwords and addresses are not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThrottleKey(String);

impl ThrottleKey {
    /// `name` as the user typed it, folded, whether or not it exists.
    pub fn login(name: &str) -> Self {
        Self(format!("login:{}", hex(&Sha256::digest(name.as_bytes()))))
    }

    /// An IPv6 address counts with its /64, which is one customer's.
    pub fn address(ip: IpAddr) -> Self {
        let network = match ip.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("{:x?}", &address.segments()[..4]),
        };
        Self(format!("address:{}", hex(&Sha256::digest(network.as_bytes()))))
    }

    /// Wrong codes of one user who wants to join a team. No success ends the run: one's own team has a right code.
    pub fn joining(user: UserId) -> Self {
        Self::of_user("join", user)
    }

    /// Wrong codes from one address, by however many users.
    pub fn joining_from(ip: IpAddr) -> Self {
        Self::of_address("join", ip)
    }

    /// Wrong redemption codes of one user.
    pub fn redeeming(user: UserId) -> Self {
        Self::of_user("redeem", user)
    }

    pub fn redeeming_from(ip: IpAddr) -> Self {
        Self::of_address("redeem", ip)
    }

    /// ID numbers of others that one user claims.
    pub fn verifying(user: UserId) -> Self {
        Self::of_user("verify", user)
    }

    pub fn verifying_from(ip: IpAddr) -> Self {
        Self::of_address("verify", ip)
    }

    /// Log-ins through other providers that were begun from one address. One that ends well ends the run: whoever comes
    /// back from a provider was a person.
    pub fn starting_from(ip: IpAddr) -> Self {
        Self::of_address("oauth", ip)
    }

    fn of_user(what: &str, user: UserId) -> Self {
        Self(format!("{what}:{}", hex(&Sha256::digest(user.to_string().as_bytes()))))
    }

    fn of_address(what: &str, ip: IpAddr) -> Self {
        Self(format!("{what}-{}", hex(&Sha256::digest(Self::address(ip).0.as_bytes()))))
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn most_failures(&self) -> u32 {
        let one_person = ["login:", "join:", "redeem:", "verify:"].iter().any(|kind| self.0.starts_with(kind));
        if one_person { LOGIN_FAILURES } else { ADDRESS_FAILURES }
    }
}

/// A run of failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginThrottle {
    pub key: ThrottleKey,
    pub failures: u32,
    pub last_failed_at: DateTime<Utc>,
    pub locked_until: Option<DateTime<Utc>>,
}

impl LoginThrottle {
    pub fn first_failure(key: ThrottleKey, now: DateTime<Utc>) -> Self {
        Self { key, failures: 1, last_failed_at: now, locked_until: None }
    }

    /// Whole seconds until the next attempt is heard, at least 1; `None` when it is heard now.
    pub fn retry_after_seconds(&self, now: DateTime<Utc>) -> Option<u64> {
        let wait = self.locked_until? - now;
        let milliseconds = u64::try_from(wait.num_milliseconds()).ok().filter(|_| wait > TimeDelta::zero())?;
        Some(milliseconds.div_ceil(1000).max(1))
    }

    /// Counts one more failure.
    #[must_use]
    pub fn after_failure(self, now: DateTime<Utc>) -> Self {
        let quiet_since = self.locked_until.map_or(self.last_failed_at, |until| until.max(self.last_failed_at));
        if now - quiet_since >= QUIET {
            return Self::first_failure(self.key, now);
        }
        let failures = self.failures.saturating_add(1);
        let locked_until = failures.checked_sub(self.key.most_failures()).map(|beyond| now + lock_length(beyond));
        Self { failures, last_failed_at: now, locked_until, ..self }
    }
}

fn lock_length(beyond: u32) -> TimeDelta {
    let seconds = FIRST_LOCK_SECONDS.checked_shl(beyond.min(10)).unwrap_or(LONGEST_LOCK_SECONDS);
    TimeDelta::seconds(seconds.min(LONGEST_LOCK_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn failed(times: i64) -> LoginThrottle {
        let first = LoginThrottle::first_failure(ThrottleKey::login("zhang"), at(1));
        (2..=times).fold(first, |throttle, second| throttle.after_failure(at(second)))
    }

    #[test]
    fn the_fifth_failure_locks_for_a_minute_and_the_fourth_does_not() {
        assert_eq!(failed(4).retry_after_seconds(at(4)), None);
        assert_eq!(failed(5).retry_after_seconds(at(5)), Some(60));
        assert_eq!(failed(5).retry_after_seconds(at(64)), Some(1));
        assert_eq!(failed(5).retry_after_seconds(at(65)), None);
    }

    #[test]
    fn each_further_failure_doubles_the_lock_up_to_a_quarter_of_an_hour() {
        let locks: Vec<_> = (5..=11).map(|times| failed(times).retry_after_seconds(at(times)).unwrap()).collect();
        assert_eq!(locks, [60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(failed(100).retry_after_seconds(at(100)), Some(900));
    }

    #[test]
    fn wrong_codes_lock_a_user_after_five_and_an_address_after_twenty() {
        let (user, ip) = (UserId::new(at(0)), "10.0.0.1".parse().unwrap());
        let users = [ThrottleKey::joining(user), ThrottleKey::redeeming(user), ThrottleKey::verifying(user)];
        let addresses = [
            ThrottleKey::joining_from,
            ThrottleKey::redeeming_from,
            ThrottleKey::verifying_from,
            ThrottleKey::starting_from,
        ];
        let addresses = addresses.map(|of| of(ip));
        for (key, most) in users.map(|key| (key, 5)).into_iter().chain(addresses.map(|key| (key, 20))) {
            assert!(key.as_str().len() <= 80);
            let first = LoginThrottle::first_failure(key, at(1));
            let last = (2..most).fold(first, |throttle, second| throttle.after_failure(at(second)));
            assert_eq!(last.retry_after_seconds(at(most)), None);
            assert_eq!(last.after_failure(at(most)).retry_after_seconds(at(most)), Some(60));
        }
    }

    #[test]
    fn a_quiet_quarter_of_an_hour_ends_the_run() {
        assert_eq!(failed(4).after_failure(at(4 + 899)).failures, 5);
        assert_eq!(failed(4).after_failure(at(4 + 900)).failures, 1);
        assert_eq!(failed(5).after_failure(at(5 + 60 + 899)).failures, 6);
    }

    #[test]
    fn an_address_is_locked_later_than_a_login_and_an_ipv6_network_is_one_address() {
        let first = LoginThrottle::first_failure(ThrottleKey::address("10.0.0.1".parse().unwrap()), at(1));
        let nineteen = (2..=19).fold(first, |throttle, second| throttle.after_failure(at(second)));
        assert_eq!(nineteen.retry_after_seconds(at(19)), None);
        assert_eq!(nineteen.after_failure(at(20)).retry_after_seconds(at(20)), Some(60));
        let key = |ip: &str| ThrottleKey::address(ip.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }
}
