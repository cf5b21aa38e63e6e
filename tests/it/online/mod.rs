//! Orders paid at the fake provider through the real adapters: stories through HTTP, storms of notifications, calls whose
//! outcome nobody knows.

mod agreeing;
mod bills;
mod charges;
mod desk;
mod recurring;
mod shop;
mod stories;
mod storms;
mod unknown;

use crate::payments::kept::ALL_REFUSED;
use domain::money::{Currency, Money};
use domain::orders::{Attempt, OrderService, OrderStatus, OrderWish, PayMethod, PaymentProviders, Wanted};
use domain::wallet::Provider;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::payments::{adapter, fake, raw};
use harness::scene::{Customer, Scene};
use std::sync::Arc;

fn cny(text: &str) -> Money {
    Money::parse_minor(text, Currency::CNY).unwrap()
}

fn provider_of(kind: Kind) -> Provider {
    Provider::parse(kind.name()).unwrap()
}

/// How much of it: a number from the environment, or the one for every day.
#[expect(clippy::disallowed_methods, reason = "how much of it is asked for from outside")]
pub fn count(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

const ORDERS_EACH: usize = 15;

/// A scene whose orders are paid at the fake.
struct Cashier {
    scene: Scene,
    fake: FakePay,
    kind: Kind,
    orders: OrderService,
    /// Each has a few orders: an account may not have very many open ones.
    customers: Vec<Customer>,
    ordered: usize,
}

impl Cashier {
    async fn new(url: &str, kind: Kind) -> Self {
        let (scene, fake) = (Scene::with(url, &[ALL_REFUSED]).await, fake());
        let orders = scene.services.orders.clone();
        let mut cashier = Self { scene, fake, kind, orders, customers: Vec::new(), ordered: 0 };
        cashier.learn_keys();
        cashier
    }

    /// The adapters know the keys that the fake has now.
    fn learn_keys(&mut self) {
        let all = harness::payments::KINDS.map(|kind| Arc::from(adapter(&self.fake, kind)));
        self.orders.providers = PaymentProviders::new(all.into());
    }

    async fn top_up(&mut self, amount: &str) -> Attempt {
        if self.ordered.is_multiple_of(ORDERS_EACH) {
            self.customers.push(self.scene.customer(None).await);
        }
        self.ordered += 1;
        let wanted = Wanted::TopUp { amount: amount.to_owned(), currency: "CNY".to_owned() };
        let wish = OrderWish { wanted, provider: provider_of(self.kind), method: PayMethod::Default };
        let actor = &self.customers.last().unwrap().actor;
        let once = crate::payments::once(actor);
        self.orders.order(actor, &domain::accounts::AccountRef::Default, &wish, &once).await.unwrap().value
    }

    fn pay(&self, made: &Attempt) {
        actions::pay(&self.fake.shared, self.kind, &made.payment.number().to_string()).unwrap();
    }

    async fn status(&self, made: &Attempt) -> OrderStatus {
        self.scene.services.store.orders().find(made.order.id).await.unwrap().unwrap().status
    }

    /// The sum of everybody's.
    async fn balance(&self) -> Money {
        let accounts: Vec<_> = self.customers.iter().map(|customer| customer.account).collect();
        let wallets = self.scene.services.store.ledger().wallets(&accounts).await.unwrap();
        let of_currency = wallets.iter().filter(|wallet| wallet.balance.currency() == Currency::CNY);
        Money::from_nanos(of_currency.map(|wallet| wallet.balance.nanos()).sum(), Currency::CNY)
    }

    /// What a number's message says, with something wrong with it.
    fn message(&self, number: &str, twist: Twist) -> Option<domain::orders::RawNotification> {
        let message = actions::messages(&self.fake.shared, self.kind, Some(number)).pop()?;
        compose(&self.fake.shared, &message, twist).map(raw)
    }

    /// Polls until nothing is due.
    async fn poll(&self) {
        while self.orders.poll_due().await.unwrap() > 0 {}
    }
}
