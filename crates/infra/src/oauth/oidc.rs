//! OpenID Connect: discovery, the code exchange, and the ID token that says who came.

use super::id_token::{self, Expected};
use super::key_set::KeySet;
use super::outside::{Outside, address, ask, form_encoded};
use super::settings::ProviderSettings;
use super::{code_challenge, refuse};
use chrono::{DateTime, TimeDelta, Utc};
use domain::error::{Error, Result};
use domain::identity::{ExternalIdentity, FlowSecrets};
use domain::time::Clock;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long a discovery document is believed.
const DISCOVERY_KEPT: TimeDelta = TimeDelta::hours(1);
const POST: &str = "client_secret_post";

/// The parts of a discovery document that matter here.
#[derive(Clone, Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

pub struct Oidc {
    settings: ProviderSettings,
    outside: Outside,
    clock: Arc<dyn Clock>,
    discovered: Mutex<Option<(DateTime<Utc>, Discovery)>>,
    keys: KeySet,
}

impl Oidc {
    pub fn new(settings: ProviderSettings, outside: Outside, clock: Arc<dyn Clock>) -> Self {
        Self { settings, outside, clock, discovered: Mutex::default(), keys: KeySet::default() }
    }

    pub async fn authorization_url(&self, secrets: &FlowSecrets) -> Result<String> {
        let discovery = self.discovery().await?;
        let mut url = address(self.name(), &discovery.authorization_endpoint)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.callback_url)
            .append_pair("scope", self.settings.scopes())
            .append_pair("state", secrets.state.expose())
            .append_pair("nonce", &secrets.nonce())
            .append_pair("code_challenge", &code_challenge(secrets))
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    pub async fn identify(&self, code: &str, secrets: &FlowSecrets) -> Result<ExternalIdentity> {
        let discovery = self.discovery().await?;
        let token = self.id_token(&discovery, code, secrets).await?;
        let header = id_token::header(self.name(), &token)?;
        let source = (self.name(), &self.outside, discovery.jwks_uri.as_str());
        let now = self.clock.now();
        let key = self.keys.find(source, (header.kid.as_deref(), header.alg), now).await?;
        let nonce = secrets.nonce();
        let expected = Expected {
            provider: self.name(),
            issuer: &discovery.issuer,
            client_id: &self.settings.client_id,
            nonce: &nonce,
        };
        id_token::verify(&token, (header.alg, &key), &expected, self.clock.now())
    }

    async fn id_token(&self, discovery: &Discovery, code: &str, secrets: &FlowSecrets) -> Result<String> {
        let (id, secret) = (self.settings.client_id.as_str(), self.settings.client_secret.expose_secret());
        let verifier = secrets.code_verifier();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.callback_url),
            ("code_verifier", &verifier),
        ];
        let mut request = self.outside.post(address(self.name(), &discovery.token_endpoint)?);
        let methods = discovery.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        if methods.iter().any(|method| method == POST) {
            form.extend([("client_id", id), ("client_secret", secret)]);
        } else {
            // What a document means that names no method.
            request = request.basic_auth(form_encoded(id), Some(form_encoded(secret)));
        }
        let answer = ask(self.name(), request.form(&form)).await?;
        let answer = answer.ok_or_else(|| refuse(self.name(), "the code was not accepted"))?;
        let token = answer.get("id_token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| refuse(self.name(), "there is no ID token"))
    }

    async fn discovery(&self) -> Result<Discovery> {
        let mut discovered = self.discovered.lock().await;
        let now = self.clock.now();
        if let Some((at, discovery)) = &*discovered
            && now - *at < DISCOVERY_KEPT
        {
            return Ok(discovery.clone());
        }
        let discovery = self.fetch().await?;
        *discovered = Some((now, discovery.clone()));
        Ok(discovery)
    }

    async fn fetch(&self) -> Result<Discovery> {
        let issuer = self.settings.issuer().ok_or(Error::Unavailable)?;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = ask(self.name(), self.outside.get(address(self.name(), &url)?)).await?;
        let discovery: Option<Discovery> = document.and_then(|document| serde_json::from_value(document).ok());
        let discovery = discovery.filter(|found| found.issuer == issuer && found.is_as_safe_as(issuer));
        discovery.ok_or_else(|| {
            tracing::warn!(provider = self.name(), "the discovery document is not the issuer's, or odd");
            Error::Unavailable
        })
    }

    fn name(&self) -> &str {
        self.settings.name.as_str()
    }
}

impl Discovery {
    /// An issuer with TLS has TLS everywhere.
    fn is_as_safe_as(&self, issuer: &str) -> bool {
        let endpoints = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        !issuer.starts_with("https://") || endpoints.iter().all(|url| url.starts_with("https://"))
    }
}
