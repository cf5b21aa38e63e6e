//! A log-in under way at another provider: begun by one browser, ended once, within minutes.
//!
//! Only hashes are stored. What PKCE and the nonce need is made of the two secrets that never meet before the end: the
//! state, which travels through the provider, and the one that the browser keeps. Sources: RFC 6749 §10.12, RFC 7636,
//! RFC 9700 §4.7, OpenID Connect Core 1.0 §3.1.2.1.

use super::oauth::ProviderName;
use super::token::{Token, TokenHash};
use crate::id::{SessionId, UserId};
use crate::text::hex;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::fmt;

/// How long somebody may take at the provider.
pub const FLOW_LASTS: TimeDelta = TimeDelta::minutes(10);
/// How long a one-time code may be exchanged for its session.
pub const CODE_LASTS: TimeDelta = TimeDelta::seconds(60);

/// What the end of a flow does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Opens a session, at once or by a one-time code for whoever knows the secret behind the challenge.
    LogIn { challenge: Option<ExchangeChallenge> },
    /// Adds the identity to a user who is logged in.
    Link { user: UserId, session: SessionId },
    /// The provider was asked already; the session waits for its one-time code.
    Exchange { user: UserId, challenge: ExchangeChallenge },
}

impl Purpose {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::LogIn { .. } => "log_in",
            Self::Link { .. } => "link",
            Self::Exchange { .. } => "exchange",
        }
    }
}

/// The SHA-256 of a secret that a client keeps: 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeChallenge(String);

impl ExchangeChallenge {
    pub fn parse(text: &str) -> Option<Self> {
        TokenHash::from_hex(text).map(|_| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `secret` is what the client kept.
    pub fn is_answered_by(&self, secret: &str) -> bool {
        hex(&Sha256::digest(secret.as_bytes())) == self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthFlow {
    /// Of the state, or of the one-time code.
    pub token_hash: TokenHash,
    pub provider: ProviderName,
    pub purpose: Purpose,
    /// Of what the browser keeps; of the code itself when only a code is left.
    pub browser_hash: TokenHash,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl OAuthFlow {
    /// A flow that the browser with `secrets` begins.
    pub fn begun(secrets: &FlowSecrets, provider: ProviderName, purpose: Purpose, now: DateTime<Utc>) -> Self {
        Self {
            token_hash: secrets.state.hash(),
            provider,
            purpose,
            browser_hash: secrets.browser.hash(),
            created_at: now,
            expires_at: now + FLOW_LASTS,
        }
    }

    /// A session that waits for its code.
    pub fn waiting(
        code: &Token,
        provider: ProviderName,
        (user, challenge): (UserId, ExchangeChallenge),
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            token_hash: code.hash(),
            provider,
            purpose: Purpose::Exchange { user, challenge },
            browser_hash: code.hash(),
            created_at: now,
            expires_at: now + CODE_LASTS,
        }
    }

    /// Half-open: at `expires_at` it is over.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }

    /// Whether it was begun at that provider by the browser with these secrets.
    pub fn belongs_to(&self, secrets: &FlowSecrets, provider: &ProviderName) -> bool {
        self.provider == *provider
            && self.token_hash == secrets.state.hash()
            && self.browser_hash == secrets.browser.hash()
            && !matches!(self.purpose, Purpose::Exchange { .. })
    }
}

/// The two secrets of a flow, and what is made of them.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowSecrets {
    /// Travels through the provider.
    pub state: Token,
    /// Stays in the browser.
    pub browser: Token,
}

impl FlowSecrets {
    /// PKCE's secret: 64 letters and digits.
    pub fn code_verifier(&self) -> String {
        self.made("code verifier")
    }

    /// What an ID token of this flow must repeat.
    pub fn nonce(&self) -> String {
        self.made("nonce")
    }

    fn made(&self, what: &str) -> String {
        let mut hasher = Sha256::new();
        for part in [what, self.state.expose(), self.browser.expose()] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        hex(&hasher.finalize())
    }
}

impl fmt::Debug for FlowSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlowSecrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::samples;
    use crate::identity::token::TokenKind;

    fn secrets(state: u8, browser: u8) -> FlowSecrets {
        let token = |kind, byte| Token::from_random(kind, [byte; 32]);
        FlowSecrets { state: token(TokenKind::OAuthState, state), browser: token(TokenKind::OAuthBrowser, browser) }
    }

    #[test]
    fn a_flow_belongs_to_one_provider_and_one_browser_until_it_expires() {
        let now = samples::created_at();
        let [github, google] = ["github", "google"].map(|name| ProviderName::parse(name).unwrap());
        let flow = OAuthFlow::begun(&secrets(1, 2), github.clone(), Purpose::LogIn { challenge: None }, now);
        assert!(flow.belongs_to(&secrets(1, 2), &github));
        assert!(!flow.belongs_to(&secrets(1, 3), &github));
        assert!(!flow.belongs_to(&secrets(3, 2), &github));
        assert!(!flow.belongs_to(&secrets(1, 2), &google));
        assert!(flow.is_open(now + FLOW_LASTS - TimeDelta::microseconds(1)));
        assert!(!flow.is_open(now + FLOW_LASTS));
    }

    #[test]
    fn verifier_and_nonce_need_both_secrets_and_differ() {
        let made = |secrets: FlowSecrets| [secrets.code_verifier(), secrets.nonce()];
        let all = [made(secrets(1, 2)), made(secrets(1, 3)), made(secrets(3, 2))].concat();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 6);
        assert_eq!(format!("{:?}", secrets(1, 2)), "FlowSecrets(…)");
    }

    #[test]
    fn a_challenge_is_answered_by_its_secret_only() {
        let challenge = ExchangeChallenge::parse(&hex(&Sha256::digest(b"kept"))).unwrap();
        assert!(challenge.is_answered_by("kept") && !challenge.is_answered_by("guessed"));
        assert_eq!(ExchangeChallenge::parse("kept"), None);
    }
}
