//! Requests spread over the servers: one set of limits, keys, receipts and warnings.

use super::Stage;
use futures_util::future::join_all;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::command;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const CLIENTS: usize = 48;
const INCLUDED: i64 = 30_000;
/// What is left when the clients start; each takes four.
const LEFT: i64 = 60;
/// What the operations manual promises.
const REVOKED_EVERYWHERE_WITHIN: Duration = Duration::from_secs(5);

fn words(quantity: i64, key: &str) -> Value {
    json!({"meter": "words", "quantity": quantity, "key": key})
}

db_test!(the_last_units_are_sold_once_and_each_warning_fires_once, async |fresh: &Fresh| {
    let stage = Stage::set(fresh).await;
    let customer = stage.scene.customer(None).await;
    let key = stage.key(&customer).await;
    stage.scene.consume_one(command(customer.account, "words", INCLUDED - LEFT, "first")).await.unwrap();
    let (stage, key) = (&stage, &key);
    let clients = (0..CLIENTS)
        .map(async |client| stage.server(client).post(key, "/usage", &words(4, &format!("c{client}"))).await);
    let answers = join_all(clients).await;
    let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(201), with(402)), (15, CLIENTS - 15));
    let warned: Vec<_> = answers.iter().filter_map(|answer| answer.body["warnings"].as_array()).flatten().collect();
    assert_eq!(warned, [100]);
    let account = vec![customer.account.as_uuid().into()];
    for (table, rows) in [("quota_warnings", 2), ("outbox", 2), ("usage_records", 16)] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE account_id = ?");
        assert_eq!(stage.count(&sql, account.clone()).await, rows, "{table}");
    }
    for server in &stage.servers {
        let quota = server.get(key, "/quota").await.expect(200);
        let used = quota.body["meters"].as_array().unwrap().iter().find(|meter| meter["meter"] == "words").unwrap();
        assert_eq!((&used["used"], &used["remaining"]), (&json!("30000"), &json!("0")));
    }
});

db_test!(one_key_sent_to_every_server_at_once_counts_once_and_all_hear_of_one_receipt, async |fresh: &Fresh| {
    let stage = Stage::set(fresh).await;
    let customer = stage.scene.customer(None).await;
    let token = stage.key(&customer).await;
    let (stage, token) = (&stage, &token);
    for round in 0..5 {
        let event = words(10, &format!("same{round}"));
        let everywhere = (0..3 * stage.servers.len()).map(|number| stage.server(number).post(token, "/usage", &event));
        let answers = join_all(everywhere).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in &answers {
            assert!(answer.status == 201 || answer.status == 200, "{answer:?}");
            assert_eq!(answer.body["duplicate"], json!(answer.status == 200));
            assert_eq!(
                (answer.text("/id"), &answer.body["parts"]),
                (answers[0].text("/id"), &answers[0].body["parts"])
            );
        }
    }
    assert_eq!(stage.scene.quota(customer.account, "words").await.used.as_atoms(), 50);
});

db_test!(a_key_made_on_one_server_works_on_all_and_revoked_on_one_is_soon_refused_by_all, async |fresh: &Fresh| {
    let stage = Stage::set(fresh).await;
    let (_, _, session) = stage.scene.customer_in_session("a password of tests").await;
    let made = stage.server(0).post(&session, "/api-keys", &json!({"name": "shared"})).await.expect(201);
    let (key, id) = (made.text("/key"), made.text("/id"));
    assert!(!key.is_empty() && !id.is_empty(), "{}", made.body);
    for server in &stage.servers {
        server.post(&key, "/usage", &words(1, &Uuid::now_v7().to_string())).await.expect(201);
    }
    let path = format!("/api-keys/{id}");
    stage.server(1).send(&session, (Method::DELETE, &path), None).await.unwrap().expect(204);
    let revoked = Instant::now();
    stage.server(1).get(&key, "/quota").await.expect(401);
    for server in &stage.servers {
        while server.post(&key, "/usage", &words(1, &Uuid::now_v7().to_string())).await.status != 401 {
            assert!(revoked.elapsed() < REVOKED_EVERYWHERE_WITHIN);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(revoked.elapsed() < REVOKED_EVERYWHERE_WITHIN);
});
