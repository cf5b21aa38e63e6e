//! Events on their way out: in order, at least once, by several replicas, through the death of one.

use api::dispatcher::Dispatcher;
use chrono::TimeDelta;
use domain::notices::{LEASE, Room, WebhookWish};
use domain::page::PageRequest;
use harness::databases::Fresh;
use harness::db_test;
use harness::receiver::{Behaviour, Receiver, until};
use harness::scene::{Customer, Scene};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);
pub const OPEN: [(&str, &str); 2] =
    [("SUANPAN__WEBHOOKS__PLAIN_HTTP", "true"), ("SUANPAN__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1")];

async fn listen(scene: &Scene, customer: &Customer, url: String) {
    let wish = WebhookWish { url, ..WebhookWish::default() };
    scene.services.webhooks.create(&customer.actor, wish).await.unwrap();
}

fn first_of_each(numbers: &[usize]) -> Vec<usize> {
    let mut seen = Vec::new();
    for number in numbers {
        if !seen.contains(number) {
            seen.push(*number);
        }
    }
    seen
}

/// Two dispatchers with services of their own, as two processes have.
async fn two_replicas_deliver_every_event_in_the_order_of_its_account(fresh: &Fresh) {
    const ACCOUNTS: usize = 6;
    const EVENTS: usize = 40;
    let receiver = Receiver::start();
    let (one, two) = (Scene::with(&fresh.url, &OPEN).await, Scene::with(&fresh.url, &OPEN).await);
    let mut customers = Vec::new();
    for place in 0..ACCOUNTS {
        let customer = one.customer(None).await;
        listen(&one, &customer, receiver.url(&format!("/{place}"))).await;
        receiver.behave(&format!("/{place}"), Behaviour::Slow(Duration::from_millis(3)));
        customers.push(customer);
    }
    let dispatchers = [Dispatcher::start(&one.services), Dispatcher::start(&two.services)];
    for step in 0..4 {
        for customer in &customers {
            one.tell(customer.account, step * EVENTS / 4..(step + 1) * EVENTS / 4).await;
        }
    }
    until(PATIENCE, || receiver.count_accepted() >= ACCOUNTS * EVENTS).await;
    for dispatcher in dispatchers {
        dispatcher.stop(PATIENCE).await;
    }
    for place in 0..ACCOUNTS {
        let numbers: Vec<usize> =
            receiver.accepted(&format!("/{place}")).iter().map(harness::receiver::Received::number).collect();
        assert_eq!(numbers, (0..EVENTS).collect::<Vec<_>>(), "account {place}: each once and in order");
    }
    for customer in &customers {
        assert_eq!(notices(&one, customer).await, EVENTS);
    }
}

db_test!(two_replicas, two_replicas_deliver_every_event_in_the_order_of_its_account);

async fn notices(scene: &Scene, customer: &Customer) -> usize {
    let page = PageRequest { limit: 200, before: None };
    let found = scene.services.notices.list(&customer.actor, &domain::accounts::AccountRef::Default, false, page);
    found.await.unwrap().rows.len()
}

async fn fan_out_all(scene: &Scene) {
    while scene.services.fan_out.round().await.unwrap() > 0 {}
}

async fn what_a_dead_replica_had_claimed_is_delivered_after_its_lease(fresh: &Fresh) {
    let receiver = Receiver::start();
    let scene = Scene::with(&fresh.url, &OPEN).await;
    let customer = scene.customer(None).await;
    listen(&scene, &customer, receiver.url("/a")).await;
    scene.tell(customer.account, 0..3).await;
    fan_out_all(&scene).await;
    let room = Room { healthy: 5, failing: 5 };
    let courier = &scene.services.courier;
    let dead = courier.claim(room).await.unwrap().pop().unwrap();
    assert!(courier.claim(room).await.unwrap().is_empty());
    scene.move_clock(scene.now() + LEASE + TimeDelta::seconds(1));
    let heir = courier.claim(room).await.unwrap().pop().unwrap();
    // The first was only slow, not dead: it delivers, but may not write any more.
    courier.serve(dead).await.unwrap();
    assert_eq!(courier.serve(heir).await.unwrap().delivered, 3);
    assert!(courier.claim(room).await.unwrap().is_empty(), "nothing waits");
    let numbers: Vec<usize> = receiver.accepted("/a").iter().map(harness::receiver::Received::number).collect();
    assert_eq!(first_of_each(&numbers), [0, 1, 2], "at least once: {numbers:?}");
    let ids: Vec<String> = receiver.accepted("/a").iter().map(|got| got.header("webhook-id")).collect();
    assert_eq!(ids[..3], ids[3..], "a repetition has the same id");
}

db_test!(lease_expiry, what_a_dead_replica_had_claimed_is_delivered_after_its_lease);

async fn events_that_come_while_a_turn_ends_are_not_forgotten(fresh: &Fresh) {
    let receiver = Receiver::start();
    let scene = Scene::with(&fresh.url, &OPEN).await;
    let customer = scene.customer(None).await;
    listen(&scene, &customer, receiver.url("/a")).await;
    let dispatcher = Dispatcher::start(&scene.services);
    for number in 0..60 {
        scene.tell(customer.account, number..number + 1).await;
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    let numbers: Vec<usize> =
        receiver.wait_for("/a", 60, PATIENCE).await.iter().map(harness::receiver::Received::number).collect();
    dispatcher.stop(PATIENCE).await;
    assert_eq!(numbers, (0..60).collect::<Vec<_>>());
}

db_test!(wake_ups, events_that_come_while_a_turn_ends_are_not_forgotten);

async fn many_who_fan_out_at_once_make_one_notice_of_each_event(fresh: &Fresh) {
    let scene = Scene::with(&fresh.url, &OPEN).await;
    let customer = scene.customer(None).await;
    scene.tell(customer.account, 0..150).await;
    let services = scene.services.clone();
    let rounds = (0..8).map(|_| {
        let services = services.clone();
        tokio::spawn(async move { services.fan_out.round().await.unwrap() })
    });
    let told: usize = futures_util::future::join_all(rounds).await.into_iter().map(|told| told.unwrap()).sum();
    fan_out_all(&scene).await;
    assert!(told <= 150);
    assert_eq!(notices(&scene, &customer).await, 150);
    assert!(scene.services.store.outbox().waiting(1).await.unwrap().is_empty());
}

db_test!(fan_out_race, many_who_fan_out_at_once_make_one_notice_of_each_event);

async fn what_was_told_long_ago_is_swept(fresh: &Fresh) {
    let receiver = Receiver::start();
    let scene = Scene::with(&fresh.url, &OPEN).await;
    let customer = scene.customer(None).await;
    listen(&scene, &customer, receiver.url("/a")).await;
    scene.tell(customer.account, 0..3).await;
    fan_out_all(&scene).await;
    let claimed = scene.services.courier.claim(Room { healthy: 1, failing: 0 }).await.unwrap().pop().unwrap();
    scene.services.courier.serve(claimed).await.unwrap();
    let now = scene.now();
    let sweep = async |days| domain::notices::sweep(&*scene.services.store, now + TimeDelta::days(days)).await.unwrap();
    assert_eq!(sweep(29).await, 0);
    assert_eq!(sweep(31).await, 3, "deliveries");
    assert_eq!(sweep(38).await, 3, "events");
    assert_eq!(notices(&scene, &customer).await, 3);
    assert_eq!(sweep(366).await, 3, "notices");
    assert_eq!(notices(&scene, &customer).await, 0);
}

db_test!(sweeping, what_was_told_long_ago_is_swept);
