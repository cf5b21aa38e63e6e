//! `GET /bills/{id}.pdf`: every kind of bill as a file, in both languages, for whoever may read the bill.
//!
//! The files are made with the feature `pdf`; without it the route says that it has none.

use harness::app::{TestApp, User};
use serde_json::{Value, json};

/// Buys the professional plan; the id of its bill, unpaid.
async fn buy(app: &TestApp, user: &User, key: &str) -> String {
    let by = app.by(&user.token).header("Idempotency-Key", key);
    by.post("/subscription", &json!({"plan": "professional"})).await.expect(201).text("/bill/id")
}

#[tokio::test]
async fn a_receipt_is_for_whoever_may_read_the_bill_in_a_language_that_there_is() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let (user, stranger) = (app.user(None).await, app.user(None).await);
    let bill = buy(&app, &user, "buy").await;
    app.by(&stranger.token).get(&format!("/bills/{bill}.pdf")).await.expect(404);
    app.anonymous().get(&format!("/bills/{bill}.pdf")).await.expect(401);
    for missing in ["bil_00000000000000000000000000000000", "x"] {
        app.by(&user.token).get(&format!("/bills/{missing}.pdf")).await.expect(404);
    }
    for query in ["locale=fr", "language=en"] {
        app.by(&user.token).get(&format!("/bills/{bill}.pdf?{query}")).await.expect(422);
    }
    app.by(&user.token).get(&format!("/bills/{bill}")).await.expect(200);
    let document = app.anonymous().get("/openapi.json").await.expect(200).body;
    let answers = &document["paths"]["/api/v1/bills/{id}.pdf"]["get"]["responses"];
    assert!(answers["200"]["content"]["application/pdf"] != Value::Null && answers["501"] != Value::Null);
}

#[cfg(not(feature = "pdf"))]
#[tokio::test]
async fn a_server_without_receipts_says_so() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let bill = buy(&app, &user, "buy").await;
    assert_eq!(app.by(&user.token).get(&format!("/bills/{bill}.pdf")).await.expect(501).code(), "not_available");
}

#[cfg(feature = "pdf")]
pub mod files {
    use super::*;
    use chrono::TimeDelta;
    use domain::billing::{Bill, BillKind, BillStatus, IssuedBill};
    use domain::id::BillId;
    use harness::databases::Fresh;
    use harness::db_test;
    use std::collections::BTreeMap;

    const SETTINGS: [(&str, &str); 5] = [
        ("SUANPAN__SESSIONS__TTL_HOURS", "8760"),
        ("SUANPAN__BILLING__SELLER__NAME", "杭州算盘科技有限公司"),
        ("SUANPAN__BILLING__SELLER__ADDRESS", "浙江省杭州市西湖区文三路 100 号"),
        ("SUANPAN__BILLING__SELLER__TAX_ID", "91330100799655058B"),
        ("SUANPAN__BILLING__SELLER__CONTACT", "billing@suanpan.example"),
    ];

    async fn by_operator(app: &TestApp, key: &str, path: &str, body: &Value) -> String {
        let by = app.by(&app.operator).header("Idempotency-Key", key);
        let made = by.post(&format!("/admin{path}"), body).await;
        assert!(made.status < 300, "{path}: {}", made.body);
        made.text("/id")
    }

