//! What an ID token must say to be believed: OpenID Connect Core 1.0 §3.1.3.7.

use super::refuse;
use chrono::{DateTime, TimeDelta, Utc};
use domain::error::Result;
use domain::identity::ExternalIdentity;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Value;

/// How far two clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// Longer ones are nonsense.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Whose token it must be.
pub struct Expected<'a> {
    pub provider: &'a str,
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    azp: Option<String>,
    nonce: Option<String>,
    name: Option<String>,
    email: Option<String>,
    /// Some providers write `"true"`.
    email_verified: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, client: &str) -> bool {
        match self {
            Self::One(one) => one == client,
            Self::Many(many) => many.iter().any(|one| one == client),
        }
    }

    fn is_shared(&self) -> bool {
        matches!(self, Self::Many(many) if many.len() > 1)
    }
}

/// The header of a token whose algorithm is one of the two that are accepted. `none` and the symmetric ones are not:
/// whoever knows a public key could sign with it.
pub fn header(provider: &str, token: &str) -> Result<Header> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(refuse(provider, "the ID token is too long"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| refuse(provider, "the ID token's header is odd"))?;
    match header.alg {
        Algorithm::RS256 | Algorithm::ES256 => Ok(header),
        _ => Err(refuse(provider, "the ID token's algorithm is not accepted")),
    }
}

/// Verifies signature and claims at `now`.
pub fn verify(
    token: &str,
    (algorithm, key): (Algorithm, &DecodingKey),
    expected: &Expected<'_>,
    now: DateTime<Utc>,
) -> Result<ExternalIdentity> {
    let mut validation = Validation::new(algorithm);
    // Times are checked below against our own clock, and so is everything else that is about whom.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation);
    let claims = claims.map_err(|error| refuse(expected.provider, &format!("the ID token: {error}")))?.claims;
    check(&claims, expected, now).map_err(|reason| refuse(expected.provider, reason))?;
    let verified = matches!(&claims.email_verified, Some(Value::Bool(true)))
        || claims.email_verified.as_ref().and_then(Value::as_str) == Some("true");
    ExternalIdentity::read(&claims.sub, claims.name.as_deref(), claims.email.as_deref(), verified)
        .ok_or_else(|| refuse(expected.provider, "the ID token's subject is odd"))
}

fn check(claims: &Claims, expected: &Expected<'_>, now: DateTime<Utc>) -> std::result::Result<(), &'static str> {
    let (earliest, latest) = ((now - LEEWAY).timestamp(), (now + LEEWAY).timestamp());
    let wrong = [
        (claims.iss != expected.issuer, "the ID token is another issuer's"),
        (!claims.aud.names(expected.client_id), "the ID token is for another client"),
        (claims.aud.is_shared() && claims.azp.is_none(), "the ID token is for several clients and names none"),
        (claims.azp.as_ref().is_some_and(|azp| azp != expected.client_id), "the ID token was given to another client"),
        (claims.nonce.as_deref() != Some(expected.nonce), "the ID token is of another log-in"),
        (claims.exp <= earliest, "the ID token is expired"),
        (claims.nbf.is_some_and(|from| from > latest), "the ID token is not valid yet"),
        (claims.iat.is_some_and(|at| at > latest), "the ID token was made in the future"),
    ];
    match wrong.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, reason)) => Err(reason),
        None => Ok(()),
    }
}
