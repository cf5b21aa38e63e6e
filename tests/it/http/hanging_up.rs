//! Clients that hang up before their answer: what they asked for is done whole or not at all, and who asks again hears of
//! the one that was done.

use futures_util::future::join_all;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const CLIENTS: usize = 60;

async fn a_client_that_hangs_up_leaves_its_use_whole_or_not_at_all(fresh: &Fresh) {
    let app = TestApp::new(&fresh.url).await;
    let user = app.user(None).await;
    let event = |number: usize| json!({"meter": "words", "quantity": 1, "key": format!("k{number}")});
    let hang_up = async |number: usize| {
        let body = event(number).to_string();
        let request = format!(
            "POST /api/v1/usage HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            user.token,
            body.len()
        );
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        // Every third of them breaks off within its body.
        let sent = if number.is_multiple_of(3) { request.len() - 5 } else { request.len() };
        stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(u64::try_from(number % 7).unwrap())).await;
    };
    join_all((0..CLIENTS).map(hang_up)).await;
    let mut done_before = 0;
    for number in 0..CLIENTS {
        let again = app.by(&user.token).post("/usage", &event(number)).await;
        assert!(again.status == 200 || again.status == 201, "{}", again.body);
        assert!(again.status == 201 || !number.is_multiple_of(3), "half a body does nothing");
        done_before += usize::from(again.status == 200);
    }
    assert!(done_before > 0, "what arrived whole is done, whoever listens");
    let quota = app.scene.quota(user.customer.account, "words").await;
    assert_eq!(quota.used.as_atoms(), i64::try_from(CLIENTS).unwrap(), "each once");
}
db_test!(hanging_up, a_client_that_hangs_up_leaves_its_use_whole_or_not_at_all);