    /// One bill of each kind and status there is, by what it is.
    async fn bills(app: &TestApp, user: &User) -> BTreeMap<&'static str, String> {
        let coupon = json!({"code": "WELCOME", "percent": 10});
        by_operator(app, "coupon", "/coupons", &coupon).await;
        let void = buy(app, user, "void").await;
        let wish = json!({"plan": "professional", "coupon": "WELCOME"});
        let by = app.by(&user.token).header("Idempotency-Key", "buy");
        let paid = by.post("/subscription", &wish).await.expect(201).text("/bill/id");
        by_operator(app, "paid", &format!("/bills/{paid}/payments"), &json!({"note": "bank 20261121-7"})).await;
        for (meter, quantity) in [("words", 305_001), ("cu", 1_001), ("storage", 204_800), ("traffic", 60_000)] {
            let used = json!({"meter": meter, "quantity": quantity, "key": meter});
            app.by(&user.token).post("/usage", &used).await.expect(201);
        }
        let quota = app.by(&user.token).get("/quota").await.expect(200);
        let end: chrono::DateTime<chrono::Utc> = quota.text("/period/end").parse().unwrap();
        app.scene.move_clock(end + TimeDelta::hours(2));
        api::billing_rounds::round(&app.scene.services, None).await.unwrap();
        let of = async |query: &str| {
            app.by(&user.token).get(&format!("/bills?{query}")).await.expect(200).text("/data/0/id")
        };
        let (month, renewal) = (of("kind=month").await, of("kind=subscription&status=unpaid").await);
        by_operator(app, "month", &format!("/bills/{month}/payments"), &json!({})).await;
        let part = json!({"amount": "20.00", "to": "wallet", "reason": "outage on the 21st 故障补偿"});
        let refund = by_operator(app, "part", &format!("/bills/{month}/refund"), &part).await;
        let overage = interim(app, &month).await;
        BTreeMap::from([
            ("void", void),
            ("purchase", paid),
            ("month", month),
            ("renewal", renewal),
            ("refund", refund),
            ("overage", overage),
        ])
    }

    /// An interim bill with the lines of the month's.
    async fn interim(app: &TestApp, month: &str) -> String {
        let work = app.scene.services.store.begin().await.unwrap();
        let month = work.bills().find(month.parse().unwrap()).await.unwrap().unwrap();
        let id = BillId::new(app.scene.now());
        let bill = Bill {
            id,
            kind: BillKind::Overage,
            status: BillStatus::Unpaid,
            refunded: month.bill.totals.base,
            ..month.bill.clone()
        };
        let overages =
            month.overages.iter().cloned().map(|overage| domain::billing::BillOverage { bill: id, ..overage });
        let issued = IssuedBill { bill, overages: overages.collect(), lines: month.lines.clone() };
        work.bills().insert(&[issued]).await.unwrap();
        work.commit().await.unwrap();
        id.to_string()
    }

    async fn file(app: &TestApp, user: &User, bill: &str, query: &str) -> Vec<u8> {
        let (media_type, bytes) = app.by(&user.token).file(&format!("/bills/{bill}.pdf{query}")).await;
        assert_eq!(media_type, "application/pdf");
        assert!(bytes.starts_with(b"%PDF-1.") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
        bytes
    }

    /// With `RECEIPTS_DIR` the files are kept, to be looked at.
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    pub fn keep(name: &str, bytes: &[u8]) {
        if let Ok(folder) = std::env::var("RECEIPTS_DIR") {
            std::fs::write(std::path::Path::new(&folder).join(name).with_extension("pdf"), bytes).unwrap();
        }
    }

    db_test!(every_kind_of_bill_is_a_file_in_both_languages_and_always_the_same, async |fresh: &Fresh| {
        let app = TestApp::with(&fresh.url, &SETTINGS).await;
        let user = app.user(None).await;
        let odd = json!({"display_name": "𬭎𠮷㛃 مرحبا 👩\u{200D}💻 阿依古丽·买买提 José Müller-Østergård"});
        app.by(&user.token).patch("/me", &odd).await.expect(200);
        for (name, bill) in bills(&app, &user).await {
            let english = file(&app, &user, &bill, "?locale=en").await;
            let chinese = file(&app, &user, &bill, "?locale=zh").await;
            assert_ne!(english, chinese, "{name}");
            assert_eq!(
                file(&app, &user, &bill, "?locale=en").await,
                english,
                "{name}: the same bill is the same bytes"
            );
            assert_eq!(file(&app, &user, &bill, "").await, chinese, "{name}: the server's language");
            keep(&format!("{name}-en"), &english);
            keep(&format!("{name}-zh"), &chinese);
        }
    });

    #[tokio::test]
    async fn who_chose_a_language_gets_it_and_what_was_paid_since_is_in_the_file() {
        let fresh = harness::databases::sqlite().await;
        let app = TestApp::with(&fresh.url, &SETTINGS).await;
        let user = app.user(None).await;
        let bill = buy(&app, &user, "buy").await;
        app.by(&user.token).patch("/me", &json!({"settings": {"locale": "en-GB"}})).await.expect(200);
        let unpaid = file(&app, &user, &bill, "").await;
        assert_eq!(unpaid, file(&app, &user, &bill, "?locale=en").await);
        by_operator(&app, "pay", &format!("/bills/{bill}/payments"), &json!({})).await;
        assert_ne!(unpaid, file(&app, &user, &bill, "").await);
    }
}
