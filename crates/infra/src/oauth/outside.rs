//! Asking a provider: with a time-out, without following redirects, and never reading more than is sensible.

use crate::failpoints::{self, Point};
use domain::error::{Error, Result};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte sent to the last one read.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Discovery documents, key sets and profiles have a few KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

#[derive(Clone)]
pub struct Outside {
    client: Client,
}

impl Outside {
    pub fn new() -> std::result::Result<Self, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .user_agent(concat!("suanpan/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url).header("Accept", "application/json")
    }

    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url).header("Accept", "application/json")
    }
}

/// Sends a request and reads a JSON answer. `None` is a refusal (4xx); everything else that is no answer, also a
/// redirect, means that the provider cannot be asked now.
pub async fn ask(provider: &str, request: RequestBuilder) -> Result<Option<Value>> {
    // An address may hold a secret, so it never reaches the log.
    let failed = |error: reqwest::Error| {
        tracing::warn!(provider, error = %error.without_url(), "an identity provider could not be asked");
        Error::Unavailable
    };
    failpoints::reach(Point::BeforeCall);
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    failpoints::reach(Point::AfterCall);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(odd(provider, status, "is too long"));
        }
        bytes.extend_from_slice(&chunk);
    }
    if status.is_client_error() {
        tracing::warn!(provider, %status, "an identity provider refused a request");
        return Ok(None);
    }
    if !status.is_success() {
        return Err(odd(provider, status, "is no success"));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|_| odd(provider, status, "is not JSON"))
}

fn odd(provider: &str, status: StatusCode, reason: &str) -> Error {
    tracing::warn!(provider, %status, reason, "an identity provider answered oddly");
    Error::Unavailable
}

/// An address from the settings or a discovery document.
pub fn address(provider: &str, text: &str) -> Result<Url> {
    Url::parse(text).map_err(|_| {
        tracing::warn!(provider, "an identity provider has an address that is no URL");
        Error::Unavailable
    })
}

/// A text as forms write it, which is how credentials go into a Basic header (RFC 6749 §2.3.1).
pub fn form_encoded(text: &str) -> String {
    let mut url = address("", "http://localhost").ok();
    let encoded = url.as_mut().map(|url| {
        url.query_pairs_mut().append_pair("x", text);
        url.query().and_then(|query| query.strip_prefix("x=")).unwrap_or_default().to_owned()
    });
    encoded.unwrap_or_default()
}
