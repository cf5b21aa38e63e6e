//! Everything that is encrypted at rest, and encrypting it anew with the newest key.
//!
//! Each ciphertext is replaced by itself, by an UPDATE that names the old one: a server that writes the same row
//! meanwhile wins, and a run that was killed is simply begun again, for what is done is no longer looked at.

use crate::audit::AuditEvent;
use crate::error::Result;
use crate::store::{Store, StoreResult, retrying};
use crate::time::Clock;
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Ciphertexts of one transaction.
const CHUNK: u32 = 200;

/// A column of ciphertexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedColumn {
    WebhookSecret,
    WebhookOldSecret,
    RedemptionCode,
    RealName,
    IdNumber,
    IdentityMask,
}

impl SealedColumn {
    pub const ALL: [Self; 6] = [
        Self::WebhookSecret,
        Self::WebhookOldSecret,
        Self::RedemptionCode,
        Self::RealName,
        Self::IdNumber,
        Self::IdentityMask,
    ];

    /// Table and column.
    pub const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::WebhookSecret => ("webhook_endpoints", "secret"),
            Self::WebhookOldSecret => ("webhook_endpoints", "old_secret"),
            Self::RedemptionCode => ("redemption_codes", "sealed"),
            Self::RealName => ("user_verifications", "real_name"),
            Self::IdNumber => ("user_verifications", "id_number"),
            Self::IdentityMask => ("user_verifications", "mask"),
        }
    }
}

/// A ciphertext and the row in which it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedText {
    pub row: Uuid,
    pub text: String,
}

/// Ciphertexts wherever they lie.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait SealedRepository: Send + Sync {
    /// Up to `limit` ciphertexts that do not begin with `newest`, of the rows after one, in the order of their ids.
    async fn stale(
        &self,
        column: SealedColumn,
        newest: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> StoreResult<Vec<SealedText>>;

    /// How many do not begin with `newest`.
    async fn count_stale(&self, column: SealedColumn, newest: &str) -> StoreResult<u64>;

    /// Puts another ciphertext where this one lies; false when something else lies there by now.
    async fn replace(&self, column: SealedColumn, old: &SealedText, new: &str) -> StoreResult<bool>;
}

/// The server's keys, as far as encrypting anew needs them.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait Resealer: Send + Sync {
    /// What every ciphertext of the newest key begins with; `None` without a key.
    fn newest(&self) -> Option<String>;

    /// The same under the newest key; `None` when no key opens it in its place.
    fn reseal(&self, column: SealedColumn, sealed: &SealedText) -> Option<String>;
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    pub done: u64,
    /// Changed by the server meanwhile; it wrote with its own newest key.
    pub overtaken: u64,
    /// No key opens them; they stay as they are.
    pub unreadable: u64,
}

impl Resealed {
    pub const fn seen(&self) -> u64 {
        self.done + self.overtaken + self.unreadable
    }
}

/// Encrypts everything anew.
pub struct ResealService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub keys: Arc<dyn Resealer>,
}

impl ResealService {
    /// How many ciphertexts are under an older key; `None` without a key.
    pub async fn stale(&self) -> Result<Option<u64>> {
        let Some(newest) = self.keys.newest() else { return Ok(None) };
        let mut count = 0;
        for column in SealedColumn::ALL {
            count += self.store.sealed().count_stale(column, &newest).await?;
        }
        Ok(Some(count))
    }

    /// Encrypts what is under an older key, a few rows per transaction; `progress` hears of each.
    pub async fn reseal_all(&self, progress: impl Fn(Resealed)) -> Result<Resealed> {
        let Some(newest) = self.keys.newest() else { return Ok(Resealed::default()) };
        let mut all = Resealed::default();
        for column in SealedColumn::ALL {
            let mut after = None;
            loop {
                let (part, last) = retrying!(self.store, self.chunk(column, &newest, after))?;
                all.done += part.done;
                all.overtaken += part.overtaken;
                all.unreadable += part.unreadable;
                progress(all);
                after = last;
                if part.seen() < u64::from(CHUNK) {
                    break;
                }
            }
        }
        self.note(&newest, all).await?;
        Ok(all)
    }

    async fn chunk(&self, column: SealedColumn, newest: &str, after: Option<Uuid>) -> Result<(Resealed, Option<Uuid>)> {
        let work = self.store.begin().await?;
        let mut part = Resealed::default();
        let stale = work.sealed().stale(column, newest, after, CHUNK).await?;
        for old in &stale {
            match self.keys.reseal(column, old) {
                None => part.unreadable += 1,
                Some(new) if work.sealed().replace(column, old, &new).await? => part.done += 1,
                Some(_) => part.overtaken += 1,
            }
        }
        work.commit().await?;
        Ok((part, stale.last().map(|last| last.row)))
    }

    async fn note(&self, newest: &str, all: Resealed) -> Result<()> {
        let work = self.store.begin().await?;
        let detail = json!({ "done": all.done, "overtaken": all.overtaken, "unreadable": all.unreadable });
        let event = AuditEvent::by_machine("encryption.rotate", newest, self.clock.now()).with(detail);
        work.audit().append(&event).await?;
        Ok(work.commit().await?)
    }
}
