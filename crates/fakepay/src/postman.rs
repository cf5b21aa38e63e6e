//! Notifications: composed anew for each try, sent by the providers' plans, only faster, and kept so that a test can
//! have them in any order and with anything wrong.

use crate::book::Kind;
use crate::shared::Shared;
use crate::{alipay, stripe, wechat};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// Seconds before each try. Source: doc 4012791861.
const WECHAT_PLAN: [u64; 16] =
    [0, 15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];
/// Source: docs.open.alipay.com/270/105902.
const ALIPAY_PLAN: [u64; 8] = [0, 240, 600, 600, 3600, 7200, 21600, 54000];
/// Exponentially for three days.
const STRIPE_PLAN: [u64; 9] = [0, 60, 300, 1800, 7200, 18000, 36000, 72000, 100_000];
/// Answers are waited for as long as WeChat Pay does.
const TIMEOUT: Duration = Duration::from_secs(5);
/// So many messages are kept.
const MAX_KEPT: usize = 50_000;

/// What a message tells.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Paid {
        number: String,
    },
    Refunded {
        number: String,
    },
    /// One of Stripe's events, whole.
    Event(Value),
}

#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// The same at every try.
    pub id: String,
    pub kind: Kind,
    pub url: String,
    pub about: About,
}

impl Message {
    /// Whether it tells of this payment or refund.
    pub fn is_about(&self, wanted: &str) -> bool {
        match &self.about {
            About::Paid { number } | About::Refunded { number } => number == wanted,
            About::Event(event) => event.to_string().contains(wanted),
        }
    }
}

/// What is wrong with a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twist {
    #[default]
    None,
    WrongAmount,
    WrongCurrency,
    WrongMerchant,
    /// About a number that was never asked for.
    UnknownNumber,
    /// Signed by a stranger under the provider's name.
    Forged,
    /// WeChat Pay's probe.
    SignTest,
    /// Signed 302 seconds ago.
    Old,
    /// Signed ten minutes from now, so that it is of the future still when it is delivered a while later.
    Future,
    WrongSerial,
    Unsigned,
    /// Changed after it was signed.
    Tampered,
    /// In an encoding that was not asked for (Alipay).
    WrongCharset,
}

/// A message as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub struct Postman {
    client: Client,
    runtime: Handle,
    kept: Mutex<Vec<Arc<Message>>>,
}

impl Postman {
    pub fn new(runtime: Handle) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(TIMEOUT).build()?;
        Ok(Self { client, runtime, kept: Mutex::default() })
    }

    /// Everything that was told so far, oldest first.
    pub fn kept(&self) -> Vec<Arc<Message>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, message: &Arc<Message>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MAX_KEPT {
            kept.remove(0);
        }
        kept.push(message.clone());
    }

    async fn send(&self, delivery: Delivery) -> Option<(u16, String)> {
        let mut request = self.client.post(&delivery.url).body(delivery.body);
        for (name, value) in delivery.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.text().await.ok()?))
    }
}

/// Tells the merchant something, now and until it is taken.
pub fn tell(shared: &Arc<Shared>, message: Message) {
    if message.url.is_empty() {
        return;
    }
    let message = Arc::new(message);
    shared.postman.keep(&message);
    let manners = shared.manners().clone();
    if manners.deliver {
        let (task, runtime) = (deliver(shared.clone(), message), shared.postman.runtime.clone());
        runtime.spawn(task);
    }
}

async fn deliver(shared: Arc<Shared>, message: Arc<Message>) {
    let plan: &[u64] = match message.kind {
        Kind::WeChat => &WECHAT_PLAN,
        Kind::Alipay => &ALIPAY_PLAN,
        Kind::Stripe => &STRIPE_PLAN,
    };
    for wait in plan {
        let speed = u64::from(shared.manners().speed.max(1));
        tokio::time::sleep(Duration::from_millis(wait * 1000 / speed)).await;
        if deliver_once(&shared, &message, Twist::None).await {
            break;
        }
    }
    let duplicates = shared.manners().duplicates;
    for _ in 0..duplicates {
        deliver_once(&shared, &message, Twist::None).await;
    }
}

/// One try; true when the merchant took it.
pub async fn deliver_once(shared: &Arc<Shared>, message: &Message, twist: Twist) -> bool {
    let Some(delivery) = compose(shared, message, twist) else { return true };
    let answer = shared.postman.send(delivery).await;
    match (message.kind, answer) {
        (Kind::Alipay, Some((_, body))) => body == "success",
        (_, Some((status, _))) => (200..300).contains(&status),
        (_, None) => false,
    }
}

/// Writes and signs a message for one try.
pub fn compose(shared: &Shared, message: &Message, twist: Twist) -> Option<Delivery> {
    let (headers, body) = match (message.kind, &message.about) {
        (Kind::WeChat, about) => wechat::notification(shared, &message.id, about, twist)?,
        (Kind::Alipay, about) => alipay::notification(shared, &message.id, about, twist)?,
        (Kind::Stripe, About::Event(event)) => stripe::notification(shared, event, twist),
        (Kind::Stripe, _) => return None,
    };
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Some(Delivery { url: message.url.clone(), headers, body })
}
