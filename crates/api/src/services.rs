//! Every use case, shared by handlers and loops.

use crate::committer::Committer;
use domain::accounts::{AccountService, KeyService, OperatorService, RegistrationService};
use domain::actor::Actor;
use domain::error::{Error, Result};
use domain::identity::IdentityService;
use domain::metering::{MeteringService, Receipt, UsageReport};
use domain::plans::{Catalogue, PlanService, SubscriptionService};
use domain::quota::GrantService;
use domain::store::Store;
use domain::teams::TeamService;
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
    pub teams: TeamService,
    pub plans: PlanService,
    pub subscriptions: SubscriptionService,
    pub grants: GrantService,
    pub metering: Arc<MeteringService>,
    pub committer: Committer,
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
    pub async fn run<T, F>(self: &Arc<Self>, work: impl FnOnce(Arc<Self>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let task = self.runtime.spawn(work(self.clone()));
        task.await.unwrap_or(Err(Error::Unavailable))
    }

    /// Reports use; each report has its own outcome, in the order sent.
    ///
    /// Waiting for the committer needs no task of its own: what was queued is committed, whoever waits.
    pub async fn report(self: &Arc<Self>, actor: &Actor, reports: Vec<UsageReport>) -> Result<Vec<Result<Receipt>>> {
        let prepared = match self.metering.prepare_at_once(actor, &reports)? {
            Some(prepared) => prepared,
            None => {
                let actor = actor.clone();
                self.run(|all| async move { all.metering.prepare(&actor, &reports).await }).await?
            }
        };
        let mut commands = Vec::with_capacity(prepared.len());
        let places: Vec<_> =
            prepared.into_iter().map(|command| command.map(|command| commands.push(command))).collect();
        let mut outcomes = self.committer.consume(commands).await?.into_iter();
        let answers = places.into_iter().map(|place| {
            place?;
            outcomes.next().ok_or(Error::Unavailable)?.map_err(Error::from)
        });
        Ok(answers.collect())
    }
}
