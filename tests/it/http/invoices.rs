//! Invoices over HTTP: asked for once at a time, recorded by operators, and asked for again when one stands no more.

use chrono::TimeDelta;
use domain::billing::{Invoice, InvoiceFilter};
use domain::money::{Currency, Money};
use domain::page::PageRequest;
use domain::store::StoreError;
use harness::app::{Answer, TestApp, User};
use harness::databases::{Fresh, sqlite};
use harness::db_test;
use serde_json::{Value, json};

const TAX_ID: &str = "91110000802100433B";
/// How many ask at once.
const ASKERS: usize = 8;

fn title() -> Value {
    json!({"title": "北京百度网讯科技有限公司", "tax_id": TAX_ID})
}

/// The bill of a plan, unpaid.
async fn bill(app: &TestApp, user: &User) -> String {
    app.by(&user.token).keyed().post("/subscription", &json!({"plan": "professional"})).await.expect(201);
    app.by(&user.token).get("/bills").await.expect(200).text("/data/0/id")
}

async fn pay(app: &TestApp, bill: &str) {
    let path = format!("/admin/bills/{bill}/payments");
    app.by(&app.operator).header("Idempotency-Key", bill).post(&path, &json!({"note": "bank"})).await.expect(201);
}

async fn refund(app: &TestApp, bill: &str, amount: &str) {
    let wish = json!({"amount": amount, "to": "wallet", "reason": "outage"});
    let path = format!("/admin/bills/{bill}/refund");
    app.by(&app.operator).header("Idempotency-Key", amount).post(&path, &wish).await.expect(201);
}

async fn ask(app: &TestApp, user: &User, bill: &str, body: &Value) -> Answer {
    app.by(&user.token).post(&format!("/bills/{bill}/invoice"), body).await
}

async fn record(app: &TestApp, invoice: &Answer, step: &str, body: Value) -> Answer {
    app.by(&app.operator).post(&format!("/admin/invoices/{}/{step}", invoice.text("/id")), &body).await
}

fn number() -> Value {
    json!({"number": "25117000000012345678", "url": "https://files.example.com/1.pdf"})
}

db_test!(a_bill_has_one_invoice_at_a_time_and_another_after_it_was_taken_back, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let bill = bill(&app, &user).await;
    assert_eq!(ask(&app, &user, &bill, &title()).await.expect(409).code(), "bill_not_invoiceable");
    pay(&app, &bill).await;
    let first = ask(&app, &user, &bill, &title()).await.expect(201);
    let total = app.by(&user.token).get(&format!("/bills/{bill}")).await.expect(200).text("/total");
    assert_eq!((first.text("/status"), first.text("/amount")), ("requested".into(), total));
    assert_eq!(first.body["warning"], Value::Null);
    assert_eq!(ask(&app, &user, &bill, &title()).await.expect(409).code(), "invoice_exists");
    let rejected = record(&app, &first, "reject", json!({"reason": "no such company"})).await.expect(200);
    assert_eq!((rejected.text("/status"), rejected.text("/reason")), ("rejected".into(), "no such company".into()));
    assert_eq!(record(&app, &first, "issue", number()).await.expect(409).code(), "invoice_status");

    let second = ask(&app, &user, &bill, &title()).await.expect(201);
    assert_eq!(record(&app, &second, "reverse", json!({"reason": "x"})).await.expect(409).code(), "invoice_status");
    let issued = record(&app, &second, "issue", number()).await.expect(200);
    assert_eq!((issued.text("/status"), issued.text("/number")), ("issued".into(), "25117000000012345678".into()));
    assert_eq!(ask(&app, &user, &bill, &title()).await.expect(409).code(), "invoice_exists");
    record(&app, &second, "reverse", json!({"reason": "wrong title"})).await.expect(200);
    ask(&app, &user, &bill, &title()).await.expect(201);

    let all = app.by(&user.token).get(&format!("/bills/{bill}/invoices")).await.expect(200);
    let statuses: Vec<_> = all.body["data"].as_array().unwrap().iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, ["requested", "reversed", "rejected"]);
    let waiting = app.by(&app.operator).get("/admin/invoices?status=requested").await.expect(200);
    assert_eq!(waiting.body["data"], json!([all.body["data"][0]]));
    let log = app.by(&app.operator).get("/admin/audit-log?limit=200").await.expect(200);
    for act in ["invoice.request", "invoice.issue", "invoice.reject", "invoice.reverse"] {
        assert!(log.body["data"].as_array().unwrap().iter().any(|row| row["action"] == act), "{act}");
    }
    assert!(!log.body.to_string().contains(TAX_ID), "the audit log has no tax ids");
});

