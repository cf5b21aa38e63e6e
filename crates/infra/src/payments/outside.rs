//! Asking a payment provider: bounded in time and size, without redirects, and with an outcome that says whether the
//! provider may have done what it was asked.

use crate::failpoints::{self, Point};
use domain::orders::{ProviderError, ProviderResult};
use domain::wallet::Provider;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use std::net::IpAddr;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte sent to the last one read.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// Answers to calls have a few KiB.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// A day's bill; with a million rows it has about 200 MB, which is asked for by other means.
pub const MAX_BILL_BYTES: usize = 64 * 1024 * 1024;
/// Unanswered connections that are kept for the next call.
const IDLE_CONNECTIONS: usize = 4;
/// Providers refuse requests without.
const USER_AGENT: &str = concat!("Suanpan/", env!("CARGO_PKG_VERSION"));

/// What came back, whole.
pub struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The way to one provider.
#[derive(Clone)]
pub struct Outside {
    client: Client,
    provider: Provider,
    base: Url,
}

impl Outside {
    /// `base` is https, or http on a loopback address.
    pub fn new(provider: Provider, base: &str, timeout: Duration) -> Result<Self, &'static str> {
        let base = base_url(base)?;
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()
            .map_err(|_| "no HTTP client can be made")?;
        Ok(Self { client, provider, base })
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A path with its query, from the root of the base URL's host.
    pub fn at(&self, path_and_query: &str) -> ProviderResult<Url> {
        self.base.join(path_and_query).map_err(|_| self.unavailable("a request has an address that is no URL"))
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&self, request: RequestBuilder, most_bytes: usize) -> ProviderResult<Answer> {
        failpoints::reach(Point::BeforeCall);
        let mut response = request.send().await.map_err(|error| self.failed(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + chunk.len() > most_bytes {
                return Err(self.untrusted("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        failpoints::reach(Point::AfterCall);
        Ok(Answer { status, headers, body })
    }

    /// Before a connection there was nothing that the provider could have acted on.
    fn failed(&self, error: reqwest::Error) -> ProviderError {
        let not_sent = error.is_connect() || error.is_builder();
        let provider = self.provider.name();
        // An address may hold a token, so it never reaches the log.
        tracing::warn!(provider, not_sent, error = %error.without_url(), "a payment provider could not be asked");
        if not_sent { ProviderError::Unavailable } else { ProviderError::Unknown }
    }

    /// An answer that proves nothing: the provider may have acted all the same.
    pub fn untrusted(&self, reason: &str) -> ProviderError {
        tracing::warn!(provider = self.provider.name(), reason, "a payment provider's answer was not believed");
        ProviderError::Unknown
    }

    pub fn unavailable(&self, reason: &str) -> ProviderError {
        tracing::warn!(provider = self.provider.name(), reason, "a payment provider was not asked");
        ProviderError::Unavailable
    }

    pub fn refused(&self, code: &str, message: &str) -> ProviderError {
        tracing::debug!(provider = self.provider.name(), code, "a payment provider refused");
        ProviderError::Refused { code: cut(code, 64), message: cut(message, 256) }
    }
}

/// At most so many characters.
pub fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Reads a base URL: plain http only to this machine, where the fake provider lives.
pub fn base_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "must be a URL")?;
    let to_itself = is_loopback(&url);
    match url.scheme() {
        "https" => Ok(url),
        "http" if to_itself => Ok(url),
        "http" => Err("must begin with https unless it is a loopback address"),
        _ => Err("must begin with https"),
    }
}

/// Whether a URL names this machine by address.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
