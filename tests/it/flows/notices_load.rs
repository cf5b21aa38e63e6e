//! The outbox under load: run by name, `cargo test --release --test it -- --ignored notices_load`.
//!
//! 100 000 messages to 50 endpoints of as many accounts, one in a hundred answered with 500; the same again with an
//! endpoint that hangs. Nothing is lost, the order of each account is kept, and the others' lag stays what it was.

use api::dispatcher::Dispatcher;
use domain::notices::WebhookWish;
use harness::databases::{Fresh, Server, empty};
use harness::receiver::{Behaviour, Receiver, until};
use harness::scene::{Customer, Scene};
use std::time::{Duration, Instant};

/// `SUANPAN_NOTICES_LOAD` overrides it.
const MESSAGES: usize = 100_000;
const ACCOUNTS: usize = 50;
/// Events of one commit.
const BURST: usize = 20;
const PATIENCE: Duration = Duration::from_mins(30);
/// Events per second in all, so that the lag is that of delivering and not of a backlog.
const RATE_VARIABLE: &str = "SUANPAN_NOTICES_RATE";
const MESSAGES_VARIABLE: &str = "SUANPAN_NOTICES_LOAD";

#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn from_environment(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

struct Figures {
    p50: Duration,
    p99: Duration,
    most: Duration,
    took: Duration,
    repeated: usize,
}

/// Sends all messages through a fresh database; the lag is from the commit of an event to its arrival.
async fn run(fresh: &Fresh, messages: usize, poison: bool) -> Figures {
    let (scene, receiver) = (Scene::with(&fresh.url, &super::notices::OPEN).await, Receiver::start());
    let mut customers: Vec<Customer> = Vec::new();
    for place in 0..ACCOUNTS {
        let customer = scene.customer(None).await;
        let url = receiver.url(&format!("/{place}"));
        let wish = WebhookWish { url, ..WebhookWish::default() };
        scene.services.webhooks.create(&customer.actor, wish).await.unwrap();
        receiver.behave(&format!("/{place}"), Behaviour::FailEvery(100));
        customers.push(customer);
    }
    if poison {
        let wish = WebhookWish { url: receiver.url("/poison"), ..WebhookWish::default() };
        scene.services.webhooks.create(&customers[0].actor, wish).await.unwrap();
        receiver.behave("/poison", Behaviour::Hang);
    }
    let dispatcher = Dispatcher::start(&scene.services);
    let rate = from_environment(RATE_VARIABLE, 400);
    let begun = Instant::now();
    let each = messages / ACCOUNTS;
    let mut pushed = vec![Vec::new(); ACCOUNTS];
    let mut sent = 0;
    for step in 0..each.div_ceil(BURST) {
        let numbers = step * BURST..((step + 1) * BURST).min(each);
        for (customer, pushed) in customers.iter().zip(&mut pushed) {
            scene.tell(customer.account, numbers.clone()).await;
            let now = Instant::now();
            pushed.extend(numbers.clone().map(|_| now));
            sent += numbers.len();
            let due = Duration::from_secs_f64(
                f64::from(u32::try_from(sent).unwrap()) / f64::from(u32::try_from(rate).unwrap()),
            );
            tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        }
    }
    until(PATIENCE, || receiver.count_accepted() >= each * ACCOUNTS).await;
    let took = begun.elapsed();
    dispatcher.stop(Duration::from_secs(1)).await;
    let (mut lags, mut repeated) = (Vec::with_capacity(messages), 0);
    for (place, pushed) in pushed.iter().enumerate() {
        let mut next = 0;
        for arrived in receiver.accepted(&format!("/{place}")) {
            let number = arrived.number();
            assert!(number <= next, "account {place}: {number} came before {next}");
            if number == next {
                lags.push(arrived.at.saturating_duration_since(pushed[number]));
                next += 1;
            } else {
                repeated += 1;
            }
        }
        assert_eq!(next, each, "account {place}: some were lost");
    }
    lags.sort_unstable();
    let at = |percent: usize| lags[(lags.len() - 1) * percent / 100];
    Figures { p50: at(50), p99: at(99), most: at(100), took, repeated }
}

/// Without a poison endpoint and with one, each in a database of its own.
async fn compare(server: Server) {
    let messages = from_environment(MESSAGES_VARIABLE, MESSAGES);
    let mut p99 = Vec::new();
    for poison in [false, true] {
        let fresh = empty(server).await.migrated().await;
        let figures = run(&fresh, messages, poison).await;
        println!(
            "{server:?}, {messages} messages, poison {poison}: p50 {:?}, p99 {:?}, longest {:?}, took {:?}, repeated {}",
            figures.p50, figures.p99, figures.most, figures.took, figures.repeated
        );
        p99.push(figures.p99);
        fresh.discard().await;
    }
    assert!(p99[1] <= p99[0] * 2, "{p99:?}");
}

// Their names lack the words by which the suite chooses what it runs on the servers: these are measurements.

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a load test; run by name"]
async fn a_poison_endpoint_does_not_double_the_lag_of_the_others() {
    compare(Server::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a load test; run by name, needs TEST_POSTGRES_URL"]
async fn a_poison_endpoint_does_not_double_the_lag_of_the_others_on_pg() {
    compare(Server::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a load test; run by name, needs TEST_MARIADB_URL"]
async fn a_poison_endpoint_does_not_double_the_lag_of_the_others_on_maria() {
    compare(Server::MariaDb).await;
}
