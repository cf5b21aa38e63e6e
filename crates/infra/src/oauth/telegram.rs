//! Telegram's log-in: no code and no exchange, but fields signed with a key made of the bot's token.
//! Source: core.telegram.org/widgets/login, "Checking authorization".

use super::outside::address;
use super::refuse;
use super::settings::ProviderSettings;
use chrono::{DateTime, TimeDelta, Utc};
use domain::error::{Error, Result};
use domain::identity::{ExternalIdentity, FlowSecrets};
use domain::time::Clock;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A signature older than this proves nothing any more.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// How far two clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// Telegram sends seven.
const MAX_FIELDS: usize = 32;
const HASH: &str = "hash";

pub struct Telegram {
    settings: ProviderSettings,
    clock: Arc<dyn Clock>,
}

impl Telegram {
    pub fn new(settings: ProviderSettings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    pub fn authorization_url(&self, secrets: &FlowSecrets) -> Result<String> {
        let name = self.settings.name.as_str();
        let mut url = address(name, self.settings.authorize_url().ok_or(Error::Unavailable)?)?;
        let mut return_to = address(name, &self.settings.callback_url)?;
        let origin = return_to.origin().ascii_serialization();
        return_to.query_pairs_mut().append_pair("state", secrets.state.expose());
        url.query_pairs_mut()
            .append_pair("bot_id", &self.settings.client_id)
            .append_pair("origin", &origin)
            .append_pair("return_to", return_to.as_str());
        Ok(url.into())
    }

    pub fn identify(&self, fields: &BTreeMap<String, String>) -> Result<ExternalIdentity> {
        let refuse = |reason| refuse(self.settings.name.as_str(), reason);
        if fields.len() > MAX_FIELDS || !fields.iter().all(is_plain) || !self.is_signed(fields) {
            return Err(refuse("the fields are not signed with the bot's token"));
        }
        let signed_at = fields.get("auth_date").and_then(|text| text.parse().ok());
        let signed_at = signed_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let now = self.clock.now();
        let fresh = |at: &DateTime<Utc>| now - *at <= FRESH && *at - now <= LEEWAY;
        let signed_at = signed_at.filter(fresh).ok_or_else(|| refuse("the signature is not of now"))?;
        let name = [fields.get("first_name"), fields.get("last_name")].into_iter().flatten().cloned();
        let name = name.collect::<Vec<_>>().join(" ");
        let identity = fields.get("id").and_then(|id| ExternalIdentity::read(id, Some(&name), None, false));
        let identity = identity.ok_or_else(|| refuse("there is no id"))?;
        Ok(ExternalIdentity { signed_at: Some(signed_at), ..identity })
    }

    fn is_signed(&self, fields: &BTreeMap<String, String>) -> bool {
        let lines = fields.iter().filter(|(name, _)| *name != HASH).map(|(name, value)| format!("{name}={value}"));
        let key = Sha256::digest(self.settings.client_secret.expose_secret().as_bytes());
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
        mac.update(lines.collect::<Vec<_>>().join("\n").as_bytes());
        let hash = fields.get(HASH).and_then(|hash| bytes_of_hex(hash));
        hash.is_some_and(|hash| mac.verify_slice(&hash).is_ok())
    }
}

/// Lines are signed, so a field that could be read as two of them is none.
fn is_plain((name, value): (&String, &String)) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !value.chars().any(char::is_control)
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
