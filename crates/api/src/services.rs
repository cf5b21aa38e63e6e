//! Every use case, shared by handlers and loops.

use crate::committer::Committer;
use crate::http::intake::Intake;
use crate::quota_answers::QuotaAnswers;
use domain::accounts::{
    AccountService, KeyService, OAuthService, OperatorService, OptionService, RegistrationService, VerificationService,
};
use domain::actor::Actor;
use domain::billing::{BillingService, ChargingService, ReceiptService, RecurringService};
use domain::error::{Error, Result};
use domain::id::{AccountId, ReservationId};
use domain::identity::IdentityService;
use domain::incentives::{CheckInService, RedemptionService, ReferralService};
use domain::metering::{
    Command, Decided, Done, EndWish, HoldWish, MeteringService, Receipt, Reservation, RetentionService, Settlement,
    UsageReport, receipts,
};
use domain::notices::{Courier, DeadLetterService, FanOut, NoticeService, WebhookService};
use domain::orders::{OrderService, ShopService};
use domain::plans::{Catalogue, PlanService, SubscriptionService};
use domain::quota::GrantService;
use domain::sealed::ResealService;
use domain::store::Store;
use domain::teams::TeamService;
use domain::time::Clock;
use domain::wallet::LedgerService;
use futures_util::future::join_all;
use infra::clock::TestClock;
use std::collections::BTreeMap;
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
    pub options: OptionService,
    pub oauth: OAuthService,
    pub teams: TeamService,
    pub plans: PlanService,
    pub subscriptions: SubscriptionService,
    pub billing: Arc<BillingService>,
    pub receipts: ReceiptService,
    pub recurring: Arc<RecurringService>,
    pub charging: ChargingService,
    pub grants: GrantService,
    pub redemptions: RedemptionService,
    pub check_ins: CheckInService,
    pub referrals: ReferralService,
    pub verifications: VerificationService,
    pub resealing: ResealService,
    pub ledger: LedgerService,
    pub metering: Arc<MeteringService>,
    pub retention: RetentionService,
    pub orders: OrderService,
    pub shop: ShopService,
    pub notices: NoticeService,
    pub webhooks: WebhookService,
    pub dead_letters: DeadLetterService,
    pub fan_out: FanOut,
    pub courier: Courier,
    pub committer: Committer,
    pub quota_answers: QuotaAnswers,
    pub intake: Intake,
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
        let prepared = if let Some(prepared) = self.metering.prepare_at_once(actor, &reports)? {
            // Who waits for a commit holds its commands, and not also what they were made of.
            drop(reports);
            prepared
        } else {
            let actor = actor.clone();
            self.run(|all| async move { all.metering.prepare(&actor, &reports).await }).await?
        };
        let mut commands = Vec::with_capacity(prepared.len());
        let places: Vec<_> =
            prepared.into_iter().map(|command| command.map(|command| commands.push(command))).collect();
        let commands = commands.into_iter().map(Command::Consume).collect();
        let mut outcomes = receipts(self.book(commands).await?).into_iter();
        let answers = places.into_iter().map(|place| {
            place?;
            outcomes.next().ok_or(Error::Unavailable)?.map_err(Error::from)
        });
        Ok(answers.collect())
    }

    /// Holds a quantity.
    pub async fn reserve(&self, actor: &Actor, wish: &HoldWish) -> Result<Settlement> {
        let command = self.metering.prepare_hold(actor, wish).await?;
        self.settle(Command::Reserve(command)).await
    }

    /// Captures or releases a reservation.
    pub async fn end(&self, actor: &Actor, id: ReservationId, wish: &EndWish, key: Option<&str>) -> Result<Settlement> {
        let command = self.metering.prepare_end(actor, id, wish, key).await?;
        let settlement = self.settle(Command::End(command)).await?;
        if !settlement.duplicate {
            return Ok(settlement);
        }
        let usage = self.metering.usage_of(&settlement.reservation).await?;
        Ok(Settlement { usage, ..settlement })
    }

    /// Shows a reservation; one whose time is over has expired, whether or not the sweeper came by.
    pub async fn reservation(&self, actor: &Actor, id: ReservationId) -> Result<Reservation> {
        let found = self.metering.find_reservation(actor, id).await?;
        match self.metering.overdue(&found) {
            Some(expire) => Ok(self.settle(expire).await?.reservation),
            None => Ok(found),
        }
    }

    async fn settle(&self, command: Command) -> Result<Settlement> {
        match self.book(vec![command]).await?.pop() {
            Some(Ok(Done::Settled(settlement))) => Ok(*settlement),
            Some(Err(rejection)) => Err(rejection.into()),
            Some(Ok(Done::Used(_))) | None => Err(Error::Unavailable),
        }
    }

    /// Books commands; whoever asks for the quota after the answer sees them.
    async fn book(&self, commands: Vec<Command>) -> Result<Vec<Decided>> {
        let mut accounts: Vec<AccountId> = commands.iter().map(Command::account).collect();
        accounts.dedup();
        let booked = self.committer.book(commands).await;
        for account in accounts {
            self.quota_answers.forget(account);
        }
        booked
    }

    /// Ends a chunk of the reservations whose time is over; how many ended, and how many could not.
    ///
    /// Each account is a caller of its own: one that fails does not hold up the others.
    pub async fn expire_due(&self, skip: u64) -> Result<(u64, u64)> {
        let mut of_accounts: BTreeMap<_, Vec<Command>> = BTreeMap::new();
        for end in self.metering.due_ends(skip).await? {
            of_accounts.entry(end.account()).or_default().push(end);
        }
        let (mut done, mut failed) = (0, 0);
        let ends = of_accounts.into_iter().map(|(account, ends)| async move {
            let count = ends.len() as u64;
            (account, count, self.book(ends).await)
        });
        for (account, count, booked) in join_all(ends).await {
            match booked {
                Ok(_) => done += count,
                Err(error) => {
                    tracing::error!(%account, error = ?error, "reservations could not be expired");
                    failed += count;
                }
            }
        }
        Ok((done, failed))
    }
}
