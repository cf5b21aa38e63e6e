//! Idempotency of calls that create a charge: the first answer is kept and given again.
//!
//! The answer is written in the same unit of work as the effect, under a unique key. A second call at
//! the same moment waits for the first one's commit, fails on the key, and is answered on its retry.
//! Answers are kept for a week, which is far longer than clients retry.
//! Source: IETF Idempotency-Key draft 07; the codes are those of the HTTP contract.

use crate::error::{Error, Result};
use crate::id::UserId;
use crate::store::{Repositories, StoreResult};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest accepted key, in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// A key as the client sent it, bound to who sent it, for what, and with which content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    pub user: UserId,
    /// Method and route, so that one key can serve two routes.
    pub scope: &'static str,
    pub key: String,
    /// SHA-256 of the canonical request, in hex.
    pub fingerprint: String,
}

/// An answer that was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub fingerprint: String,
    /// JSON of the service's answer.
    pub answer: String,
}

/// A result, and whether it is the first answer given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    pub value: T,
    pub replayed: bool,
}

impl<T> Answered<T> {
    pub fn fresh(value: T) -> Self {
        Self { value, replayed: false }
    }
}

/// Whether a key has 1 to 255 printable ASCII characters.
pub fn is_valid_key(key: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// Keeps answers by user, scope and key.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait IdempotencyRepository: Send + Sync {
    async fn find(&self, request: &IdempotentRequest) -> StoreResult<Option<StoredAnswer>>;

    /// A second insert of the same key is `StoreError::Duplicate`.
    async fn insert(&self, request: &IdempotentRequest, answer: &str, now: DateTime<Utc>) -> StoreResult<()>;

    /// Deletes the answers given before `time`; how many.
    async fn delete_older_than(&self, time: DateTime<Utc>) -> StoreResult<u64>;
}

/// Finds the answer given before, if any; another content under the same key is an error.
pub async fn replay<T: DeserializeOwned>(
    work: &dyn Repositories,
    request: &IdempotentRequest,
) -> Result<Option<Answered<T>>> {
    let Some(stored) = work.idempotency().find(request).await? else {
        return Ok(None);
    };
    if stored.fingerprint != request.fingerprint {
        return Err(Error::KeyReused);
    }
    let value = serde_json::from_str(&stored.answer).map_err(|_| corrupt())?;
    Ok(Some(Answered { value, replayed: true }))
}

/// Keeps the answer; part of the caller's unit of work.
pub async fn keep<T: Serialize>(
    work: &dyn Repositories,
    request: &IdempotentRequest,
    answer: &T,
    now: DateTime<Utc>,
) -> Result<()> {
    let json = serde_json::to_string(answer).map_err(|_| corrupt())?;
    Ok(work.idempotency().insert(request, &json, now).await?)
}

fn corrupt() -> Error {
    Error::Store(crate::store::StoreError::Corrupt { table: "idempotency_keys", column: "answer" })
}
