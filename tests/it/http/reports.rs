//! Reports of operators, compared with sums over every bill, and with the ledger, row by row.

use crate::auditor::market::{GIVING, Market};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::billing::{Bill, BillFilter, BillKind, BillStatus, IssuedBill};
use domain::idempotency::IdempotentRequest;
use domain::page::PageRequest;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use sea_orm::{ConnectionTrait, Database, Statement};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ZONE: Tz = chrono_tz::Asia::Shanghai;
const REPORTS: [&str; 4] = ["overage", "receivables", "refunds", "revenue"];
const NANOS: i128 = 1_000_000_000;

/// A transfer of the book.
struct Moved {
    kind: String,
    reference: String,
    from: String,
    to: String,
    amount: i128,
    month: String,
}

/// Everything that a report is about, one by one.
struct Facts {
    bills: Vec<IssuedBill>,
    book: Vec<Moved>,
    months: BTreeSet<String>,
    now: DateTime<Utc>,
}

fn month(time: DateTime<Utc>) -> String {
    time.with_timezone(&ZONE).format("%Y-%m").to_string()
}

fn nanos(text: &Value) -> i128 {
    let text = text.as_str().unwrap();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let fraction: i128 = format!("{fraction:0<9}").parse().unwrap();
    whole.parse::<i128>().unwrap() * NANOS + sign * fraction
}

impl Facts {
    async fn read(app: &TestApp, fresh: &Fresh) -> Self {
        let store = &app.scene.services.store;
        let page = PageRequest { limit: 200, before: None };
        let mut bills = Vec::new();
        for bill in store.bills().list(&BillFilter::default(), page).await.unwrap().rows {
            bills.push(store.bills().find(bill.id).await.unwrap().unwrap());
        }
        let connection = Database::connect(&fresh.url).await.unwrap();
        let all = "SELECT kind, reference, from_code, to_code, amount, booked_at FROM ledger_transfers";
        let rows =
            connection.query_all_raw(Statement::from_string(connection.get_database_backend(), all)).await.unwrap();
        let book: Vec<Moved> = rows
            .iter()
            .map(|row| {
                let [kind, reference, from, to] =
                    ["kind", "reference", "from_code", "to_code"].map(|name| row.try_get("", name).unwrap());
                let amount: i64 = row.try_get("", "amount").unwrap();
                let month = month(row.try_get("", "booked_at").unwrap());
                Moved { kind, reference, from, to, amount: amount.into(), month }
            })
            .collect();
        let months = bills.iter().map(|issued| month(issued.bill.issued_at)).chain([month(app.scene.now())]).collect();
        Self { bills, book, months, now: app.scene.now() }
    }

    fn debts(&self) -> impl Iterator<Item = &Bill> {
        self.bills.iter().map(|issued| &issued.bill).filter(|bill| bill.kind != BillKind::Refund)
    }

