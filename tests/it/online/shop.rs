//! The server of a product with the fake as its only provider, and customers who order and pay there.

use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::app::{Answer, TestApp, User};
use harness::payments::fake;
use harness::scene;
use serde_json::json;

/// The server of a product, with the fake as its only provider.
pub struct Shop {
    pub app: TestApp,
    pub fake: FakePay,
}

impl Shop {
    pub async fn new(product: Option<&str>, url: &str) -> Self {
        Self::with(product, url, &[]).await
    }

    /// With settings named as `SUANPAN__…`.
    pub async fn with(product: Option<&str>, url: &str, more: &[(&str, &str)]) -> Self {
        let fake = fake();
        let mut settings = scene::settings_of(product, url, more);
        let nobody = "http://127.0.0.1:9".to_owned();
        api::fake_provider::offer(&fake, nobody, &mut settings.payments.online);
        Self { app: TestApp::of_settings(&settings).await, fake }
    }

    pub async fn order(&self, user: &User, wish: &serde_json::Value) -> Answer {
        let key = format!("order-{}", wish["provider"]);
        self.app.by(&user.token).header("Idempotency-Key", &key).post("/orders", wish).await.expect(201)
    }

    /// The customer pays, and the provider tells the server, through its own door and as its protocol says.
    pub async fn pay(&self, kind: Kind, order: &Answer) {
        let number = number_of(order);
        actions::pay(&self.fake.shared, kind, &number).unwrap();
        self.tell(kind, &number, 2).await;
    }

    /// The customer pays what was called off meanwhile.
    pub async fn pay_nevertheless(&self, kind: Kind, order: &Answer) {
        let number = number_of(order);
        actions::pay_closed(&self.fake.shared, kind, &number).unwrap();
        self.tell(kind, &number, 2).await;
    }

    pub async fn tell(&self, kind: Kind, number: &str, times: usize) {
        let message = actions::messages(&self.fake.shared, kind, Some(number)).pop().unwrap();
        for _ in 0..times {
            let delivery = compose(&self.fake.shared, &message, Twist::None).unwrap();
            let mut caller = self.app.anonymous();
            let media_type = "content-type";
            let mut of_body = String::new();
            for (name, value) in &delivery.headers {
                if name == media_type {
                    of_body.clone_from(value);
                } else {
                    caller = caller.header(name, value);
                }
            }
            let answer = caller.raw("POST", &format!("/webhooks/{}", kind.name()), &of_body, delivery.body).await;
            assert!((200..300).contains(&answer.status), "{kind:?}: {}", answer.status);
        }
    }

    pub async fn shown(&self, user: &User, order: &Answer) -> Answer {
        self.app.by(&user.token).get(&format!("/orders/{}", order.text("/order/id"))).await.expect(200)
    }

    pub async fn refund(&self, order: &Answer, amount: &str) -> Answer {
        let path = format!("/admin/payments/{}/refunds", order.text("/payment/id"));
        let body = json!({"amount": amount, "reason": "half of it was not wanted"});
        self.app.by(&self.app.operator).header("Idempotency-Key", amount).post(&path, &body).await.expect(201)
    }
}

/// The payment's number at its provider.
pub fn number_of(order: &Answer) -> String {
    order.text("/payment/id").replace("pay_", "")
}
