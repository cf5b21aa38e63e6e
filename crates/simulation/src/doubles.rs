//! What services need from outside beside the database: random bytes that follow from the seed, vaults, receivers.

use crate::core::Sim;
use crate::db::hash;
use crate::rng::Rng;
use async_trait::async_trait;
use domain::error::{Error, Result};
use domain::id::RedemptionCodeId;
use domain::identity::{MeterScales, Password, PasswordHash, PasswordHasher, SecretSource};
use domain::incentives::{CodeText, CodeVault, SealedCode};
use domain::notices::{FailureReason, Mail, Mailer, Outcome, WebhookMessage, WebhookSender};
use domain::sealed::{Resealer, SealedColumn, SealedText};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that follow from the seed.
pub struct Bytes(Mutex<Rng>);

impl Bytes {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng::of(seed, &[4])))
    }
}

impl SecretSource for Bytes {
    fn random(&self) -> Result<[u8; 32]> {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&rng.draw().to_be_bytes());
        }
        Ok(bytes)
    }
}

/// Keeps codes as they are, under a key that is older than the newest.
pub struct OpenVault;

const OLDER: &str = "1:";
const NEWEST: &str = "2:";

impl CodeVault for OpenVault {
    fn seal(&self, _: RedemptionCodeId, code: &CodeText) -> Result<SealedCode> {
        Ok(SealedCode(format!("{OLDER}{}", code.expose())))
    }

    fn open(&self, _: RedemptionCodeId, sealed: &SealedCode) -> Result<CodeText> {
        sealed.0.split_once(':').and_then(|(_, code)| CodeText::parse(code)).ok_or(Error::KeyMissing)
    }
}

impl Resealer for OpenVault {
    fn newest(&self) -> Option<String> {
        Some(NEWEST.to_owned())
    }

    fn reseal(&self, _: SealedColumn, sealed: &SealedText) -> Option<String> {
        Some(format!("{NEWEST}{}", sealed.text.trim_start_matches(OLDER)))
    }
}

/// "Hashes" that can be read, and take a while.
pub struct PlainHasher(pub Arc<Sim>);

impl PlainHasher {
    pub fn plain(password: &Password) -> PasswordHash {
        PasswordHash::from_phc(format!("plain:{}", password.expose()))
    }

    async fn work(&self) -> Result<()> {
        self.0.enter(false).await.map_or(Ok(()), |_| Err(Error::Unavailable))
    }
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash> {
        self.work().await?;
        Ok(Self::plain(password))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool> {
        self.work().await?;
        Ok(Self::plain(password) == *hash)
    }

    fn dummy(&self) -> PasswordHash {
        PasswordHash::from_phc("none".to_owned())
    }
}

/// No meter of the simulated shop has decimals.
pub struct WholeNumbers;

impl MeterScales for WholeNumbers {
    fn scale(&self, meter: &str) -> Option<u8> {
        ["words", "calls", "space"].contains(&meter).then_some(0)
    }
}

/// Whoever gets webhooks and mails; keeps how often each was there.
pub struct Receivers {
    sim: Arc<Sim>,
    got: Mutex<BTreeMap<(String, String), u32>>,
    tries: Mutex<u64>,
}

impl Receivers {
    pub fn new(sim: Arc<Sim>) -> Self {
        Self { sim, got: Mutex::default(), tries: Mutex::default() }
    }

    pub fn got(&self) -> MutexGuard<'_, BTreeMap<(String, String), u32>> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receivers fail often while anything may fail.
    fn is_down(&self, id: &str) -> bool {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        *tries += 1;
        self.sim.lock().stormy && Rng::of(*tries, &[hash(&id)]).one_in(6)
    }

    async fn receive(&self, to: &str, id: &str) -> Outcome {
        if self.sim.enter(false).await.is_some() {
            return Outcome::Failed(FailureReason::Timeout, None);
        }
        if self.is_down(id) {
            return Outcome::Failed(FailureReason::BadStatus, Some(503));
        }
        *self.got().entry((to.to_owned(), id.to_owned())).or_default() += 1;
        // The answer can be lost after the receiver has it.
        match self.sim.enter(false).await {
            Some(_) => Outcome::Failed(FailureReason::Timeout, None),
            None => Outcome::Accepted(Some(200)),
        }
    }
}

#[async_trait]
impl WebhookSender for Receivers {
    async fn send(&self, message: &WebhookMessage) -> Outcome {
        self.receive(&message.endpoint.to_string(), &message.id).await
    }
}

#[async_trait]
impl Mailer for Receivers {
    async fn send(&self, mail: &Mail) -> Outcome {
        self.receive(&mail.to, &mail.id).await
    }
}
