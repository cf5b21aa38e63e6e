//! The server dies before or after each commit and each call to the outside, in the middle of every flow of money, and is
//! started again: whoever repeats a call with its key gets one effect, and nobody has to mend anything.
#![expect(clippy::panic, reason = "a test may fail")]

mod flows;

use super::Stage;
use super::process::Process;
use crate::online::count;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use flows::{FLOWS, Flow};
use harness::app::Answer;
use harness::auditor::violations;
use harness::databases::Fresh;
use harness::db_test;
use harness::payments::fake;
use harness::scene::{Customer, Scene};
use infra::failpoints::Point;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// How often a point is passed before the server dies there: each flow is run for 1 up to this; the full figure is 3.
const HITS: usize = 1;
/// Attempts of a call; one of them dies with the server, and a few hear that it is busy.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);
/// How long a server that died may take to be gone.
const GONE: Duration = Duration::from_millis(500);

/// A customer of a flow.
pub struct Who {
    customer: Customer,
    token: String,
}

/// A server that dies and is started again, and what is seen of it from outside.
pub struct Crashes {
    stage: Stage,
    fake: FakePay,
    settings: Vec<(String, String)>,
    url: String,
    operator: String,
    deaths: usize,
    /// Where the next flow is to die.
    planned: Option<(Point, u32)>,
}

impl Crashes {
    async fn new(fresh: &Fresh) -> Self {
        let fake = fake();
        let settings = stripe(&fake);
        let more = borrowed(&settings);
        let scene = Scene::with(&fresh.url, &more).await;
        scene.customer(None).await;
        let server = Process::start_with(&fresh.url, &more);
        let sql = sea_orm::Database::connect(&fresh.url).await.unwrap();
        let stage = Stage { scene, servers: vec![server], sql };
        let operator = stage.scene.operator_in_session("nightwatch").await;
        Self { stage, fake, settings, url: fresh.url.clone(), operator, deaths: 0, planned: None }
    }

    pub async fn who(&self) -> Who {
        let (customer, _, token) = self.stage.scene.customer_in_session("a password of tests").await;
        Who { customer, token }
    }

    /// Repeats a call with its key until it is answered, and starts the server again when it died of it.
    pub async fn call(&mut self, token: &str, path: &str, key: &str, body: &Value) -> Answer {
        let answer = self.send(Some(token), path, &[("Idempotency-Key", key)], body.to_string().into_bytes()).await;
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
        answer
    }

    async fn send(&mut self, token: Option<&str>, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        for _ in 0..ATTEMPTS {
            match self.stage.servers[0].try_post_with(token, path, headers, body.clone()).await {
                Ok(answer) if answer.status != 503 => return answer,
                Ok(_) => tokio::time::sleep(PAUSE).await,
                Err(_) => self.revive().await,
            }
        }
        panic!("{path} is not answered: {}", self.stage.servers[0].log())
    }

    async fn revive(&mut self) {
        tokio::time::sleep(GONE).await;
        assert!(self.stage.servers[0].has_ended(), "a server that lives answers");
        self.deaths += 1;
        self.stage.servers[0] = Process::start_with(&self.url, &borrowed(&self.settings));
    }

    /// Reads something, by whichever server there is by then.
    pub async fn shown(&mut self, token: &str, path: &str) -> Answer {
        for _ in 0..ATTEMPTS {
            match self.stage.servers[0].send(token, (Method::GET, path), None).await {
                Ok(answer) => return answer.expect(200),
                Err(_) => self.revive().await,
            }
        }
        panic!("{path} is not answered: {}", self.stage.servers[0].log())
    }

    /// The customer pays at the provider, which tells the server until it is believed.
    pub async fn pay(&mut self, order: &Answer) {
        let number = order.text("/payment/id").replace("pay_", "");
        actions::pay(&self.fake.shared, Kind::Stripe, &number).unwrap();
        let message = actions::messages(&self.fake.shared, Kind::Stripe, Some(&number)).pop().unwrap();
        let delivery = compose(&self.fake.shared, &message, Twist::None).unwrap();
        let headers: Vec<(&str, &str)> = delivery
            .headers
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"))
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let told = self.send(None, "/webhooks/stripe", &headers, delivery.body.clone()).await;
        assert!((200..300).contains(&told.status), "{} {}", told.status, told.body);
    }