    fn total<'a>(&'a self, of: impl Fn(&Bill) -> bool + 'a) -> i128 {
        self.debts().filter(|bill| of(bill)).map(|bill| i128::from(bill.totals.total.nanos())).sum()
    }

    /// What moved into an account of the book less what left it, of some transfers.
    fn net(&self, code: &str, of: impl Fn(&Moved) -> bool) -> i128 {
        let into = self.book.iter().filter(|moved| moved.to == code && of(moved)).map(|moved| moved.amount);
        let out = self.book.iter().filter(|moved| moved.from == code && of(moved)).map(|moved| -moved.amount);
        into.chain(out).sum()
    }

    fn receivables(&self, month_asked: &str) -> [i128; 6] {
        let settled = |bill: &Bill| bill.paid_at.or(bill.voided_at).map(month);
        let open_after = |bill: &Bill, last: &str| settled(bill).is_none_or(|settled| settled.as_str() > last);
        let of = |bill: &Bill| month(bill.issued_at);
        let owed = self.total(|bill| of(bill).as_str() <= month_asked && open_after(bill, month_asked));
        let issued = self.total(|bill| of(bill) == month_asked);
        let paid = self.total(|bill| bill.paid_at.map(month).as_deref() == Some(month_asked));
        let voided = self.total(|bill| bill.voided_at.map(month).as_deref() == Some(month_asked));
        let due = |bill: &Bill| month(bill.due_at).as_str() <= month_asked && bill.due_at <= self.now;
        let overdue = self.total(|bill| of(bill).as_str() <= month_asked && due(bill) && open_after(bill, month_asked));
        [owed - issued + paid + voided, issued, paid, voided, owed, overdue]
    }

    /// Meter, quantity and fee of a month.
    fn overage(&self, month_asked: &str) -> BTreeMap<String, (i128, i128, i64)> {
        let mut meters = BTreeMap::<String, (i128, i128, i64)>::new();
        for issued in &self.bills {
            if month(issued.bill.issued_at) == month_asked && issued.bill.status != BillStatus::Void {
                for overage in &issued.overages {
                    let sums = meters.entry(overage.used.meter.to_string()).or_default();
                    sums.0 += i128::from(overage.used.quantity.as_atoms());
                    sums.1 += i128::from(overage.fee.nanos());
                    sums.2 += 1;
                }
            }
        }
        meters
    }
}

async fn report(app: &TestApp, name: &str, query: &str) -> Value {
    app.by(&app.operator).get(&format!("/admin/reports/{name}?{query}")).await.expect(200).body
}

/// The rows of a report, by month and whatever `key` says.
fn by<'r>(report: &'r Value, key: &str) -> BTreeMap<(String, String), &'r Value> {
    let rows = report["data"].as_array().unwrap();
    rows.iter().map(|row| ((text(row, "month"), text(row, key)), row)).collect()
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap().to_owned()
}

fn sums<const N: usize>(row: &Value, names: [&str; N]) -> [i128; N] {
    names.map(|name| nanos(&row[name]))
}

/// Three months in which everything happens that a report speaks of, and one bill that stays unpaid.
async fn three_months(app: &TestApp) {
    let market = Market::new(&app.scene);
    let (buyer, payer, debtor) = (
        app.scene.customer(None).await,
        app.scene.customer(None).await,
        app.scene.customer(Some("professional")).await,
    );
    market.trade(&buyer).await;
    market.bill(&buyer).await;
    market.top_up(&payer, "9.00").await;
    market.spend(&payer).await;
    for meter in ["words", "traffic"] {
        app.scene.consume_one(harness::scene::command(debtor.account, meter, 9_000_000_000, meter)).await.unwrap();
    }
    pass(app, 33).await;
    market.adjust(buyer.account).await;
    let usage = app.scene.services.ledger.statement(
        &payer.actor,
        &domain::accounts::AccountRef::Default,
        None,
        PageRequest::default(),
    );
    let line = usage.await.unwrap().rows.into_iter().find(|line| line.transfer.kind.name() == "usage").unwrap();
    let operator = app.scene.operator();
    let key = "take it back".to_owned();
    let once = IdempotentRequest { user: operator.user, scope: "test", fingerprint: key.clone(), key };
    app.scene.services.ledger.reverse(&operator, line.transfer.id, "a gift", &once).await.unwrap();
    pass(app, 33).await;
}

/// Moves the clock, and does what the loops would.
async fn pass(app: &TestApp, days: i64) {
    app.scene.move_clock(app.scene.now() + TimeDelta::days(days));
    while app.scene.services.metering.roll_over_due(0).await.unwrap().done > 0 {}
    api::billing_rounds::round(&app.scene.services, None).await.unwrap();
}

fn settings() -> Vec<(&'static str, &'static str)> {
    let mut settings = GIVING.to_vec();
    settings.push(("SUANPAN__SESSIONS__TTL_HOURS", "8760"));
    settings
}

