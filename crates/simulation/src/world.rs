//! The simulated service: two processes over one database, their customers and operators, and what these were told.

use crate::catalogue::catalogue;
use crate::core::Sim;
use crate::doubles::{Bytes, Receivers};
use crate::ledger_of_answers::Book;
use crate::provider::SimProvider;
use crate::replica::{Replica, Shared};
use crate::repos::Repos;
use anyhow::Context;
use chrono::{DateTime, Utc};
use domain::accounts::Account;
use domain::actor::{Actor, Role};
use domain::id::{AccountId, ApiKeyId, UserId};
use domain::identity::{
    ApiKey, Email, KeyAllowance, KeyDraft, KeyStatus, Profile, TokenHash, User, UserStatus, Username,
};
use domain::incentives::{AffCode, Referral};
use domain::orders::ProductWish;
use domain::quantity::Quantity;
use domain::store::Store;
use domain::time::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const CUSTOMERS: usize = 6;
const OPERATORS: usize = 2;
/// Customers who have an API key.
const KEYS: usize = 2;

pub struct World {
    /// The clock, and the database in memory where that is the one in use.
    pub sim: Arc<Sim>,
    /// Where operations look for rows to be about.
    pub eyes: Arc<Sim>,
    pub replicas: [Replica; 2],
    pub provider: Arc<SimProvider>,
    pub receivers: Arc<Receivers>,
    pub customers: Vec<Actor>,
    pub operators: Vec<Actor>,
    /// API keys with an allowance.
    pub keys: Vec<ApiKeyId>,
    book: Mutex<Book>,
}

impl World {
    /// Over the database in memory.
    pub async fn build(sim: Arc<Sim>, seed: u64) -> anyhow::Result<Self> {
        let store: Arc<dyn Store> = Arc::new(Repos::outside(sim.clone()));
        Self::over(store, (sim.clone(), sim), seed).await
    }

    /// Over any database; rows are looked for in the one that `eyes` has in memory.
    pub async fn over(store: Arc<dyn Store>, (sim, eyes): (Arc<Sim>, Arc<Sim>), seed: u64) -> anyhow::Result<Self> {
        let shared = Shared {
            store: store.clone(),
            sim: sim.clone(),
            catalogue: Arc::new(catalogue()?),
            provider: Arc::new(SimProvider::new(sim.clone())),
            receivers: Arc::new(Receivers::new(sim.clone())),
            secrets: Arc::new(Bytes::new(seed)),
        };
        let replicas = [shared.replica(1), shared.replica(2)];
        replicas[0].plans.publish().await.context("plans cannot be published")?;
        let mut people: Vec<Actor> = Vec::new();
        for number in 0..CUSTOMERS + OPERATORS {
            let role = if number < CUSTOMERS { Role::User } else { Role::Root };
            // Every second customer came by the one before.
            let inviter = people.last().filter(|_| number % 2 == 1).map(|before| before.user);
            people.push(settle(&*store, number, (role, inviter), sim.now()).await?);
        }
        let operators = people.split_off(CUSTOMERS);
        offer(&replicas[0], &operators[0]).await?;
        let mut keys = Vec::new();
        for customer in people.iter().take(KEYS) {
            keys.push(give_key(&*store, customer, sim.now()).await?);
        }
        let (provider, receivers) = (shared.provider, shared.receivers);
        Ok(Self {
            sim,
            eyes,
            replicas,
            provider,
            receivers,
            customers: people,
            operators,
            keys,
            book: Mutex::default(),
        })
    }

    /// What clients were told so far.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pack of quota.
async fn offer(replica: &Replica, operator: &Actor) -> anyhow::Result<()> {
    let wish = ProductWish {
        code: "pack".to_owned(),
        name: "Pack".to_owned(),
        description: None,
        meter: "words".to_owned(),
        quantity: "40".to_owned(),
        models: None,
        valid_days: Some(60),
        price: "8.00".to_owned(),
        sort: 0,
        enabled: true,
    };
    replica.shop.create(operator, &wish).await.context("a product cannot be offered")?;
    Ok(())
}

async fn settle(
    store: &dyn Store,
    number: usize,
    (role, inviter): (Role, Option<UserId>),
    now: DateTime<Utc>,
) -> anyhow::Result<Actor> {
    let name = format!("person{number}");
    let odd = |what: &str| anyhow::anyhow!("{what} of {name} cannot be read");
    let user = User {
        id: UserId::new(now),
        personal_account: AccountId::new(now),
        username: Some(Username::parse(&name).map_err(|_| odd("the name"))?),
        email: Some(Email::parse(&format!("{name}@example.com")).map_err(|_| odd("the address"))?),
        phone: None,
        profile: Profile::named(name.clone()),
        password_hash: None,
        role,
        status: UserStatus::Active,
        group_name: "default".to_owned(),
        external_id: None,
        is_verified: false,
        last_login_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let account = Account::personal(user.personal_account, user.id, name, now);
    let code = AffCode::from_random([u8::try_from(number).unwrap_or(0); 32]);
    let work = store.begin().await?;
    work.users().insert(&user).await?;
    work.accounts().insert(&account).await?;
    let referral = Referral::new(user.id, code, domain::money::Currency::CNY, now);
    work.referrals().insert(&Referral { inviter, ..referral }).await?;
    if let Some(inviter) = inviter {
        work.referrals().count_invited(inviter).await?;
    }
    work.commit().await?;
    Ok(Actor { user: user.id, role, personal_account: account.id, key: None, ip: None })
}

/// An API key that may use so many words in all its life.
async fn give_key(store: &dyn Store, customer: &Actor, now: DateTime<Utc>) -> anyhow::Result<ApiKeyId> {
    let allowance = KeyAllowance {
        meter: "words".to_owned(),
        quantity: Quantity::atoms(160),
        used: Quantity::ZERO,
        held: Quantity::ZERO,
    };
    let digits = customer.user.as_uuid().simple().to_string();
    let key = ApiKey {
        id: ApiKeyId::new(now),
        user: customer.user,
        account: customer.personal_account,
        token_hash: TokenHash::from_hex(&digits.repeat(2)).context("a token cannot be made")?,
        prefix: "sp".to_owned(),
        draft: KeyDraft {
            name: "key".to_owned(),
            scopes: KeyDraft::default_scopes(),
            expires_at: None,
            allowance: Some(allowance),
            models: None,
            allowed_ips: None,
            requests_per_minute: None,
        },
        status: KeyStatus::Active,
        group_name: "default".to_owned(),
        created_at: now,
        updated_at: now,
        last_used_at: None,
        revoked_at: None,
    };
    let work = store.begin().await?;
    work.api_keys().insert(&key).await?;
    work.commit().await?;
    Ok(key.id)
}
