//! One type that implements every port over a connection or a transaction.

use super::audit;
use super::bulk::{Existing, Together, Update};
use super::connect::Shared;
use super::error::store_error;
use crate::failpoints::{self, Point};
use async_trait::async_trait;
use domain::accounts::{AccountRepository, MembershipRepository};
use domain::audit::{AuditEvent, AuditLog};
use domain::billing::{
    BillPaymentRepository, BillRepository, ClosingRepository, CouponRepository, InvoiceRepository, MirrorRepository,
    ReportRepository,
};
use domain::idempotency::IdempotencyRepository;
use domain::identity::{
    ApiKeyRepository, OAuthFlowRepository, OAuthIdentityRepository, SessionRepository, ThrottleRepository,
    UserRepository, VerificationRepository,
};
use domain::incentives::{
    CheckInRepository, RedemptionBatchRepository, RedemptionCodeRepository, RedemptionUseRepository, ReferralRepository,
};
use domain::metering::{
    DebtRepository, OverageDueRepository, ReservationRepository, StandingRepository, UsageMonthRepository,
    UsageRepository,
};
use domain::notices::{DeliveryRepository, LaneRepository, NoticeRepository, WebhookRepository};
use domain::options::{LeaseRepository, OptionRepository};
use domain::orders::{
    ChargeRepository, OrderRepository, PaymentMessageRepository, PaymentRepository, ProductRepository,
    ReconciliationRepository, RefundRepository, SuspenseRepository,
};
use domain::outbox::Outbox;
use domain::plans::{PlanRepository, SubscriptionRepository};
use domain::quota::{CounterRepository, GrantRepository, WarningRepository};
use domain::sealed::SealedRepository;
use domain::store::{Repositories, StoreResult, UnitOfWork};
use domain::teams::{InvitationRepository, MemberRepository, TeamRepository};
use domain::wallet::{AdjustmentRepository, LedgerRepository};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, Value};
use std::sync::{Arc, Mutex};

/// Every repository over one connection `C`; cloning shares the connection.
#[derive(Clone)]
pub struct Repos<C> {
    pub(super) conn: C,
    pub(super) shared: Arc<Shared>,
    /// Audit events of a unit of work, written as it commits; `None` over the pool.
    pub(super) pending: Option<Arc<Mutex<Vec<AuditEvent>>>>,
}

impl<C: ConnectionTrait> Repos<C> {
    /// Inserts that are one round trip where the database takes that.
    pub(super) fn together<'rows>(&self) -> Together<'rows> {
        Together::new(self.conn.get_database_backend(), self.shared.dialect)
    }

    /// Inserts rows of one table.
    pub(super) async fn insert_all<E: EntityTrait>(&self, rows: &[E::Model], existing: Existing) -> StoreResult<()>
    where
        E::Model: Sync,
    {
        self.together().insert::<E>(rows, existing).execute(&self.conn).await
    }

    /// How many rows took what the update sets.
    pub(super) async fn update_all<E: EntityTrait>(&self, update: &Update<E>, rows: &[Vec<Value>]) -> StoreResult<u64> {
        update.execute(&self.conn, self.shared.dialect, rows).await
    }
}

impl<C: ConnectionTrait + Send + Sync> Repositories for Repos<C> {
    fn accounts(&self) -> &dyn AccountRepository {
        self
    }
    fn adjustments(&self) -> &dyn AdjustmentRepository {
        self
    }
    fn api_keys(&self) -> &dyn ApiKeyRepository {
        self
    }
    fn audit(&self) -> &dyn AuditLog {
        self
    }
    fn check_ins(&self) -> &dyn CheckInRepository {
        self
    }
    fn bills(&self) -> &dyn BillRepository {
        self
    }
    fn bill_payments(&self) -> &dyn BillPaymentRepository {
        self
    }
    fn charges(&self) -> &dyn ChargeRepository {
        self
    }

    fn mirrors(&self) -> &dyn MirrorRepository {
        self
    }
    fn closings(&self) -> &dyn ClosingRepository {
        self
    }
    fn counters(&self) -> &dyn CounterRepository {
        self
    }
    fn coupons(&self) -> &dyn CouponRepository {
        self
    }
    fn debts(&self) -> &dyn DebtRepository {
        self
    }
    fn deliveries(&self) -> &dyn DeliveryRepository {
        self
    }
    fn grants(&self) -> &dyn GrantRepository {
        self
    }
    fn invoices(&self) -> &dyn InvoiceRepository {
        self
    }
    fn idempotency(&self) -> &dyn IdempotencyRepository {
        self
    }
    fn lanes(&self) -> &dyn LaneRepository {
        self
    }
    fn invitations(&self) -> &dyn InvitationRepository {
        self
    }
    fn ledger(&self) -> &dyn LedgerRepository {
        self
    }
    fn leases(&self) -> &dyn LeaseRepository {
        self
    }
    fn oauth_flows(&self) -> &dyn OAuthFlowRepository {
        self
    }
    fn oauth_identities(&self) -> &dyn OAuthIdentityRepository {
        self
    }
    fn notices(&self) -> &dyn NoticeRepository {
        self
    }
    fn members(&self) -> &dyn MemberRepository {
        self
    }
    fn memberships(&self) -> &dyn MembershipRepository {
        self
    }
    fn options(&self) -> &dyn OptionRepository {
        self
    }
    fn outbox(&self) -> &dyn Outbox {
        self
    }
    fn overage_dues(&self) -> &dyn OverageDueRepository {
        self
    }
    fn plans(&self) -> &dyn PlanRepository {
        self
    }
    fn redemption_batches(&self) -> &dyn RedemptionBatchRepository {
        self
    }
    fn redemption_codes(&self) -> &dyn RedemptionCodeRepository {
        self
    }
    fn redemption_uses(&self) -> &dyn RedemptionUseRepository {
        self
    }
    fn referrals(&self) -> &dyn ReferralRepository {
        self
    }
    fn reports(&self) -> &dyn ReportRepository {
        self
    }
    fn reservations(&self) -> &dyn ReservationRepository {
        self
    }
    fn sealed(&self) -> &dyn SealedRepository {
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
    fn teams(&self) -> &dyn TeamRepository {
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
    fn verifications(&self) -> &dyn VerificationRepository {
        self
    }
    fn orders(&self) -> &dyn OrderRepository {
        self
    }
    fn payments(&self) -> &dyn PaymentRepository {
        self
    }
    fn payment_messages(&self) -> &dyn PaymentMessageRepository {
        self
    }
    fn products(&self) -> &dyn ProductRepository {
        self
    }
    fn reconciliations(&self) -> &dyn ReconciliationRepository {
        self
    }
    fn refunds(&self) -> &dyn RefundRepository {
        self
    }
    fn suspense(&self) -> &dyn SuspenseRepository {
        self
    }
    fn warnings(&self) -> &dyn WarningRepository {
        self
    }
    fn webhooks(&self) -> &dyn WebhookRepository {
        self
    }
}

#[async_trait]
impl UnitOfWork for Repos<DatabaseTransaction> {
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        audit::write_pending(&self).await?;
        failpoints::reach(Point::BeforeCommit);
        self.conn.commit().await.map_err(store_error)?;
        failpoints::reach(Point::AfterCommit);
        Ok(())
    }
}