db_test!(reports_are_the_sums_of_the_bills_and_of_the_book, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &settings()).await;
    three_months(&app).await;
    let facts = Facts::read(&app, fresh).await;
    let range = format!("from={}&to={}", facts.months.first().unwrap(), facts.months.last().unwrap());
    let all = [
        report(&app, "revenue", &range).await,
        report(&app, "receivables", &range).await,
        report(&app, "overage", &range).await,
        report(&app, "refunds", &range).await,
    ];
    let [revenue, receivables, overage, refunds] = &all;
    assert!(facts.months.len() >= 3, "{:?}", facts.months);
    for asked in &facts.months {
        let key = (asked.clone(), "CNY".to_owned());
        check_revenue(&facts, asked, by(revenue, "currency").get(&key).copied());
        let owed = by(receivables, "currency")[&key];
        let names = ["opening", "issued", "paid", "voided", "closing", "overdue"];
        assert_eq!(sums(owed, names), facts.receivables(asked), "{asked}: {owed}");
        let book = -facts.net("receivable", |moved| moved.month <= *asked);
        assert_eq!(nanos(&owed["closing"]), book, "{asked}: what the book says is owed");
        check_overage(&facts, asked, overage);
        check_refunds(&facts, asked, by(refunds, "currency").get(&key).copied());
    }
    let seen = |report: &Value, name: &str| report["data"].as_array().unwrap().iter().any(|row| nanos(&row[name]) != 0);
    for name in ["base", "overage", "discount", "billed", "voided", "sales", "usage", "refunded", "other"] {
        assert!(seen(revenue, name), "nothing was {name}: {revenue}");
    }
    assert!(["opening", "overdue", "paid", "voided"].iter().all(|name| seen(receivables, name)), "{receivables}");
    assert!(["bills", "orders", "to_wallets", "to_providers"].iter().all(|name| seen(refunds, name)), "{refunds}");
});

fn check_revenue(facts: &Facts, asked: &str, row: Option<&Value>) {
    let in_month = |bill: &Bill| month(bill.issued_at) == asked;
    let parts = |of: fn(&Bill) -> i64| -> i128 {
        facts.debts().filter(|bill| in_month(bill)).map(|bill| i128::from(of(bill))).sum()
    };
    let of_kind =
        |kinds: &[&str]| facts.net("revenue", |moved| moved.month == asked && kinds.contains(&moved.kind.as_str()));
    let net = facts.net("revenue", |moved| moved.month == asked);
    let Some(row) = row else {
        assert_eq!(net, 0, "{asked}");
        return;
    };
    let names = ["base", "overage", "discount", "billed", "voided", "sales", "usage", "refunded", "net"];
    let expected = [
        parts(|bill| bill.totals.base.nanos()),
        parts(|bill| bill.totals.overage.nanos()),
        parts(|bill| bill.totals.discount.nanos()),
        facts.total(in_month),
        facts.total(|bill| bill.voided_at.map(month).as_deref() == Some(asked)),
        of_kind(&["sale"]),
        of_kind(&["usage"]),
        -of_kind(&["refund_reserved", "refund_failed"]),
        net,
    ];
    assert_eq!(sums(row, names), expected, "{asked}: {row}");
    assert_eq!(nanos(&row["billed"]), of_kind(&["bill_issued"]), "{asked}: what the book says was billed");
    let [billed, voided, sales, usage, refunded, other] =
        sums(row, ["billed", "voided", "sales", "usage", "refunded", "other"]);
    assert_eq!(billed - voided + sales + usage - refunded + other, net, "{asked}: the parts are the whole");
}

