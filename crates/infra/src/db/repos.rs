//! One type that implements every port over a connection or a transaction.

use super::connect::Shared;
use super::error::store_error;
use async_trait::async_trait;
use domain::accounts::AccountRepository;
use domain::audit::AuditLog;
use domain::idempotency::IdempotencyRepository;
use domain::identity::{ApiKeyRepository, SessionRepository, ThrottleRepository, UserRepository};
use domain::metering::{
    DebtRepository, ReservationRepository, StandingRepository, UsageMonthRepository, UsageRepository,
};
use domain::options::{LeaseRepository, OptionRepository};
use domain::outbox::Outbox;
use domain::plans::{PlanRepository, SubscriptionRepository};
use domain::quota::{CounterRepository, GrantRepository, WarningRepository};
use domain::store::{Repositories, StoreResult, UnitOfWork};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use std::sync::Arc;

/// Every repository over one connection `C`; cloning shares the connection.
#[derive(Clone)]
pub struct Repos<C> {
    pub(super) conn: C,
    pub(super) shared: Arc<Shared>,
}

impl<C: ConnectionTrait + Send + Sync> Repositories for Repos<C> {
    fn accounts(&self) -> &dyn AccountRepository {
        self
    }
    fn api_keys(&self) -> &dyn ApiKeyRepository {
        self
    }
    fn audit(&self) -> &dyn AuditLog {
        self
    }
    fn counters(&self) -> &dyn CounterRepository {
        self
    }
    fn debts(&self) -> &dyn DebtRepository {
        self
    }
    fn grants(&self) -> &dyn GrantRepository {
        self
    }
    fn idempotency(&self) -> &dyn IdempotencyRepository {
        self
    }
    fn leases(&self) -> &dyn LeaseRepository {
        self
    }
    fn options(&self) -> &dyn OptionRepository {
        self
    }
    fn outbox(&self) -> &dyn Outbox {
        self
    }
    fn plans(&self) -> &dyn PlanRepository {
        self
    }
    fn reservations(&self) -> &dyn ReservationRepository {
        self
    }
    fn sessions(&self) -> &dyn SessionRepository {
        self
    }
    fn standings(&self) -> &dyn StandingRepository {
        self
    }
    fn subscriptions(&self) -> &dyn SubscriptionRepository {
        self
    }
    fn throttles(&self) -> &dyn ThrottleRepository {
        self
    }
    fn usage(&self) -> &dyn UsageRepository {
        self
    }
    fn usage_months(&self) -> &dyn UsageMonthRepository {
        self
    }
    fn users(&self) -> &dyn UserRepository {
        self
    }
    fn warnings(&self) -> &dyn WarningRepository {
        self
    }
}

#[async_trait]
impl UnitOfWork for Repos<DatabaseTransaction> {
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        self.conn.commit().await.map_err(store_error)
    }
}
