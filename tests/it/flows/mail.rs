//! Warnings and what becomes of orders are mailed: over real SMTP, in the reader's language, once.

use crate::payments::once;
use api::dispatcher::Dispatcher;
use domain::accounts::AccountRef;
use domain::notices::DeliveryStatus;
use domain::orders::{Attempt, ConfirmWish, OrderWish, PayMethod, RefundWish, Wanted};
use domain::page::PageRequest;
use domain::wallet::Provider;
use harness::databases::Fresh;
use harness::db_test;
use harness::mailbox::{Mailbox, UNKNOWN};
use harness::receiver::until;
use harness::scene::{Customer, Scene, command};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

const SETTINGS: [(&str, &str); 2] =
    [("SUANPAN__PAYMENTS__MANUAL__ENABLED", "true"), ("SUANPAN__MAIL__FROM", "算盘 <noreply@suanpan.example>")];

async fn a_warning_is_mailed_in_the_readers_language(fresh: &Fresh) {
    let mailbox = Mailbox::start().await;
    let scene = mailbox.scene(&fresh.url, &SETTINGS).await;
    let chinese = scene.reader("zhang@example.com", None).await;
    let english = scene.reader("smith@example.com", Some("en-GB")).await;
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
    let scene = mailbox.scene(&fresh.url, &SETTINGS).await;
    let customer = scene.reader("smith@example.com", Some("en-GB")).await;
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
    let scene = mailbox.scene(&fresh.url, &SETTINGS).await;
    let refused = scene.reader(UNKNOWN, None).await;
    let other = scene.reader("other@example.com", None).await;
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
