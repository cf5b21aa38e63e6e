//! Every use case, shared by handlers and loops.

use domain::accounts::{AccountService, KeyService, OperatorService, RegistrationService};
use domain::identity::IdentityService;
use domain::metering::MeteringService;
use domain::plans::{Catalogue, PlanService, SubscriptionService};
use domain::quota::GrantService;
use domain::store::Store;
use domain::time::Clock;
use infra::clock::TestClock;
use std::sync::Arc;
use tokio::runtime::Handle;

pub struct Services {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Present when `clock.test` is true.
    pub test_clock: Option<Arc<TestClock>>,
    pub catalogue: Arc<Catalogue>,
    pub identity: IdentityService,
    pub registration: RegistrationService,
    pub accounts: AccountService,
    pub keys: KeyService,
    pub operators: OperatorService,
    pub plans: PlanService,
    pub subscriptions: SubscriptionService,
    pub grants: GrantService,
    pub metering: MeteringService,
    /// Most bytes of a request body.
    pub body_limit: usize,
    /// Most events of one batch.
    pub batch_limit: usize,
    /// Where units of work run, whatever becomes of the request that asked for them.
    pub runtime: Handle,
}

impl Services {
    /// Runs a use case to its end even when the client goes away: sqlx 0.9.0 may leave a transaction
    /// open on a pooled connection when a unit of work is dropped while it begins.
    pub async fn run<T, F>(self: &Arc<Self>, work: impl FnOnce(Arc<Self>) -> F) -> domain::error::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = domain::error::Result<T>> + Send + 'static,
    {
        let task = self.runtime.spawn(work(self.clone()));
        task.await.unwrap_or(Err(domain::error::Error::Unavailable))
    }
}