fn check_overage(facts: &Facts, asked: &str, report: &Value) {
    let scales = BTreeMap::from([("words", 0), ("storage", 3), ("cu", 3), ("traffic", 5)]);
    let rows = by(report, "meter");
    let mine: BTreeMap<String, (i128, i128, i64)> = rows
        .iter()
        .filter(|((month, _), _)| month == asked)
        .map(|((_, meter), row)| {
            let atoms = nanos(&row["quantity"]) / 10_i128.pow(9 - scales[meter.as_str()]);
            (meter.clone(), (atoms, nanos(&row["fee"]), row["bills"].as_i64().unwrap()))
        })
        .collect();
    assert_eq!(mine, facts.overage(asked), "{asked}");
}

fn check_refunds(facts: &Facts, asked: &str, row: Option<&Value>) {
    let back: Vec<&Moved> =
        facts.book.iter().filter(|moved| moved.kind == "refunded" && moved.month == asked).collect();
    let Some(row) = row else {
        assert!(back.is_empty(), "{asked}");
        return;
    };
    let total =
        |of: &dyn Fn(&Moved) -> bool| -> i128 { back.iter().filter(|moved| of(moved)).map(|moved| moved.amount).sum() };
    let bills: i128 = facts
        .bills
        .iter()
        .map(|issued| &issued.bill)
        .filter(|bill| bill.kind == BillKind::Refund && month(bill.issued_at) == asked)
        .map(|bill| i128::from(bill.totals.total.nanos()))
        .sum();
    let expected = [
        bills,
        total(&|moved| moved.reference.starts_with("rfd_")),
        total(&|moved| moved.to == "wallet"),
        total(&|moved| moved.to.starts_with("cash:")),
        total(&|_| true),
    ];
    assert_eq!(sums(row, ["bills", "orders", "to_wallets", "to_providers", "total"]), expected, "{asked}: {row}");
    assert_eq!(row["count"].as_i64(), i64::try_from(back.len()).ok());
}

db_test!(a_report_is_a_file_with_the_same_rows, async |fresh: &Fresh| {
    let app = TestApp::with(&fresh.url, &settings()).await;
    three_months(&app).await;
    for name in REPORTS {
        let rows = report(&app, name, "").await;
        let (media_type, bytes) = app.by(&app.operator).file(&format!("/admin/reports/{name}?format=csv")).await;
        assert_eq!(media_type, "text/csv; charset=utf-8");
        let mut file = csv::Reader::from_reader(bytes.as_slice());
        let head = file.headers().unwrap().clone();
        let lines: Vec<Value> = file
            .records()
            .map(|line| head.iter().map(str::to_owned).zip(line.unwrap().iter().map(|field| json!(field))).collect())
            .collect();
        let as_text = |value: &Value| json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let expected: Vec<Value> = rows["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
            .collect();
        assert_eq!(lines, expected, "{name}");
        assert!(!lines.is_empty(), "{name}");
    }
});

#[tokio::test]
async fn a_report_is_for_operators_over_months_that_there_are() {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    for name in REPORTS {
        app.by(&user.token).get(&format!("/admin/reports/{name}")).await.expect(403);
        let empty = report(&app, name, "").await;
        assert_eq!((&empty["data"], &empty["time_zone"]), (&json!([]), &json!("Asia/Shanghai")));
        let (_, file) = app.by(&app.operator).file(&format!("/admin/reports/{name}?format=csv")).await;
        let head = String::from_utf8(file).unwrap();
        assert!(head.starts_with("month,currency,") && head.lines().count() == 1, "{head}");
        for query in [
            "from=2026",
            "to=2026-13",
            "to=2999-01",
            "from=2024-02&to=2024-01",
            "from=1990-01&to=2024-01",
            "format=xml",
            "month=2024-01",
        ] {
            let refused = app.by(&app.operator).get(&format!("/admin/reports/{name}?{query}")).await;
            assert_eq!(refused.expect(422).code(), "invalid", "{query}");
        }
    }
    let one = report(&app, "revenue", "from=2024-02&to=2024-02").await;
    assert_eq!((&one["from"], &one["to"]), (&json!("2024-02"), &json!("2024-02")));
}
