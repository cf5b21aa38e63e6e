//! Identity providers over HTTP: OpenID Connect, OAuth 2.0 with a user-info endpoint, WeChat, and Telegram's signature.

mod code_flow;
mod id_token;
mod key_set;
mod oidc;
mod outside;
mod settings;
mod telegram;

pub use settings::{ProviderKind, ProviderSettings};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use code_flow::CodeFlow;
use domain::error::{Error, Result};
use domain::identity::{ExternalIdentity, FlowSecrets, IdentityProviders, Proof, ProviderName, ProviderSummary};
use domain::time::Clock;
use oidc::Oidc;
use outside::Outside;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use telegram::Telegram;

/// What is said to whoever cannot prove who they are; the reason is in the log.
const REFUSED: Error = Error::Forbidden("The provider's answer does not prove who you are.");

/// How a provider is spoken to.
enum Speech {
    /// Boxed, for it keeps keys.
    Oidc(Box<Oidc>),
    Code(CodeFlow),
    Telegram(Telegram),
}

/// Every configured provider.
pub struct Providers {
    all: BTreeMap<ProviderName, (ProviderSummary, Speech)>,
}

impl Providers {
    /// Builds the providers; `clock` tells the real time, which the providers' signatures go by.
    pub fn new(settings: Vec<ProviderSettings>, clock: &Arc<dyn Clock>) -> std::result::Result<Self, reqwest::Error> {
        if settings.is_empty() {
            return Ok(Self { all: BTreeMap::new() });
        }
        let outside = Outside::new()?;
        let build = |settings: ProviderSettings| {
            let summary = settings.summary();
            let speech = match settings.kind {
                ProviderKind::Oidc | ProviderKind::Google => {
                    Speech::Oidc(Box::new(Oidc::new(settings, outside.clone(), clock.clone())))
                }
                ProviderKind::Telegram => Speech::Telegram(Telegram::new(settings, clock.clone())),
                ProviderKind::GitHub | ProviderKind::WeChat | ProviderKind::LinuxDo | ProviderKind::OAuth2 => {
                    Speech::Code(CodeFlow::new(settings, outside.clone()))
                }
            };
            (summary.name.clone(), (summary, speech))
        };
        Ok(Self { all: settings.into_iter().map(build).collect() })
    }

    fn find(&self, provider: &ProviderName) -> Result<&Speech> {
        self.all.get(provider).map(|(_, speech)| speech).ok_or(Error::NotFound("identity provider"))
    }
}

#[async_trait]
impl IdentityProviders for Providers {
    fn list(&self) -> Vec<ProviderSummary> {
        self.all.values().map(|(summary, _)| summary.clone()).collect()
    }

    async fn authorization_url(&self, provider: &ProviderName, secrets: &FlowSecrets) -> Result<String> {
        match self.find(provider)? {
            Speech::Oidc(oidc) => oidc.authorization_url(secrets).await,
            Speech::Code(flow) => flow.authorization_url(secrets),
            Speech::Telegram(telegram) => telegram.authorization_url(secrets),
        }
    }

    async fn identify(
        &self,
        provider: &ProviderName,
        proof: &Proof,
        secrets: &FlowSecrets,
    ) -> Result<ExternalIdentity> {
        match (self.find(provider)?, proof) {
            (Speech::Oidc(oidc), Proof::Code(code)) => oidc.identify(code, secrets).await,
            (Speech::Code(flow), Proof::Code(code)) => flow.identify(code, secrets).await,
            (Speech::Telegram(telegram), Proof::Signed(fields)) => telegram.identify(fields),
            _ => Err(REFUSED),
        }
    }
}

/// PKCE's challenge by the method S256 (RFC 7636 §4.2).
fn code_challenge(secrets: &FlowSecrets) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secrets.code_verifier().as_bytes()))
}

/// Writes why somebody was refused into the log and refuses.
fn refuse(provider: &str, reason: &str) -> Error {
    tracing::warn!(provider, reason, "an identity provider's answer was refused");
    REFUSED
}