    /// One flow, in the middle of which the server dies if it passes the point so often.
    async fn cell(&mut self, (name, flow): (&str, Flow), point: Point, hit: u32) -> bool {
        let before = self.deaths;
        self.planned = Some((point, hit));
        flow(self).await;
        assert_eq!(self.planned, None, "{name} is never in danger");
        if self.deaths == before && !self.stage.servers[0].has_ended() {
            self.stage.servers[0].arm(None);
        }
        if self.stage.servers[0].has_ended() {
            self.revive().await;
        }
        let died = self.deaths > before;
        println!("{name:<9} {:<14} {hit}: {}", point.name(), if died { "died" } else { "was not passed so often" });
        died
    }
}

/// Settings by which the fake is Stripe.
fn stripe(fake: &FakePay) -> Vec<(String, String)> {
    let keys = fake.shared.keys();
    let name = |key: &str| format!("SUANPAN__PAYMENTS__ONLINE__STRIPE__{key}");
    vec![
        (name("BASE_URL"), fake.base().to_owned()),
        (name("SECRET_KEY"), keys.merchant.stripe_secret_key.clone()),
        (name("WEBHOOK_SECRETS"), keys.stripe_webhook_secrets.join(",")),
    ]
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (&**name, &**value)).collect()
}

async fn every_flow_survives_a_crash_at_every_point(fresh: &Fresh) {
    let mut crashes = Crashes::new(fresh).await;
    let hits = u32::try_from(count("SUANPAN_CRASH_HITS", HITS)).unwrap();
    let mut deaths = [0; Point::ALL.len()];
    for (at, point) in Point::ALL.into_iter().enumerate() {
        for hit in 1..=hits {
            for (name, flow) in FLOWS {
                deaths[at] += usize::from(crashes.cell((name, *flow), point, hit).await);
            }
        }
    }
    assert!(deaths.iter().all(|deaths| *deaths > 0), "every point is passed by a flow: {deaths:?}");
    assert_eq!(crashes.stage.scene.differences().await, [], "every bill is its usage rows");
    let found = violations(&fresh.url).await;
    assert!(found.is_empty(), "the auditor found {found:#?}");
    println!("{} deaths, by point {deaths:?}", crashes.deaths);
}
db_test!(crashes, every_flow_survives_a_crash_at_every_point);

impl Crashes {
    /// From here on the server dies where it was planned.
    pub fn danger(&mut self) {
        let planned = self.planned.take();
        self.stage.servers[0].arm(planned);
    }

    pub fn operator(&self) -> String {
        self.operator.clone()
    }

    /// What is in a wallet, as a decimal.
    pub async fn balance(&mut self, who: &Who) -> String {
        let wallet = self.shown(&who.token, "/wallet").await;
        wallet.body.pointer("/balances/0/balance").and_then(Value::as_str).unwrap_or("0.00").to_owned()
    }

    pub fn trades_at_provider(&self) -> usize {
        self.fake.shared.book().trades(Kind::Stripe).count()
    }

    pub fn refunded_at_provider(&self) -> usize {
        self.fake.shared.book().refunds(Kind::Stripe).count()
    }

    /// Waits for the background work, which dies and goes on like the rest.
    pub async fn until(&mut self, what: &str, mut done: impl AsyncFnMut(&mut Self) -> bool) {
        for _ in 0..ATTEMPTS {
            if done(self).await {
                return;
            }
            let services = &self.stage.scene.services;
            let (_polled, _followed) = (services.orders.poll_due().await, services.orders.follow_refunds().await);
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{what} did not come about");
    }

    pub async fn fund(&mut self, who: &Who, amount: &str) {
        let path = format!("/admin/accounts/{}/adjustments", who.customer.account);
        let body = json!({"amount": amount, "reason": "a test"});
        let operator = self.operator();
        self.call(&operator, &path, &format!("fund {}", who.customer.account), &body).await;
    }
}
