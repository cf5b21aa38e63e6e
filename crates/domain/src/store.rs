//! The index of ports and the unit of work through which services reach them.

use crate::accounts::{AccountRepository, MembershipRepository};
use crate::audit::AuditLog;
use crate::billing::{
    BillPaymentRepository, BillRepository, ClosingRepository, CouponRepository, InvoiceRepository, MirrorRepository,
    ReportRepository,
};
use crate::error::Error;
use crate::idempotency::IdempotencyRepository;
use crate::identity::{
    ApiKeyRepository, OAuthFlowRepository, OAuthIdentityRepository, SessionRepository, ThrottleRepository,
    UserRepository, VerificationRepository,
};
use crate::incentives::{
    CheckInRepository, RedemptionBatchRepository, RedemptionCodeRepository, RedemptionUseRepository, ReferralRepository,
};
use crate::metering::{
    DebtRepository, OverageDueRepository, ReservationRepository, StandingRepository, UsageMonthRepository,
    UsageRepository,
};
use crate::notices::{DeliveryRepository, LaneRepository, NoticeRepository, WebhookRepository};
use crate::options::{LeaseRepository, OptionRepository};
use crate::orders::{
    ChargeRepository, OrderRepository, PaymentMessageRepository, PaymentRepository, ProductRepository,
    ReconciliationRepository, RefundRepository, SuspenseRepository,
};
use crate::outbox::Outbox;
use crate::plans::{PlanRepository, SubscriptionRepository};
use crate::quota::{CounterRepository, GrantRepository, WarningRepository};
use crate::sealed::SealedRepository;
use crate::teams::{InvitationRepository, MemberRepository, TeamRepository};
use crate::wallet::{AdjustmentRepository, LedgerRepository};
use async_trait::async_trait;
use thiserror::Error;

/// What storage can answer besides a row.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A unique key exists already; look again and decide anew.
    #[error("duplicate key")]
    Duplicate,
    /// Another unit of work was in the way; the same call may succeed now.
    #[error("contended")]
    Contended,
    /// A row breaks a promise of the domain: our defect, never the caller's.
    #[error("corrupt column {table}.{column}")]
    Corrupt { table: &'static str, column: &'static str },
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type StoreResult<T> = Result<T, StoreError>;

