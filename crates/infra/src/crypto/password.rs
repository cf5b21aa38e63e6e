//! Password hashes: argon2id on the blocking pool, only so many at once, for each takes 19 MiB.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use domain::error::{Error, Result};
use domain::identity::{Password, PasswordHash, PasswordHasher};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes that may wait for each one that runs; more are told to come back.
const WAITING_PER_RUNNING: usize = 32;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

impl Cost {
    /// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
    pub const STANDARD: Self = Self { memory_kib: 19_456, passes: 2 };
    /// For tests and demo data only.
    pub const CHEAP: Self = Self { memory_kib: 64, passes: 1 };
}

pub struct Argon2Hasher {
    argon2: Argon2<'static>,
    dummy: PasswordHash,
    /// Who may wait or run.
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Argon2Hasher {
    /// A hasher that runs at most `at_once` hashes; `at_once` is at least 1.
    pub fn new(cost: Cost, at_once: usize) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|_| Error::invalid("password_cost", "is out of bounds"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = dummy(cost);
        let at_once = at_once.max(1);
        let admitted = Arc::new(Semaphore::new(at_once * (1 + WAITING_PER_RUNNING)));
        Ok(Self { argon2, dummy, admitted, running: Arc::new(Semaphore::new(at_once)) })
    }

    /// The recommended cost, and as many hashes at once as there are processors.
    pub fn standard() -> Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::new(Cost::STANDARD, processors)
    }

    /// Runs `work` on the blocking pool when its turn comes. The permits stay with the work, even when the
    /// caller goes away.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(Argon2<'static>) -> T + Send + 'static) -> Result<T> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| Error::Unavailable)?;
        let running = self.running.clone().acquire_owned().await.map_err(|_| Error::Unavailable)?;
        let argon2 = self.argon2.clone();
        let job = tokio::task::spawn_blocking(move || {
            let _permits = (admitted, running);
            work(argon2)
        });
        job.await.map_err(|_| Error::Unavailable)
    }
}

/// A well-formed hash of this cost whose output no password has; making a real one would take 19 MiB at every start.
fn dummy(cost: Cost) -> PasswordHash {
    let (salt, output) = ("c3VhbnBhbi1kdW1teS1zYWx0", "A".repeat(43));
    PasswordHash::from_phc(format!("$argon2id$v=19$m={},t={},p=1${salt}${output}", cost.memory_kib, cost.passes))
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash> {
        let password = password.clone();
        self.run(move |argon2| hash(&argon2, password.expose().as_bytes())).await?
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool> {
        let (password, hash) = (password.clone(), hash.clone());
        self.run(move |argon2| argon2.verify_password(password.expose().as_bytes(), hash.expose()).is_ok()).await
    }

    fn dummy(&self) -> PasswordHash {
        self.dummy.clone()
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<PasswordHash> {
    argon2.hash_password(password).map(|hash| PasswordHash::from_phc(hash.to_string())).map_err(|error| {
        tracing::error!(%error, "a password could not be hashed");
        Error::Unavailable
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::choose(text).unwrap()
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let hasher = Argon2Hasher::new(Cost::CHEAP, 1).unwrap();
        let (one, two) = (password("correct horse"), password("battery staple"));
        let (first, second) = (hasher.hash(&one).await.unwrap(), hasher.hash(&one).await.unwrap());
        assert_ne!(first, second);
        assert!(first.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(hasher.verify(&one, &first).await.unwrap());
        assert!(!hasher.verify(&two, &first).await.unwrap());
        assert!(!hasher.verify(&one, &hasher.dummy()).await.unwrap());
    }

    #[test]
    fn the_dummy_is_well_formed_so_that_a_stranger_costs_a_whole_verification() {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
        let verified = argon2.verify_password(b"anything", dummy(Cost::STANDARD).expose());
        assert_eq!(verified, Err(argon2::password_hash::Error::PasswordInvalid));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_still_verifies_and_a_broken_one_never() {
        let (old, new) = (Argon2Hasher::new(Cost::CHEAP, 1).unwrap(), Argon2Hasher::new(Cost::STANDARD, 1).unwrap());
        let hash = old.hash(&password("correct horse")).await.unwrap();
        assert!(new.verify(&password("correct horse"), &hash).await.unwrap());
        let broken = PasswordHash::from_phc("$argon2id$nonsense".to_owned());
        assert!(!new.verify(&password("correct horse"), &broken).await.unwrap());
    }
}
