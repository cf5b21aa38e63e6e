//! What a customer hears of bills and invoices, in the product and by mail, in the order in which it happens.

use api::dispatcher::Dispatcher;
use chrono::TimeDelta;
use domain::accounts::AccountRef;
use domain::billing::{BillFilter, BillKind, InvoiceEnd, InvoiceKind, InvoiceWish, RefundTo, RefundWish};
use domain::id::BillId;
use domain::idempotency::IdempotentRequest;
use domain::page::PageRequest;
use domain::plans::{PlanCode, PlanWish};
use harness::databases::Fresh;
use harness::db_test;
use harness::mailbox::{Handed, Mailbox};
use harness::receiver::until;
use harness::scene::{Customer, Scene, command};
use std::time::Duration;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);
const PAGE: PageRequest = PageRequest { limit: 200, before: None };
const MINE: AccountRef = AccountRef::Default;
const NANOS: i64 = 1_000_000_000;

/// What is told of a bill from its purchase to the invoice that is reversed, and whether it is mailed.
const TOLD: [(&str, bool); 22] = [
    ("subscription.changed", true),
    ("bill.issued", true),
    ("bill.paid", true),
    ("subscription.changed", true),
    ("bill.issued", true),
    ("bill.paid", true),
    ("bill.issued", true),
    ("bill.reminder", true),
    ("bill.past_due", true),
    ("subscription.changed", false),
    ("bill.suspended", true),
    ("subscription.changed", false),
    ("bill.paid", true),
    ("subscription.changed", false),
    ("subscription.recovered", true),
    ("invoice.requested", false),
    ("invoice.rejected", true),
    ("invoice.requested", false),
    ("invoice.issued", true),
    ("bill.refunded", true),
    ("invoice.outdated", true),
    ("invoice.reversed", true),
];

const SETTINGS: [(&str, &str); 3] = [
    ("SUANPAN__MAIL__FROM", "noreply@suanpan.example"),
    ("SUANPAN__MAIL__LOCALE", "en"),
    ("SUANPAN__WARNINGS__AT", "100"),
];

fn once(customer: &Customer) -> IdempotentRequest {
    let key = Uuid::now_v7().to_string();
    IdempotentRequest { user: customer.actor.user, scope: "test", fingerprint: key.clone(), key }
}

async fn pay(scene: &Scene, customer: &Customer, bill: BillId) {
    scene.services.billing.pay_from_wallet(&customer.actor, bill, &once(customer)).await.unwrap();
}

async fn newest(scene: &Scene, customer: &Customer, kind: BillKind) -> BillId {
    let filter = BillFilter { kind: Some(kind), ..BillFilter::default() };
    scene.services.billing.list(&customer.actor, &MINE, filter, PAGE).await.unwrap().rows[0].id
}

async fn pass(scene: &Scene, days: i64) {
    scene.move_clock(scene.now() + TimeDelta::days(days));
    while scene.services.metering.roll_over_due(0).await.unwrap().done > 0 {}
    api::billing_rounds::round(&scene.services, None).await.unwrap();
}

/// A plan is bought and renewed, and a month is billed that nobody pays until use is refused.
async fn is_suspended_and_recovers(scene: &Scene, customers: &[Customer]) {
    for customer in customers {
        scene.fund(customer.account, 1_000 * NANOS).await;
        let wish = PlanWish { plan: PlanCode::parse("professional").unwrap(), interval: None, seats: None };
        let bought = scene.services.billing.subscribe(&customer.actor, &MINE, &wish, None).await.unwrap();
        pay(scene, customer, bought.bill.unwrap().bill.id).await;
        scene.consume_one(command(customer.account, "words", 305_001, "w")).await.unwrap();
    }
    let subscription = scene.services.subscriptions.view(&customers[0].actor, &MINE).await.unwrap().subscription;
    scene.move_clock(subscription.period.end - TimeDelta::days(1));
    api::billing_rounds::round(&scene.services, None).await.unwrap();
    for customer in customers {
        pay(scene, customer, newest(scene, customer, BillKind::Subscription).await).await;
    }
    for days in [2, 5, 4, 8] {
        pass(scene, days).await;
    }
    for customer in customers {
        pay(scene, customer, newest(scene, customer, BillKind::Month).await).await;
    }
}

