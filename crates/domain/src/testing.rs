//! Doubles for tests: a unit of work of mocks, a store that hands it out, and a clock that stands still.

use crate::accounts::{AccountRepository, MockAccountRepository};
use crate::identity::{
    ApiKeyRepository, MockApiKeyRepository, MockSessionRepository, MockThrottleRepository, MockUserRepository,
    SessionRepository, ThrottleRepository, UserRepository,
};
use crate::store::{Repositories, Store, StoreError, StoreResult, UnitOfWork};
use crate::time::Clock;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One mock per port; a call that a test does not expect fails it.
#[derive(Default)]
pub struct MockWork {
    pub users: MockUserRepository,
    pub sessions: MockSessionRepository,
    pub api_keys: MockApiKeyRepository,
    pub throttles: MockThrottleRepository,
    pub accounts: MockAccountRepository,
    commits: Arc<AtomicUsize>,
}

impl Repositories for MockWork {
    fn users(&self) -> &dyn UserRepository {
        &self.users
    }
    fn sessions(&self) -> &dyn SessionRepository {
        &self.sessions
    }
    fn api_keys(&self) -> &dyn ApiKeyRepository {
        &self.api_keys
    }
    fn throttles(&self) -> &dyn ThrottleRepository {
        &self.throttles
    }
    fn accounts(&self) -> &dyn AccountRepository {
        &self.accounts
    }
}

#[async_trait]
impl UnitOfWork for MockWork {
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Reads through one set of mocks and begins the given units of work, one after the other.
#[derive(Default)]
pub struct MockStore {
    pub reads: MockWork,
    works: Mutex<VecDeque<MockWork>>,
    commits: Arc<AtomicUsize>,
}

impl MockStore {
    pub fn reading(reads: MockWork) -> Self {
        Self { reads, ..Self::default() }
    }

    /// Adds a unit of work to begin.
    #[must_use]
    pub fn beginning(self, mut work: MockWork) -> Self {
        work.commits = self.commits.clone();
        self.works.lock().unwrap_or_else(PoisonError::into_inner).push_back(work);
        self
    }

    /// How many units of work were committed.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

impl Repositories for MockStore {
    fn users(&self) -> &dyn UserRepository {
        self.reads.users()
    }
    fn sessions(&self) -> &dyn SessionRepository {
        self.reads.sessions()
    }
    fn api_keys(&self) -> &dyn ApiKeyRepository {
        self.reads.api_keys()
    }
    fn throttles(&self) -> &dyn ThrottleRepository {
        self.reads.throttles()
    }
    fn accounts(&self) -> &dyn AccountRepository {
        self.reads.accounts()
    }
}

#[async_trait]
impl Store for MockStore {
    async fn begin(&self) -> StoreResult<Box<dyn UnitOfWork>> {
        let work = self.works.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match work {
            Some(work) => Ok(Box::new(work)),
            None => Err(StoreError::Other("the test did not expect this unit of work".into())),
        }
    }
}

/// A clock that stands still.
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
