//! `GET /usage` and `GET /usage/summary`: the sums are those of the rows, whatever they are grouped by.

use harness::app::{Caller, TestApp};
use harness::databases::Fresh;
use harness::db_test;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Quantity in thousandths by meter.
type Totals = BTreeMap<String, i64>;

fn total(rows: &[Value]) -> Totals {
    rows.iter().fold(Totals::new(), |mut sums, row| {
        let quantity: f64 = row["quantity"].as_str().unwrap().parse().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "small test quantities")]
        let thousandths = (quantity * 1000.0).round() as i64;
        *sums.entry(row["meter"].as_str().unwrap().to_owned()).or_default() += thousandths;
        sums
    })
}

async fn all_rows(caller: &Caller<'_>, query: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("/usage?limit=7{query}{cursor}")).await.expect(200);
        rows.extend(page.body["data"].as_array().unwrap().clone());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

db_test!(every_grouping_sums_to_the_rows, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let key = app.key(&user, domain::accounts::KeyWish::default()).await;
    for n in 0..20 {
        let (meter, quantity) = if n % 3 == 0 { ("cu", format!("{n}.125")) } else { ("words", format!("{}", n + 1)) };
        let event = json!({"meter": meter, "quantity": quantity, "key": format!("k{n}"), "dimensions": {"model": format!("m{}", n % 4)}});
        let sender = if n % 2 == 0 { &me } else { &app.by(&key) };
        sender.post("/usage", &event).await.expect(201);
    }
    let rows = all_rows(&me, "").await;
    assert_eq!(rows.len(), 20);
    for group in ["hour", "day", "meter", "model", "api_key", "user"] {
        let summary = me.get(&format!("/usage/summary?group_by={group}")).await.expect(200);
        let sums = summary.body["data"].as_array().unwrap();
        assert_eq!(total(sums), total(&rows), "by {group}: {}", summary.body);
        assert_eq!(sums.iter().map(|sum| sum["events"].as_i64().unwrap()).sum::<i64>(), 20, "by {group}");
    }
    let models = me.get("/usage/summary?group_by=model").await.body;
    assert_eq!(models["data"].as_array().unwrap().iter().filter(|sum| sum["group"] == json!("m1")).count(), 2);
});

db_test!(rows_are_filtered_by_meter_key_and_time, async |fresh: &Fresh| {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let made = me.post("/api-keys", &json!({"name": "k"})).await.expect(201);
    let keyed = app.by(&made.text("/key"));
    for (sender, meter, n) in [(&me, "words", 0), (&me, "cu", 1), (&keyed, "words", 2), (&keyed, "cu", 3)] {
        sender.post("/usage", &json!({"meter": meter, "quantity": 1, "key": format!("k{n}")})).await.expect(201);
    }
    let keys = |rows: Vec<Value>| rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(all_rows(&me, "").await), ["k3", "k2", "k1", "k0"]);
    assert_eq!(keys(all_rows(&me, "&meter=cu").await), ["k3", "k1"]);
    assert_eq!(keys(all_rows(&me, &format!("&api_key={}", made.text("/id"))).await), ["k3", "k2"]);
    assert!(all_rows(&me, "&to=2020-01-01T00:00:00Z").await.is_empty());
    assert_eq!(all_rows(&me, "&from=2020-01-01T00:00:00Z").await.len(), 4);
});
