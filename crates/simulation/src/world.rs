//! The simulated service: two replicas over one database, their customers and operators, and what these were told.

use crate::catalogue::catalogue;
use crate::core::Sim;
use crate::ledger_of_answers::Book;
use crate::repos::Repos;
use anyhow::Context;
use domain::accounts::Account;
use domain::actor::{Actor, Role};
use domain::id::{AccountId, UserId};
use domain::identity::{Profile, User, UserStatus, Username};
use domain::metering::MeteringService;
use domain::money::Money;
use domain::plans::{Catalogue, PlanService};
use domain::quota::GrantService;
use domain::store::{Store, UnitOfWork};
use domain::time::Clock;
use domain::wallet::{ApprovalRule, LedgerService};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const CUSTOMERS: usize = 5;
const OPERATORS: usize = 2;

/// One process.
pub struct Replica {
    pub metering: MeteringService,
    pub grants: GrantService,
    pub ledger: LedgerService,
    pub plans: PlanService,
}

pub struct World {
    pub sim: Arc<Sim>,
    pub replicas: [Replica; 2],
    pub customers: Vec<Actor>,
    pub operators: Vec<Actor>,
    book: Mutex<Book>,
}

impl World {
    pub async fn build(sim: Arc<Sim>) -> anyhow::Result<Self> {
        let catalogue = Arc::new(catalogue()?);
        let store: Arc<dyn Store> = Arc::new(Repos::outside(sim.clone()));
        let replicas = [replica(&sim, &catalogue), replica(&sim, &catalogue)];
        replicas[0].plans.publish().await.context("plans cannot be published")?;
        let mut people = Vec::new();
        for number in 0..CUSTOMERS + OPERATORS {
            let role = if number < CUSTOMERS { Role::User } else { Role::Root };
            people.push(settle(&*store, number, role, sim.now()).await?);
        }
        let operators = people.split_off(CUSTOMERS);
        Ok(Self { sim, replicas, customers: people, operators, book: Mutex::default() })
    }

    /// What clients were told so far.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replica(sim: &Arc<Sim>, catalogue: &Arc<Catalogue>) -> Replica {
    let store: Arc<dyn Store> = Arc::new(Repos::outside(sim.clone()));
    let clock: Arc<dyn Clock> = sim.clone();
    let catalogue = catalogue.clone();
    let above = Some(Money::from_nanos(50_000_000_000, catalogue.currency));
    Replica {
        metering: MeteringService::new(store.clone(), clock.clone(), catalogue.clone()),
        grants: GrantService { store: store.clone(), clock: clock.clone(), catalogue: catalogue.clone() },
        ledger: LedgerService {
            store: store.clone(),
            clock: clock.clone(),
            currency: catalogue.currency,
            approval: ApprovalRule { above },
        },
        plans: PlanService { store, clock, catalogue },
    }
}

async fn settle(
    store: &dyn Store,
    number: usize,
    role: Role,
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Actor> {
    let name = format!("person{number}");
    let user = User {
        id: UserId::new(now),
        personal_account: AccountId::new(now),
        username: Some(Username::parse(&name).map_err(|error| anyhow::anyhow!("{error:?}"))?),
        email: None,
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
    let work: Box<dyn UnitOfWork> = store.begin().await?;
    work.users().insert(&user).await?;
    work.accounts().insert(&account).await?;
    work.commit().await?;
    Ok(Actor { user: user.id, role, personal_account: account.id, key: None, ip: None })
}