db_test!(of_those_who_ask_at_once_one_gets_an_invoice, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let bill = bill(&app, &user).await;
    pay(&app, &bill).await;
    let body = title();
    let asked = futures_util::future::join_all((0..ASKERS).map(|_| ask(&app, &user, &bill, &body))).await;
    let made = asked.iter().filter(|answer| answer.status == 201).count();
    let codes: Vec<_> = asked.iter().filter(|answer| answer.status != 201).map(Answer::code).collect();
    assert_eq!((made, codes), (1, vec!["invoice_exists".to_owned(); ASKERS - 1]));
});

db_test!(the_database_itself_refuses_a_second_invoice_that_stands, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let bill = bill(&app, &user).await;
    pay(&app, &bill).await;
    ask(&app, &user, &bill, &title()).await.expect(201);
    let store = &app.scene.services.store;
    let page = PageRequest { limit: 10, before: None };
    let first = store.invoices().list(&InvoiceFilter::default(), page).await.unwrap().rows.remove(0);
    let now = app.scene.now() + TimeDelta::seconds(1);
    let second = Invoice { id: domain::id::InvoiceId::new(now), ..first };
    let work = store.begin().await.unwrap();
    let refused = work.invoices().insert(&second).await;
    assert!(matches!(refused, Err(StoreError::Duplicate)), "{refused:?}");
});

#[tokio::test]
async fn an_invoice_is_over_what_did_not_go_back() {
    let fresh = sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let bill = bill(&app, &user).await;
    pay(&app, &bill).await;
    let asked = ask(&app, &user, &bill, &title()).await.expect(201);
    refund(&app, &bill, "9.00").await;
    assert_eq!(record(&app, &asked, "issue", number()).await.expect(409).code(), "invoice_amount");
    record(&app, &asked, "reject", json!({"reason": "refunded in part"})).await.expect(200);
    let again = ask(&app, &user, &bill, &title()).await.expect(201);
    let cny = |text: &str| Money::parse_minor(text, Currency::CNY).unwrap();
    let left = cny(&asked.text("/amount")).checked_sub(cny("9.00")).unwrap();
    assert_eq!(again.text("/amount"), left.to_decimal());
    record(&app, &again, "reject", json!({"reason": "refunded"})).await.expect(200);
    refund(&app, &bill, &left.to_decimal()).await;
    assert_eq!(ask(&app, &user, &bill, &title()).await.expect(409).code(), "bill_not_invoiceable");
}

#[tokio::test]
async fn a_tax_id_that_looks_wrong_warns_and_what_cannot_be_one_is_refused() {
    let fresh = sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (user, stranger) = (app.user(None).await, app.user(None).await);
    let bill = bill(&app, &user).await;
    pay(&app, &bill).await;
    assert_eq!(ask(&app, &stranger, &bill, &title()).await.expect(404).code(), "not_found");
    app.by(&stranger.token).get(&format!("/bills/{bill}/invoices")).await.expect(404);
    for body in [
        json!({"title": " "}),
        json!({"title": "a", "tax_id": "123"}),
        json!({"title": "a", "kind": "special"}),
        json!({"title": "a", "kind": "none"}),
        json!({"title": "字".repeat(201)}),
    ] {
        assert_eq!(ask(&app, &user, &bill, &body).await.expect(422).code(), "invalid");
    }
    let doubtful = json!({"title": "a", "kind": "special", "tax_id": "91350211M0000XUF46"});
    let asked = ask(&app, &user, &bill, &doubtful).await.expect(201);
    assert_eq!((asked.text("/warning"), asked.text("/kind")), ("tax_id_check_digit".into(), "special".into()));
    for body in [json!({"number": " "}), json!({"number": "1", "url": "javascript:alert(1)"})] {
        assert_eq!(record(&app, &asked, "issue", body).await.expect(422).code(), "invalid");
    }
    record(&app, &asked, "issue", json!({"number": "1"})).await.expect(200);
}
