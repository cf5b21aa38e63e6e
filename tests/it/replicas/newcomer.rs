//! Who starts the server for the first time, and pays an order at the fake provider that came with it.

use super::process::Process;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;
use serde_json::json;
use std::net::TcpListener;
use std::time::Duration;

const ONCE: Duration = Duration::from_millis(100);
/// The provider tells at once; a slow machine may take its time.
const LOOKS: usize = 200;

/// A port that was free a moment ago: the provider has to know where to tell.
fn free_port() -> String {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string()
}

async fn an_order_is_paid_with_one_request(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let (_, _, token) = scene.customer_in_session("a password of tests").await;
    let port = free_port();
    let settings = [
        ("SUANPAN__PAYMENTS__FAKE__ENABLED", "true"),
        ("SUANPAN__PAYMENTS__FAKE__PORT", "0"),
        ("SUANPAN__SERVER__PORT", port.as_str()),
        ("SUANPAN__CLOCK__TEST", "false"),
    ];
    let server = Process::start_with(&fresh.url, &settings);
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    for (number, provider) in ["wechat", "alipay", "stripe"].into_iter().enumerate() {
        let wish = json!({"topup": {"amount": "10.00", "currency": "CNY"}, "provider": provider});
        let headers = [("Idempotency-Key", provider)];
        let made = server.post_with(&token, "/orders", &headers, &wish).await.expect(201);
        let page = [made.text("/payment/qr_content"), made.text("/payment/pay_url")].concat();
        assert_eq!(browser.post(&page).send().await.unwrap().text().await.unwrap(), "paid\n");
        let wanted = format!("{}.00", (number + 1) * 10);
        let mut looks = 0;
        while server.get(&token, "/wallet").await.text("/balances/0/balance") != wanted {
            looks += 1;
            assert!(looks < LOOKS, "{provider} told nobody: {}", server.log());
            tokio::time::sleep(ONCE).await;
        }
    }
}
db_test!(newcomer, an_order_is_paid_with_one_request);
