//! Warnings and what becomes of orders are mailed: over real SMTP, in the reader's language, once.

use crate::payments::once;
use api::dispatcher::Dispatcher;
use domain::accounts::{AccountRef, Registration};
use domain::identity::{Email, Password};
use domain::notices::DeliveryStatus;
use domain::orders::{Attempt, ConfirmWish, OrderWish, PayMethod, RefundWish, Wanted};
use domain::page::PageRequest;
use domain::wallet::Provider;
use harness::databases::Fresh;
use harness::db_test;
use harness::mailbox::{Mailbox, UNKNOWN};
use harness::receiver::until;
use harness::scene::{Customer, Scene, command};
use serde_json::json;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

async fn scene(url: &str, mailbox: &Mailbox) -> Scene {
    let port = mailbox.address.port().to_string();
    let more = [
        ("SUANPAN__MAIL__ENABLED", "true"),
        ("SUANPAN__MAIL__HOST", "127.0.0.1"),
        ("SUANPAN__MAIL__PORT", &port),
        ("SUANPAN__MAIL__TLS", "none"),
        ("SUANPAN__PAYMENTS__MANUAL__ENABLED", "true"),
        ("SUANPAN__MAIL__FROM", "算盘 <noreply@suanpan.example>"),
    ];
    Scene::with(url, &more).await
}

async fn customer(scene: &Scene, address: &str) -> Customer {
    let wish = Registration { email: Some(Email::parse(address).unwrap()), ..Registration::default() };
    let password = Password::choose("a password of tests").unwrap();
    let made = scene.services.registration.register(wish, &password, None).await.unwrap();
    Customer { actor: made.user.as_actor(), account: made.account.id }
}

async fn reads_english(scene: &Scene, customer: &Customer) {
    let work = scene.services.store.begin().await.unwrap();
    let mut reader = work.users().lock(customer.actor.user).await.unwrap().unwrap();
    reader.profile.settings = json!({"locale": "en-GB"});
    work.users().save(&reader).await.unwrap();
    work.commit().await.unwrap();
}

async fn a_warning_is_mailed_in_the_readers_language(fresh: &Fresh) {
    let mailbox = Mailbox::start().await;
    let scene = scene(&fresh.url, &mailbox).await;
    let chinese = customer(&scene, "zhang@example.com").await;
    let english = customer(&scene, "smith@example.com").await;
    reads_english(&scene, &english).await;
    for customer in [&chinese, &english] {
        scene.consume_one(command(customer.account, "words", 24_000, "to the first threshold")).await.unwrap();
    }
    let dispatcher = Dispatcher::start(&scene.services);
    until(PATIENCE, || mailbox.mails().len() == 2).await;
    dispatcher.stop(PATIENCE).await;
    let mails = mailbox.mails();
    let to = |address: &str| mails.iter().find(|mail| mail.to == [address]).unwrap();
    let (zhang, smith) = (to("zhang@example.com"), to("smith@example.com"));
    assert_eq!(smith.from, "noreply@suanpan.example");
    assert_eq!(smith.header("Subject"), "80% of words used");
    assert_eq!(smith.header("Auto-Submitted"), "auto-generated");
    assert!(smith.header("Message-ID").starts_with("<evt_"), "{smith:?}");
    assert!(smith.header("Content-Type").contains("utf-8"), "{smith:?}");
    assert!(!smith.header("Date").is_empty());
    assert!(smith.text.contains("24000 of 30000"), "{smith:?}");
    // RFC 2047: an encoded word of UTF-8, and no byte beyond ASCII in any header.
    assert!(zhang.header("Subject").starts_with("words =?utf-8?b?"), "{zhang:?}");
    assert!(zhang.header("From").contains("=?utf-8?b?"), "{zhang:?}");
    assert!(zhang.text.split("\r\n\r\n").next().unwrap().is_ascii());
}

db_test!(mailed, a_warning_is_mailed_in_the_readers_language);

/// An order of ten yuan, and what an operator says came in for it, if anything.
async fn ordered(scene: &Scene, customer: &Customer, came_in: Option<&str>) -> Attempt {
    let wanted = Wanted::TopUp { amount: "10.00".to_owned(), currency: "CNY".to_owned() };
    let wish = OrderWish { wanted, provider: Provider::Manual, method: PayMethod::Default };
    let (orders, actor, operator) = (&scene.services.orders, &customer.actor, scene.operator());
    let made = orders.order(actor, &AccountRef::Default, &wish, &once(actor)).await.unwrap().value;
    if let Some(amount) = came_in {
        let transaction = format!("bank {}", made.order.id);
        let wish = ConfirmWish { amount: Some(amount.to_owned()), currency: None, transaction };
        orders.confirm(&operator, made.payment.id, &wish, &once(&operator)).await.unwrap();
    }
    made
}

async fn what_becomes_of_an_order_is_mailed(fresh: &Fresh) {
    let mailbox = Mailbox::start().await;
    let scene = scene(&fresh.url, &mailbox).await;
    let customer = customer(&scene, "smith@example.com").await;
    reads_english(&scene, &customer).await;
    let delivered = ordered(&scene, &customer, Some("10.00")).await;
    let operator = scene.operator();
    let back = RefundWish { amount: Some("4.00".to_owned()), reason: "half".to_owned(), even_if_used: false };
    scene.services.orders.refund(&operator, delivered.payment.id, &back, &once(&operator)).await.unwrap();
    ordered(&scene, &customer, Some("9.00")).await;
    let closed = ordered(&scene, &customer, None).await;
    scene.services.orders.close(&customer.actor, closed.order.id).await.unwrap();
    let dispatcher = Dispatcher::start(&scene.services);
    until(PATIENCE, || mailbox.mails().len() == 4).await;
    dispatcher.stop(PATIENCE).await;
    let mails = mailbox.mails();
    let told = [
        ("Your order was delivered", "10.00 CNY"),
        ("A refund is on its way to you", "4.00 CNY of your order were refunded"),
        ("We received a payment that needs a look", "9.00 CNY came in"),
        ("Your order was closed", "for 10.00 CNY was closed"),
    ];
    for (mail, (subject, says)) in mails.iter().zip(told) {
        assert_eq!(mail.header("Subject"), subject);
        assert!(mail.text.contains(says) && mail.text.contains("ord_"), "{mail:?}");
    }
    assert_eq!(mails.len(), told.len());
}

db_test!(orders, what_becomes_of_an_order_is_mailed);

#[tokio::test]
async fn an_address_that_is_refused_for_good_makes_a_dead_letter_at_once_and_holds_up_nobody() {
    let fresh = harness::databases::sqlite().await;
    let mailbox = Mailbox::start().await;
    let scene = scene(&fresh.url, &mailbox).await;
    let refused = customer(&scene, UNKNOWN).await;
    let other = customer(&scene, "other@example.com").await;
    for customer in [&refused, &other] {
        scene.consume_one(command(customer.account, "words", 30_000, "both thresholds")).await.unwrap();
    }
    let dispatcher = Dispatcher::start(&scene.services);
    until(PATIENCE, || mailbox.mails().len() == 2).await;
    let dead =
        || async { scene.services.dead_letters.list(&scene.operator(), PageRequest::default()).await.unwrap().rows };
    while dead().await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    dispatcher.stop(PATIENCE).await;
    assert!(dead().await.iter().all(|letter| letter.account == refused.account && letter.attempts == 1));
    assert!(dead().await.iter().all(|letter| letter.status == DeliveryStatus::Dead && letter.endpoint().is_none()));
    assert!(mailbox.mails().iter().all(|mail| mail.to == ["other@example.com"]));
}
