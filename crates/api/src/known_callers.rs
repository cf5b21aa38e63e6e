//! Callers seen a moment ago, so that a busy key is not looked up for every request.
//!
//! Revocation must count on every replica within five seconds: nothing is believed for longer than three,
//! and this process forgets everybody as soon as it changes a right itself.

use domain::identity::{Authenticated, TokenHash};
use quick_cache::sync::Cache;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const BELIEVED: Duration = Duration::from_secs(3);
const MAX_CALLERS: usize = 10_000;

/// The address belongs to the key, for a key may be bound to addresses.
type Seen = (TokenHash, Option<IpAddr>);

struct Sighting {
    since: Instant,
    epoch: u64,
    caller: Authenticated,
}

pub struct KnownCallers {
    seen: Cache<Seen, Arc<Sighting>>,
    epoch: AtomicU64,
}

impl Default for KnownCallers {
    fn default() -> Self {
        Self { seen: Cache::new(MAX_CALLERS), epoch: AtomicU64::new(0) }
    }
}

impl KnownCallers {
    pub fn get(&self, hash: TokenHash, ip: Option<IpAddr>, now: Instant) -> Option<Authenticated> {
        let sighting = self.seen.get(&(hash, ip))?;
        let fresh = sighting.epoch == self.epoch() && now.duration_since(sighting.since) < BELIEVED;
        fresh.then(|| sighting.caller.clone())
    }

    /// `since` and `epoch` are of when the look-up began: what was forgotten meanwhile stays forgotten.
    pub fn put(&self, hash: TokenHash, since: Instant, epoch: u64, caller: &Authenticated) {
        let sighting = Sighting { since, epoch, caller: caller.clone() };
        self.seen.insert((hash, caller.actor.ip), Arc::new(sighting));
    }

    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// After any change of keys, sessions, users or roles.
    pub fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use domain::actor::{Actor, Role};
    use domain::id::{AccountId, UserId};
    use domain::identity::{Token, TokenKind};

    fn caller() -> Authenticated {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (user, personal_account) = (UserId::new(now), AccountId::new(now));
        let actor = Actor { user, role: Role::User, personal_account, key: None, ip: None };
        Authenticated { actor, session: None, requests_per_minute: None }
    }

    #[test]
    fn a_caller_is_believed_for_less_than_three_seconds_and_from_one_address() {
        let (known, start) = (KnownCallers::default(), Instant::now());
        let hash = Token::from_random(TokenKind::Session, [1; 32]).hash();
        known.put(hash, start, known.epoch(), &caller());
        assert!(known.get(hash, None, start + Duration::from_millis(2999)).is_some());
        assert!(known.get(hash, None, start + Duration::from_secs(3)).is_none());
        assert!(known.get(hash, Some("10.0.0.1".parse().unwrap()), start).is_none());
    }

    #[test]
    fn a_look_up_that_began_before_a_change_of_rights_is_not_believed() {
        let (known, start) = (KnownCallers::default(), Instant::now());
        let hash = Token::from_random(TokenKind::Session, [1; 32]).hash();
        let epoch = known.epoch();
        known.forget_all();
        known.put(hash, start, epoch, &caller());
        assert!(known.get(hash, None, start).is_none());
    }
}
