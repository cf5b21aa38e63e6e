//! A provider's public keys (JWKS): kept for an hour, fetched again for a key that is not among them, but not more often
//! than every half minute.

use super::outside::{Outside, address, ask};
use super::refuse;
use chrono::{DateTime, TimeDelta, Utc};
use domain::error::{Error, Result};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::sync::Mutex;

/// A key that the provider withdrew is believed no longer than this.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// Between two fetches, whatever comes.
const FLOOR: TimeDelta = TimeDelta::seconds(30);
/// Providers publish two or three.
const MAX_KEYS: usize = 32;

#[derive(Default)]
struct Fetched {
    keys: Vec<Jwk>,
    /// When the keys were fetched.
    at: Option<DateTime<Utc>>,
    /// When somebody last tried.
    tried: Option<DateTime<Utc>>,
}

impl Fetched {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.at.is_some_and(|at| now - at < KEPT)
    }

    fn may_fetch(&self, now: DateTime<Utc>) -> bool {
        self.tried.is_none_or(|tried| now - tried >= FLOOR)
    }

    /// The key of that name, or the only one that fits when the token names none.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Jwk> {
        let mut fitting = self.keys.iter().filter(|key| fits(key, algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.common.key_id.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

#[derive(Default)]
pub struct KeySet {
    /// Locked while fetching, so that many who wait fetch once.
    fetched: Mutex<Fetched>,
}

impl KeySet {
    /// The key of a token's header.
    pub async fn find(
        &self,
        (provider, outside, url): (&str, &Outside, &str),
        (kid, algorithm): (Option<&str>, Algorithm),
        now: DateTime<Utc>,
    ) -> Result<DecodingKey> {
        let mut fetched = self.fetched.lock().await;
        let known = fetched.is_fresh(now) && fetched.find(kid, algorithm).is_some();
        if !known && fetched.may_fetch(now) {
            fetched.tried = Some(now);
            fetched.keys = fetch(provider, outside, url).await?;
            fetched.at = Some(now);
        }
        if !fetched.is_fresh(now) {
            return Err(Error::Unavailable);
        }
        let key = fetched.find(kid, algorithm).ok_or_else(|| refuse(provider, "the token's key is not published"))?;
        DecodingKey::from_jwk(key).map_err(|_| refuse(provider, "the token's key cannot be read"))
    }
}

async fn fetch(provider: &str, outside: &Outside, url: &str) -> Result<Vec<Jwk>> {
    let document = ask(provider, outside.get(address(provider, url)?)).await?.ok_or(Error::Unavailable)?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or(Error::Unavailable)?;
    // Keys of kinds that nobody knows here are no reason to refuse the others.
    Ok(keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).take(MAX_KEYS).collect())
}

/// Whether the key is for signatures of exactly that algorithm: RSA never verifies anything but RS256 here.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let for_signing = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let (kind, named) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (algorithm == Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            (algorithm == Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return false,
    };
    for_signing && kind && key.common.key_algorithm.is_none_or(|algorithm| algorithm == named)
}
