//! Services over a fresh database with a clock that tests move, and customers to try them on.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose scene cannot be set fails")]

use api::services::Services;
use api::settings::Settings;
use api::wiring::wire;
use chrono::{DateTime, Utc};
use domain::accounts::{Account, Registration};
use domain::actor::{Actor, Role};
use domain::id::AccountId;
use domain::identity::{Email, Password, Username};
use domain::metering::{Consume, Dimensions, MeterQuota, Outcome, UsageKey};
use domain::outbox::Event;
use domain::plans::{MeterCode, PlanCode, PlanWish};
use domain::quantity::Quantity;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// A server's services without HTTP.
pub struct Scene {
    pub services: Arc<Services>,
}

/// A registered user.
#[derive(Clone)]
pub struct Customer {
    pub actor: Actor,
    pub account: AccountId,
}

/// Settings for a test: the database, a test clock, and whatever else is named as `SUANPAN__…`.
pub fn settings(url: &str, more: &[(&str, &str)]) -> Settings {
    settings_of(None, url, more)
}

/// As `settings`, over the preset of a product: `zz3d` is `config/zz3d.yaml`.
pub fn settings_of(product: Option<&str>, url: &str, more: &[(&str, &str)]) -> Settings {
    let presets = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../config"));
    let file = product.map(|product| presets.join(format!("{product}.yaml")));
    let fixed = [
        ("SUANPAN__DATABASE__URL", url),
        ("SUANPAN__DATABASE__MAX_CONNECTIONS", "12"),
        ("SUANPAN__CLOCK__TEST", "true"),
        ("SUANPAN__METRICS__PORT", "0"),
    ];
    let all = fixed.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(file.as_deref(), all).unwrap()
}

impl Scene {
    pub async fn new(url: &str) -> Self {
        Self::with(url, &[]).await
    }

    pub async fn with(url: &str, more: &[(&str, &str)]) -> Self {
        Self::over(&settings(url, more)).await
    }

    pub async fn over(settings: &Settings) -> Self {
        let services = wire(settings).await.unwrap();
        services.plans.publish().await.unwrap();
        Self { services }
    }

    /// A new user on a plan; `None` is the default one.
    pub async fn customer(&self, plan: Option<&str>) -> Customer {
        let (customer, ..) = self.customer_in_session("a password of tests").await;
        if let Some(plan) = plan {
            self.put_on(&customer, plan, None).await;
        }
        customer
    }

    /// A new user with an address of mail, who reads a language if one is named.
    pub async fn reader(&self, address: &str, locale: Option<&str>) -> Customer {
        let wish = Registration { email: Some(Email::parse(address).unwrap()), ..Registration::default() };
        let password = Password::choose("a password of tests").unwrap();
        let made = self.services.registration.register(wish, &password, None).await.unwrap();
        if let Some(locale) = locale {
            let work = self.services.store.begin().await.unwrap();
            let mut reader = work.users().lock(made.user.id).await.unwrap().unwrap();
            reader.profile.settings = json!({"locale": locale});
            work.users().save(&reader).await.unwrap();
            work.commit().await.unwrap();
        }
        Customer { actor: made.user.as_actor(), account: made.account.id }
    }

    /// A new user with the user's name and session token.
    pub async fn customer_in_session(&self, password: &str) -> (Customer, String, String) {
        let name = format!("u{}", Uuid::now_v7().simple());
        let wish = Registration { username: Some(Username::parse(&name).unwrap()), ..Registration::default() };
        let password = Password::choose(password).unwrap();
        let made = self.services.registration.register(wish, &password, None).await.unwrap();
        let customer = Customer { actor: made.user.as_actor(), account: made.account.id };
        (customer, name, made.token.expose().to_owned())
    }

    /// A session of a new operator.
    pub async fn operator_in_session(&self, name: &str) -> String {
        let (name, password) = (Username::parse(name).unwrap(), Password::choose("a password of tests").unwrap());
        self.services.registration.create_admin(name, &password).await.unwrap().token.expose().to_owned()
    }

    /// Many accounts without users; nobody logs in to them.
    pub async fn accounts(&self, count: usize) -> Vec<AccountId> {
        let now = self.now();
        let work = self.services.store.begin().await.unwrap();
        let mut made = Vec::with_capacity(count);
        for _ in 0..count {
            let owner = domain::id::UserId::new(now);
            let account = Account::personal(AccountId::new(now), owner, "nobody".to_owned(), now);
            work.accounts().insert(&account).await.unwrap();
            made.push(account.id);
        }
        work.commit().await.unwrap();
        made
    }

    /// Somebody with an operator's rights; no row is needed for that.
    pub fn operator(&self) -> Actor {
        let nobody = Uuid::now_v7();
        Actor {
            user: domain::id::UserId::from_uuid(nobody),
            role: Role::Root,
            personal_account: AccountId::from_uuid(nobody),
            key: None,
            ip: None,
        }
    }

    pub async fn put_on(&self, customer: &Customer, plan: &str, seats: Option<u32>) {
        let wish = PlanWish { plan: PlanCode::parse(plan).unwrap(), interval: None, seats };
        self.services.subscriptions.set(&self.operator(), customer.account, &wish).await.unwrap();
    }

    pub async fn consume_one(&self, command: Consume) -> Outcome {
        self.services.metering.consume(&[command]).await.unwrap().pop().unwrap()
    }

    pub async fn quota(&self, account: AccountId, meter: &str) -> MeterQuota {
        let view = self.services.metering.quota(account).await.unwrap();
        view.meters.into_iter().find(|quota| quota.meter.code.as_str() == meter).unwrap()
    }

    /// Queues events of an account in one commit, numbered in their payload from `from`.
    pub async fn tell(&self, account: AccountId, numbers: std::ops::Range<usize>) {
        let now = self.now();
        let number = |number: usize| Event::new(account, "test.numbered", json!({ "number": number }), now);
        let events: Vec<Event> = numbers.map(number).collect();
        let work = self.services.store.begin().await.unwrap();
        work.accounts().lock(account).await.unwrap();
        work.outbox().push(&events).await.unwrap();
        work.commit().await.unwrap();
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.services.clock.now()
    }

    /// Moves the clock without any background work.
    pub fn move_clock(&self, to: DateTime<Utc>) {
        assert!(self.services.test_clock.as_ref().unwrap().advance(to));
    }
}

/// A command with nothing special about it.
pub fn command(account: AccountId, meter: &str, atoms: i64, key: &str) -> Consume {
    Consume {
        account,
        meter: MeterCode::parse(meter).unwrap(),
        quantity: Quantity::atoms(atoms),
        key: UsageKey::parse(key).unwrap(),
        occurred_at: None,
        dimensions: Dimensions::default(),
        user: None,
        api_key: None,
        key_is_limited: false,
    }
}
