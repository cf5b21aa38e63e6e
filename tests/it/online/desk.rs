//! A desk at which customers let Stripe charge for a plan by itself.

use super::cny;
use domain::accounts::AccountRef;
use domain::billing::{BillFilter, BillStatus, IssuedBill, Mirror, RecurringService};
use domain::money::Money;
use domain::orders::{RawNotification, SubscriptionProvider};
use domain::page::PageRequest;
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::wallet::Provider;
use fakepay::{FakePay, Kind, Twist, actions, compose};
use harness::payments::{fake, raw, stripe};
use harness::scene::{Customer, Scene};
use std::sync::Arc;

pub struct Desk {
    pub scene: Scene,
    pub fake: FakePay,
    pub recurring: RecurringService,
}

impl Desk {
    pub async fn new(url: &str) -> Self {
        let (scene, fake) = (Scene::new(url).await, fake());
        let recurring = at(&scene, Arc::new(stripe(&fake)));
        Self { scene, fake, recurring }
    }

    /// The same desk, where the provider is asked otherwise.
    pub fn asking(&self, provider: Arc<dyn SubscriptionProvider>) -> RecurringService {
        at(&self.scene, provider)
    }

    /// The customer agrees and pays on the page of a number; what the provider says of it.
    pub fn agree(&self, mirror: &Mirror) -> Vec<RawNotification> {
        let number = mirror.number().to_string();
        self.told(|| drop(actions::pay(&self.fake.shared, Kind::Stripe, &number).unwrap()))
    }

    /// An unpaid purchase of the plan.
    pub async fn buy(&self, customer: &Customer) -> IssuedBill {
        let plan = PlanCode::parse("professional").unwrap();
        let wish = PlanWish { plan, interval: Some(Interval::Month), seats: None };
        let bought = self.scene.services.billing.subscribe(&customer.actor, &AccountRef::Default, &wish, None).await;
        bought.unwrap().bill.unwrap()
    }

    pub async fn mirror(&self, customer: &Customer) -> Mirror {
        self.recurring.list(&customer.actor, &AccountRef::Default).await.unwrap().remove(0)
    }

    /// What is said while something is done.
    pub fn told(&self, act: impl FnOnce()) -> Vec<RawNotification> {
        let before = self.said();
        act();
        self.told_since(before)
    }

    /// How many messages there are.
    pub fn said(&self) -> usize {
        actions::messages(&self.fake.shared, Kind::Stripe, None).len()
    }

    /// The messages but the first so many, signed now.
    pub fn told_since(&self, before: usize) -> Vec<RawNotification> {
        let all = actions::messages(&self.fake.shared, Kind::Stripe, None);
        all[before..].iter().map(|message| raw(compose(&self.fake.shared, message, Twist::None).unwrap())).collect()
    }

    pub async fn hear(&self, message: &RawNotification) {
        for _ in 0..2 {
            self.recurring.heard(Provider::Stripe, message).await.unwrap();
        }
    }

    pub async fn balance(&self, customer: &Customer) -> Money {
        let wallets = self.scene.services.store.ledger().wallets(&[customer.account]).await.unwrap();
        wallets.first().map_or(cny("0"), |wallet| wallet.balance)
    }

    pub async fn unpaid(&self, customer: &Customer) -> usize {
        let filter = BillFilter { status: Some(BillStatus::Unpaid), ..BillFilter::default() };
        let billing = &self.scene.services.billing;
        let bills = billing.list(&customer.actor, &AccountRef::Default, filter, PageRequest::default()).await.unwrap();
        bills.rows.len()
    }

    pub async fn plan(&self, customer: &Customer) -> (String, bool) {
        let found = self.scene.services.store.subscriptions().find(customer.account).await.unwrap().unwrap();
        (found.chosen.plan.as_str().to_owned(), found.auto_pay)
    }
}

fn at(scene: &Scene, provider: Arc<dyn SubscriptionProvider>) -> RecurringService {
    RecurringService {
        billing: scene.services.billing.clone(),
        provider: Some(provider),
        return_url: "https://shop.example/back".to_owned(),
    }
}
