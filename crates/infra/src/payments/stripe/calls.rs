//! One call of Stripe's interface.

use super::Stripe;
use crate::payments::form;
use crate::payments::outside::{Answer, MAX_ANSWER_BYTES};
use domain::orders::{ProviderError, ProviderResult};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Since basil the term of a subscription is on its items; a later version may move it again.
pub const VERSION: &str = "2025-03-31.basil";

#[derive(Deserialize)]
struct Failure {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// A page of a list.
#[derive(Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// The fields of a form, in order.
pub type Fields = Vec<(String, String)>;

impl Stripe {
    pub(super) async fn get<T: DeserializeOwned>(&self, path_and_query: &str) -> ProviderResult<T> {
        let url = self.outside.at(path_and_query)?;
        self.call(self.outside.client().get(url)).await
    }

    /// `key` is the same for the same request, whenever it is repeated.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, key: &str, fields: &Fields) -> ProviderResult<T> {
        let url = self.outside.at(path)?;
        let body = form::encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let request = self.outside.client().post(url).header("Idempotency-Key", key);
        self.call(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> ProviderResult<T> {
        let url = self.outside.at(path)?;
        self.call(self.outside.client().delete(url)).await
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> ProviderResult<T> {
        let request = request.bearer_auth(self.secret_key.expose_secret()).header("Stripe-Version", VERSION);
        let answer = self.outside.ask(request, MAX_ANSWER_BYTES).await?;
        if !answer.status.is_success() {
            return Err(self.failure(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|_| self.outside.untrusted("the answer cannot be read"))
    }

    fn failure(&self, answer: &Answer) -> ProviderError {
        let said: Option<Failure> = serde_json::from_slice(&answer.body).ok();
        match (answer.status.as_u16(), said) {
            (429, _) => self.outside.unavailable("too many calls"),
            // The first call of the same key is still being worked on.
            (409, _) => self.outside.untrusted("the same call is under way"),
            (400..=499, Some(Failure { error })) => {
                let code = error.code.unwrap_or(error.kind);
                self.outside.refused(&code, &error.message.unwrap_or_default())
            }
            _ => self.outside.untrusted("the answer is no success and no refusal"),
        }
    }
}

/// Whether an error is this refusal.
pub fn is(error: &ProviderError, wanted: &str) -> bool {
    matches!(error, ProviderError::Refused { code, .. } if code == wanted)
}

pub fn field(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// A text for a path or a query.
pub fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
