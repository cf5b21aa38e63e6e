//! Posting a webhook: one bounded request, no redirects, no proxy, to a checked address.

use super::resolver::{AddressRefused, GuardedResolver};
use super::signature::signatures;
use super::target::GuardedTargets;
use super::vault::WebhookVault;
use crate::clock::SystemClock;
use crate::failpoints::{self, Point};
use async_trait::async_trait;
use domain::notices::{EgressRules, FailureReason, Outcome, TargetCheck, WebhookMessage, WebhookSender};
use domain::time::Clock;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For name, connection, request and the head of the answer together.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the rest of an answer is waited for; its status is known by then.
const BODY_TIMEOUT: Duration = Duration::from_millis(500);
/// How much of an answer is read; a connection with more to say is closed.
const MAX_BODY_BYTES: usize = 16 * 1024;
const IDLE_CONNECTIONS_PER_HOST: usize = 2;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("Suanpan/", env!("CARGO_PKG_VERSION"));

pub struct HttpWebhookSender {
    client: Client,
    targets: GuardedTargets,
    vault: Arc<WebhookVault>,
}

impl HttpWebhookSender {
    pub fn new(rules: Arc<EgressRules>, vault: Arc<WebhookVault>) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(Policy::none())
            .https_only(!rules.plain_http)
            .dns_resolver(Arc::new(GuardedResolver { rules: rules.clone() }))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Self { client, targets: GuardedTargets { rules }, vault })
    }

    async fn post(&self, message: &WebhookMessage, url: String, secrets: &[Vec<u8>]) -> Outcome {
        // The system's time, whatever a test clock says: receivers compare it with theirs.
        let timestamp = SystemClock.now().timestamp();
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signatures(secrets, &message.id, timestamp, &message.body))
            .body(message.body.clone());
        failpoints::reach(Point::BeforeCall);
        match request.send().await {
            Ok(response) => {
                failpoints::reach(Point::AfterCall);
                let status = response.status().as_u16();
                // Only so that the connection can be used again; whatever comes of it changes nothing.
                let _drained = tokio::time::timeout(BODY_TIMEOUT, drain(response)).await;
                Outcome::of_status(status)
            }
            Err(error) => Outcome::Failed(reason(&error), None),
        }
    }
}

#[async_trait]
impl WebhookSender for HttpWebhookSender {
    async fn send(&self, message: &WebhookMessage) -> Outcome {
        // Checked again: a literal address never comes to the resolver, and the rules may be stricter by now.
        let Ok(url) = self.targets.check(&message.url) else {
            return Outcome::Failed(FailureReason::AddressRefused, None);
        };
        let open = |secret| self.vault.open(message.endpoint, secret);
        let Some(secrets) = message.secrets.iter().map(open).collect::<Option<Vec<_>>>() else {
            tracing::error!(endpoint = %message.endpoint, "no key in security.encryption_keys opens the secret");
            return Outcome::Failed(FailureReason::SecretUnreadable, None);
        };
        self.post(message, url, &secrets).await
    }
}

async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MAX_BODY_BYTES {
            return;
        }
    }
}

fn reason(error: &reqwest::Error) -> FailureReason {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<AddressRefused>().is_some() {
            return FailureReason::AddressRefused;
        }
        source = cause.source();
    }
    if error.is_timeout() { FailureReason::Timeout } else { FailureReason::ConnectionFailed }
}
