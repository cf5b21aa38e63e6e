//! Bodies that strangers send: whatever they are, the answer is one of ours and never a 5xx, and what is in the database
//! agrees with itself afterwards.

use super::engine::Inputs;
use harness::app::{Answer, TestApp};

fn is_ours(answer: &Answer, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    assert!(answer.status < 500, "{}: {} for {text:?}", answer.status, answer.body);
    if answer.status >= 400 {
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/problem+json") && !answer.code().is_empty(), "{kind} for {text:?}");
    }
}

/// Sends every input to every place; how many were taken.
async fn flood(target: &'static str, most: usize, places: &[(&str, &str)]) {
    let fresh = harness::databases::sqlite().await;
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(Some("professional")).await;
    let me = app.by(&user.token);
    let (mut taken, mut refused) = (0, 0);
    for input in Inputs::of(target, most) {
        for (path, kind) in places {
            let answer = me.raw("POST", path, kind, input.clone()).await;
            is_ours(&answer, &input);
            if answer.status < 300 { taken += 1 } else { refused += 1 }
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    let found = harness::auditor::violations(&fresh.url).await;
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn fuzz_bodies() {
    let json = "application/json";
    let places = [("/usage", json), ("/usage/batch", json), ("/reservations", json), ("/webhook-endpoints", json)];
    flood("bodies", 400, &places).await;
}

#[tokio::test]
async fn fuzz_events() {
    let alone = ("/usage/events", "application/cloudevents+json");
    let batch = ("/usage/events", "application/cloudevents-batch+json");
    flood("events", 400, &[alone, batch]).await;
}
