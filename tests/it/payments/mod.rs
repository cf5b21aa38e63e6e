//! Orders and payments against a provider of the tests' own: stories, storms of notifications, races.

mod flows;
pub mod kept;
mod races;
mod refund_races;
mod storms;
mod through_http;

use domain::accounts::AccountRef;
use domain::idempotency::IdempotentRequest;
use domain::money::{Currency, Money};
use domain::orders::{Attempt, OrderService, OrderStatus, OrderWish, PayMethod, PaymentProviders, ProductWish, Wanted};
use domain::wallet::Provider;
use harness::scene::{Customer, Scene};
use harness::scripted_provider::ScriptedProvider;
use sea_orm::{ConnectionTrait, Statement};
use std::sync::Arc;
use uuid::Uuid;

pub fn cny(text: &str) -> Money {
    Money::parse_minor(text, Currency::CNY).unwrap()
}

/// A scene whose orders are paid at a scripted provider.
pub struct Till {
    pub scene: Scene,
    pub provider: Arc<ScriptedProvider>,
    pub orders: OrderService,
    pub url: String,
}

pub fn once(actor: &domain::actor::Actor) -> IdempotentRequest {
    let key = Uuid::now_v7().to_string();
    IdempotentRequest { user: actor.user, scope: "test", fingerprint: key.clone(), key }
}

impl Till {
    pub async fn new(url: &str) -> Self {
        Self::with(url, &[]).await
    }

    /// As `new`, with settings named as `SUANPAN__…`.
    pub async fn with(url: &str, more: &[(&str, &str)]) -> Self {
        Self::over(url, more, Arc::default()).await
    }

    /// Another server over the same database, at the same provider.
    pub async fn beside(&self, more: &[(&str, &str)]) -> Self {
        Self::over(&self.url, more, self.provider.clone()).await
    }

    async fn over(url: &str, more: &[(&str, &str)], provider: Arc<ScriptedProvider>) -> Self {
        let scene = Scene::with(url, more).await;
        let providers = PaymentProviders::new(vec![provider.clone()]);
        let orders = OrderService { providers, ..scene.services.orders.clone() };
        Self { scene, provider, orders, url: url.to_owned() }
    }

    pub async fn top_up(&self, customer: &Customer, amount: &str) -> Attempt {
        self.order(customer, Wanted::TopUp { amount: amount.to_owned(), currency: "CNY".to_owned() }).await
    }

    pub async fn order(&self, customer: &Customer, wanted: Wanted) -> Attempt {
        let wish = OrderWish { wanted, provider: Provider::WeChat, method: PayMethod::Default };
        let actor = &customer.actor;
        self.orders.order(actor, &AccountRef::Default, &wish, &once(actor)).await.unwrap().value
    }

    /// A pack of 100 words for one model, at 10 yuan.
    pub async fn put_on_sale(&self) {
        let wish = ProductWish {
            code: "pack".to_owned(),
            name: "A hundred words".to_owned(),
            description: None,
            meter: "words".to_owned(),
            quantity: "100".to_owned(),
            models: Some(vec!["m1".to_owned()]),
            valid_days: Some(30),
            price: "10.00".to_owned(),
            sort: 0,
            enabled: true,
        };
        self.scene.services.shop.create(&self.scene.operator(), &wish).await.unwrap();
    }

    pub async fn status(&self, attempt: &Attempt) -> OrderStatus {
        self.scene.services.store.orders().find(attempt.order.id).await.unwrap().unwrap().status
    }

    pub async fn balance(&self, customer: &Customer) -> Money {
        let wallets = self.scene.services.store.ledger().wallets(&[customer.account]).await.unwrap();
        let found = wallets.iter().find(|wallet| wallet.balance.currency() == Currency::CNY);
        found.map_or(cny("0"), |wallet| wallet.balance)
    }

    /// What lies on a system account of the ledger, in nanos: what came in less what went out.
    pub async fn on(&self, code: &str) -> i64 {
        let conn = sea_orm::Database::connect(&self.url).await.unwrap();
        let mut sum = 0;
        for (side, sign) in [("to_code", 1), ("from_code", -1)] {
            let text = format!("SELECT amount FROM ledger_transfers WHERE {side} = '{code}'");
            let rows = conn.query_all_raw(Statement::from_string(conn.get_database_backend(), text)).await.unwrap();
            sum += rows.iter().map(|row| sign * row.try_get::<i64>("", "amount").unwrap()).sum::<i64>();
        }
        conn.close().await.unwrap();
        sum
    }
}
