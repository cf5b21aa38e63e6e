//! Callers seen a moment ago, so that a busy key is not looked up for every request.
//!
//! Revocation must count on every replica within five seconds: nothing is believed for longer than three,
//! and this process forgets everybody as soon as it changes a right itself. Strangers are remembered too, apart from
//! callers, so that guessing tokens neither asks the database each time nor pushes callers out.

use domain::error::{Error, Result};
use domain::identity::{Authenticated, TokenHash};
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const BELIEVED: Duration = Duration::from_secs(3);
const MAX_CALLERS: usize = 10_000;
const MAX_STRANGERS: usize = 10_000;
/// Look-ups at one time; those of one caller wait for each other.
const LOOK_UPS: usize = 64;

/// The address belongs to the key, for a key may be bound to addresses.
type Seen = (TokenHash, Option<IpAddr>);

struct Sighting<T> {
    since: Instant,
    epoch: u64,
    of: T,
}

pub struct KnownCallers {
    callers: Cache<Seen, Arc<Sighting<Authenticated>>>,
    strangers: Cache<Seen, Arc<Sighting<()>>>,
    look_ups: [Mutex<()>; LOOK_UPS],
    hasher: RandomState,
    epoch: AtomicU64,
}

impl Default for KnownCallers {
    fn default() -> Self {
        Self {
            callers: Cache::new(MAX_CALLERS),
            strangers: Cache::new(MAX_STRANGERS),
            look_ups: [const { Mutex::const_new(()) }; LOOK_UPS],
            hasher: RandomState::new(),
            epoch: AtomicU64::new(0),
        }
    }
}

impl KnownCallers {
    /// The caller as remembered, or as found by `look_up`; many requests of one caller look it up once.
    pub async fn find<F>(
        &self,
        hash: TokenHash,
        ip: Option<IpAddr>,
        look_up: impl FnOnce() -> F,
    ) -> Result<Authenticated>
    where
        F: Future<Output = Result<Authenticated>>,
    {
        if let Some(known) = self.get(hash, ip, Instant::now()) {
            return known;
        }
        let turn = usize::try_from(self.hasher.hash_one((hash, ip)) % LOOK_UPS as u64).unwrap_or_default();
        let _turn = self.look_ups[turn].lock().await;
        // What was forgotten while the look-up ran stays forgotten.
        let (now, epoch) = (Instant::now(), self.epoch());
        if let Some(known) = self.get(hash, ip, now) {
            return known;
        }
        let found = look_up().await;
        self.put((hash, ip), now, epoch, &found);
        found
    }

    fn get(&self, hash: TokenHash, ip: Option<IpAddr>, now: Instant) -> Option<Result<Authenticated>> {
        let seen = (hash, ip);
        if let Some(caller) = self.callers.get(&seen).filter(|sighting| self.holds(sighting, now)) {
            return Some(Ok(caller.of.clone()));
        }
        let stranger = self.strangers.get(&seen).filter(|sighting| self.holds(sighting, now));
        stranger.map(|_| Err(Error::Unauthenticated))
    }

    fn holds<T>(&self, sighting: &Sighting<T>, now: Instant) -> bool {
        sighting.epoch == self.epoch() && now.duration_since(sighting.since) < BELIEVED
    }

    fn put(&self, seen: Seen, since: Instant, epoch: u64, found: &Result<Authenticated>) {
        match found {
            Ok(caller) => self.callers.insert(seen, Arc::new(Sighting { since, epoch, of: caller.clone() })),
            Err(Error::Unauthenticated) => self.strangers.insert(seen, Arc::new(Sighting { since, epoch, of: () })),
            Err(_) => {}
        }
    }

    fn epoch(&self) -> u64 {
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

    fn hash(byte: u8) -> TokenHash {
        Token::from_random(TokenKind::Session, [byte; 32]).hash()
    }

    #[test]
    fn a_caller_is_believed_for_less_than_three_seconds_and_from_one_address() {
        let (known, start) = (KnownCallers::default(), Instant::now());
        known.put((hash(1), None), start, known.epoch(), &Ok(caller()));
        assert!(known.get(hash(1), None, start + Duration::from_millis(2999)).is_some());
        assert!(known.get(hash(1), None, start + Duration::from_secs(3)).is_none());
        assert!(known.get(hash(1), Some("10.0.0.1".parse().unwrap()), start).is_none());
    }

    #[test]
    fn a_look_up_that_began_before_a_change_of_rights_is_not_believed() {
        let (known, start) = (KnownCallers::default(), Instant::now());
        let epoch = known.epoch();
        known.forget_all();
        known.put((hash(1), None), start, epoch, &Ok(caller()));
        known.put((hash(2), None), start, epoch, &Err(Error::Unauthenticated));
        assert!(known.get(hash(1), None, start).is_none());
        assert!(known.get(hash(2), None, start).is_none());
    }

    #[tokio::test]
    async fn many_requests_of_one_caller_or_stranger_look_it_up_once() {
        let known = KnownCallers::default();
        let look_ups = AtomicU64::new(0);
        let ask = |byte: u8, answer: fn() -> Result<Authenticated>| {
            let look_ups = &look_ups;
            known.find(hash(byte), None, move || async move {
                look_ups.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                answer()
            })
        };
        let callers = futures_util::future::join_all((0..50).map(|_| ask(1, || Ok(caller())))).await;
        assert!(callers.iter().all(Result::is_ok));
        assert_eq!(look_ups.swap(0, Ordering::SeqCst), 1);
        let strangers = futures_util::future::join_all((0..50).map(|_| ask(2, || Err(Error::Unauthenticated)))).await;
        assert!(strangers.iter().all(|found| matches!(found, Err(Error::Unauthenticated))));
        assert_eq!(look_ups.swap(0, Ordering::SeqCst), 1);
        for _ in 0..2 {
            assert!(matches!(ask(3, || Err(Error::Unavailable)).await, Err(Error::Unavailable)));
        }
        assert_eq!(look_ups.swap(0, Ordering::SeqCst), 2, "a failure is not remembered");
    }
}