/// The month's bill is invoiced, refused, invoiced again, and refunded after that.
async fn is_invoiced(scene: &Scene, customer: &Customer) {
    let (billing, operator) = (&scene.services.billing, scene.operator());
    let month = newest(scene, customer, BillKind::Month).await;
    let wish = InvoiceWish { kind: InvoiceKind::Ordinary, title: "王小二".to_owned(), tax_id: None };
    let first = billing.request_invoice(&customer.actor, month, &wish).await.unwrap().id;
    billing.end_invoice(&operator, first, InvoiceEnd::Reject, "no such person").await.unwrap();
    let second = billing.request_invoice(&customer.actor, month, &wish).await.unwrap().id;
    let number = format!("2511{}", customer.account.as_uuid().simple());
    billing.issue_invoice(&operator, second, &number, Some("https://files.example.com/1.pdf")).await.unwrap();
    let wish = RefundWish { amount: Some("1.00".to_owned()), to: RefundTo::Wallet, reason: "outage".to_owned() };
    let refunded = billing.refund(&operator, month, &wish, &once(customer)).await.unwrap().value;
    assert_eq!(refunded.outdated, Some(second), "the operator hears at once that the invoice has to go");
    billing.end_invoice(&operator, second, InvoiceEnd::Reverse, "refunded in part").await.unwrap();
}

/// The kinds of an account's notices, oldest first, without those about quotas.
async fn notices(scene: &Scene, customer: &Customer) -> Vec<String> {
    let found = scene.services.notices.list(&customer.actor, &MINE, false, PAGE).await.unwrap().rows;
    found.into_iter().rev().map(|notice| notice.kind).filter(|kind| kind != "quota.warning").collect()
}

fn decoded(mail: &Handed) -> String {
    let body = mail.text.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "\n");
    match mail.header("Content-Transfer-Encoding").as_str() {
        "base64" => {
            use base64::Engine;
            let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace('\n', "")).unwrap();
            String::from_utf8(bytes).unwrap()
        }
        _ => body,
    }
}

async fn everything_about_a_bill_is_told_once_and_in_order(fresh: &Fresh) {
    let mailbox = Mailbox::start().await;
    let scene = mailbox.scene(&fresh.url, &SETTINGS).await;
    let customers =
        [scene.reader("smith@example.com", Some("en")).await, scene.reader("zhang@example.com", Some("zh-CN")).await];
    is_suspended_and_recovers(&scene, &customers).await;
    for customer in &customers {
        is_invoiced(&scene, customer).await;
    }
    let dispatcher = Dispatcher::start(&scene.services);
    let mailed = TOLD.iter().filter(|(_, mailed)| *mailed).count();
    let about_bills =
        || mailbox.mails().into_iter().filter(|mail| !decoded(mail).contains("words")).collect::<Vec<_>>();
    until(PATIENCE, || about_bills().len() == 2 * mailed).await;
    dispatcher.stop(PATIENCE).await;
    let expected: Vec<&str> = TOLD.iter().map(|(kind, _)| *kind).collect();
    for (customer, address) in customers.iter().zip(["smith@example.com", "zhang@example.com"]) {
        assert_eq!(notices(&scene, customer).await, expected);
        let mine: Vec<String> = about_bills().iter().filter(|mail| mail.to == [address]).map(decoded).collect();
        assert_eq!(mine.len(), mailed, "{address}");
        assert!(mine.iter().all(|text| !text.contains(['{', '–'])), "every field is filled: {mine:#?}");
        let chinese = address.starts_with("zhang");
        let said = if chinese { "发票号码：2511" } else { "Number: 2511" };
        assert!(mine.iter().any(|text| text.contains(said)), "{mine:#?}");
        assert!(mine.iter().all(|text| text.contains('。') == chinese), "{mine:#?}");
    }
}

db_test!(told, everything_about_a_bill_is_told_once_and_in_order);