/// Every port over one connection or one transaction.
pub trait Repositories: Send + Sync {
    fn accounts(&self) -> &dyn AccountRepository;
    fn adjustments(&self) -> &dyn AdjustmentRepository;
    fn api_keys(&self) -> &dyn ApiKeyRepository;
    fn audit(&self) -> &dyn AuditLog;
    fn check_ins(&self) -> &dyn CheckInRepository;
    fn bills(&self) -> &dyn BillRepository;
    fn bill_payments(&self) -> &dyn BillPaymentRepository;
    fn charges(&self) -> &dyn ChargeRepository;
    fn mirrors(&self) -> &dyn MirrorRepository;
    fn closings(&self) -> &dyn ClosingRepository;
    fn counters(&self) -> &dyn CounterRepository;
    fn coupons(&self) -> &dyn CouponRepository;
    fn debts(&self) -> &dyn DebtRepository;
    fn deliveries(&self) -> &dyn DeliveryRepository;
    fn grants(&self) -> &dyn GrantRepository;
    fn idempotency(&self) -> &dyn IdempotencyRepository;
    fn invoices(&self) -> &dyn InvoiceRepository;
    fn lanes(&self) -> &dyn LaneRepository;
    fn ledger(&self) -> &dyn LedgerRepository;
    fn leases(&self) -> &dyn LeaseRepository;
    fn oauth_flows(&self) -> &dyn OAuthFlowRepository;
    fn oauth_identities(&self) -> &dyn OAuthIdentityRepository;
    fn notices(&self) -> &dyn NoticeRepository;
    fn invitations(&self) -> &dyn InvitationRepository;
    fn members(&self) -> &dyn MemberRepository;
    fn memberships(&self) -> &dyn MembershipRepository;
    fn options(&self) -> &dyn OptionRepository;
    fn outbox(&self) -> &dyn Outbox;
    fn overage_dues(&self) -> &dyn OverageDueRepository;
    fn plans(&self) -> &dyn PlanRepository;
    fn redemption_batches(&self) -> &dyn RedemptionBatchRepository;
    fn redemption_codes(&self) -> &dyn RedemptionCodeRepository;
    fn redemption_uses(&self) -> &dyn RedemptionUseRepository;
    fn referrals(&self) -> &dyn ReferralRepository;
    fn reports(&self) -> &dyn ReportRepository;
    fn reservations(&self) -> &dyn ReservationRepository;
    fn sealed(&self) -> &dyn SealedRepository;
    fn sessions(&self) -> &dyn SessionRepository;
    fn standings(&self) -> &dyn StandingRepository;
    fn subscriptions(&self) -> &dyn SubscriptionRepository;
    fn teams(&self) -> &dyn TeamRepository;
    fn throttles(&self) -> &dyn ThrottleRepository;
    fn usage(&self) -> &dyn UsageRepository;
    fn usage_months(&self) -> &dyn UsageMonthRepository;
    fn users(&self) -> &dyn UserRepository;
    fn verifications(&self) -> &dyn VerificationRepository;
    fn orders(&self) -> &dyn OrderRepository;
    fn payments(&self) -> &dyn PaymentRepository;
    fn payment_messages(&self) -> &dyn PaymentMessageRepository;
    fn products(&self) -> &dyn ProductRepository;
    fn reconciliations(&self) -> &dyn ReconciliationRepository;
    fn refunds(&self) -> &dyn RefundRepository;
    fn suspense(&self) -> &dyn SuspenseRepository;
    fn warnings(&self) -> &dyn WarningRepository;
    fn webhooks(&self) -> &dyn WebhookRepository;
}

/// The database. Reading through it sees committed data; writing is for units of work.
#[async_trait]
pub trait Store: Repositories {
    async fn begin(&self) -> StoreResult<Box<dyn UnitOfWork>>;

    /// Waits before attempt number `attempt` (from 1) of a use case that was contended.
    async fn back_off(&self, attempt: u32);

    /// Whether the database answers and its schema is the one this program expects.
    async fn ready(&self) -> StoreResult<()>;
}

/// A transaction. Dropping it without `commit` undoes everything.
#[async_trait]
pub trait UnitOfWork: Repositories {
    async fn commit(self: Box<Self>) -> StoreResult<()>;
}

/// Most attempts at one use case when units of work are in each other's way.
pub const MAX_ATTEMPTS: u32 = 6;

/// Decides whether a use case is tried again as a whole:
/// `loop { match attempt().await { Err(e) if retry.again(&e).await => {}, other => return other } }`
pub struct Retry<'a> {
    store: &'a dyn Store,
    attempt: u32,
}

impl<'a> Retry<'a> {
    pub fn new(store: &'a dyn Store) -> Self {
        Self { store, attempt: 0 }
    }

    /// True after a pause when the failure was another's doing and attempts are left.
    pub async fn again(&mut self, error: &Error) -> bool {
        let passing = matches!(error, Error::Store(StoreError::Contended | StoreError::Duplicate));
        self.attempt += 1;
        if !passing || self.attempt >= MAX_ATTEMPTS {
            return false;
        }
        self.store.back_off(self.attempt).await;
        true
    }
}

/// Tries a use case again as a whole: `retrying!(self.store, self.attempt(&command))`.
macro_rules! retrying {
    ($store:expr, $attempt:expr) => {{
        let mut retry = $crate::store::Retry::new(&*$store);
        loop {
            match $attempt.await {
                Err(error) if retry.again(&error).await => {}
                answer => break answer,
            }
        }
    }};
}
pub(crate) use retrying;
