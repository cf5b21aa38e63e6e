//! Doubles for tests: a unit of work of mocks, a store that hands it out, and a clock that stands still.

use crate::accounts::{AccountRepository, MembershipRepository, MockAccountRepository, MockMembershipRepository};
use crate::audit::{AuditLog, MockAuditLog};
use crate::billing::{
    BillPaymentRepository, BillRepository, ClosingRepository, CouponRepository, InvoiceRepository, MirrorRepository,
    MockBillPaymentRepository, MockBillRepository, MockClosingRepository, MockCouponRepository, MockInvoiceRepository,
    MockMirrorRepository, MockReportRepository, ReportRepository,
};
use crate::idempotency::{IdempotencyRepository, MockIdempotencyRepository};
use crate::identity::{
    ApiKeyRepository, MockApiKeyRepository, MockOAuthFlowRepository, MockOAuthIdentityRepository,
    MockSessionRepository, MockThrottleRepository, MockUserRepository, MockVerificationRepository, OAuthFlowRepository,
    OAuthIdentityRepository, SessionRepository, ThrottleRepository, UserRepository, VerificationRepository,
};
use crate::incentives::{
    CheckInRepository, MockCheckInRepository, MockRedemptionBatchRepository, MockRedemptionCodeRepository,
    MockRedemptionUseRepository, MockReferralRepository, RedemptionBatchRepository, RedemptionCodeRepository,
    RedemptionUseRepository, ReferralRepository,
};
use crate::metering::{
    DebtRepository, MockDebtRepository, MockOverageDueRepository, MockReservationRepository, MockStandingRepository,
    MockUsageMonthRepository, MockUsageRepository, OverageDueRepository, ReservationRepository, StandingRepository,
    UsageMonthRepository, UsageRepository,
};
use crate::notices::{
    DeliveryRepository, LaneRepository, MockDeliveryRepository, MockLaneRepository, MockNoticeRepository,
    MockWebhookRepository, NoticeRepository, WebhookRepository,
};
use crate::options::{LeaseRepository, MockLeaseRepository, MockOptionRepository, OptionRepository};
use crate::orders::{
    ChargeRepository, MockChargeRepository, MockOrderRepository, MockPaymentMessageRepository, MockPaymentRepository,
    MockProductRepository, MockReconciliationRepository, MockRefundRepository, MockSuspenseRepository, OrderRepository,
    PaymentMessageRepository, PaymentRepository, ProductRepository, ReconciliationRepository, RefundRepository,
    SuspenseRepository,
};
use crate::outbox::{MockOutbox, Outbox};
use crate::plans::{MockPlanRepository, MockSubscriptionRepository, PlanRepository, SubscriptionRepository};
use crate::quota::{
    CounterRepository, GrantRepository, MockCounterRepository, MockGrantRepository, MockWarningRepository,
    WarningRepository,
};
use crate::sealed::{MockSealedRepository, SealedRepository};
use crate::store::{Repositories, Store, StoreError, StoreResult, UnitOfWork};
use crate::teams::{
    InvitationRepository, MemberRepository, MockInvitationRepository, MockMemberRepository, MockTeamRepository,
    TeamRepository,
};
use crate::time::Clock;
use crate::wallet::{AdjustmentRepository, LedgerRepository, MockAdjustmentRepository, MockLedgerRepository};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Declares the unit of work of mocks and the accessors of both doubles from one list of ports.
macro_rules! doubles {
    ($($port:ident: $mock:ident as $trait:ident),+ $(,)?) => {
        /// One mock per port; a call that a test does not expect fails it.
        #[derive(Default)]
        pub struct MockWork {
            $(pub $port: $mock,)+
            commits: Arc<AtomicUsize>,
        }

        impl Repositories for MockWork {
            $(fn $port(&self) -> &dyn $trait {
                &self.$port
            })+
        }

        impl Repositories for MockStore {
            $(fn $port(&self) -> &dyn $trait {
                self.reads.$port()
            })+
        }
    };
}

doubles! {
    accounts: MockAccountRepository as AccountRepository,
    adjustments: MockAdjustmentRepository as AdjustmentRepository,
    api_keys: MockApiKeyRepository as ApiKeyRepository,
    audit: MockAuditLog as AuditLog,
    check_ins: MockCheckInRepository as CheckInRepository,
    bills: MockBillRepository as BillRepository,
    charges: MockChargeRepository as ChargeRepository,
    mirrors: MockMirrorRepository as MirrorRepository,
    bill_payments: MockBillPaymentRepository as BillPaymentRepository,
    closings: MockClosingRepository as ClosingRepository,
    counters: MockCounterRepository as CounterRepository,
    coupons: MockCouponRepository as CouponRepository,
    debts: MockDebtRepository as DebtRepository,
    deliveries: MockDeliveryRepository as DeliveryRepository,
    grants: MockGrantRepository as GrantRepository,
    invoices: MockInvoiceRepository as InvoiceRepository,
    idempotency: MockIdempotencyRepository as IdempotencyRepository,
    lanes: MockLaneRepository as LaneRepository,
    ledger: MockLedgerRepository as LedgerRepository,
    leases: MockLeaseRepository as LeaseRepository,
    oauth_flows: MockOAuthFlowRepository as OAuthFlowRepository,
    oauth_identities: MockOAuthIdentityRepository as OAuthIdentityRepository,
    notices: MockNoticeRepository as NoticeRepository,
    invitations: MockInvitationRepository as InvitationRepository,
    members: MockMemberRepository as MemberRepository,
    memberships: MockMembershipRepository as MembershipRepository,
    options: MockOptionRepository as OptionRepository,
    outbox: MockOutbox as Outbox,
    overage_dues: MockOverageDueRepository as OverageDueRepository,
    plans: MockPlanRepository as PlanRepository,
    redemption_batches: MockRedemptionBatchRepository as RedemptionBatchRepository,
    redemption_codes: MockRedemptionCodeRepository as RedemptionCodeRepository,
    redemption_uses: MockRedemptionUseRepository as RedemptionUseRepository,
    referrals: MockReferralRepository as ReferralRepository,
    reports: MockReportRepository as ReportRepository,
    reservations: MockReservationRepository as ReservationRepository,
    sealed: MockSealedRepository as SealedRepository,
    sessions: MockSessionRepository as SessionRepository,
    standings: MockStandingRepository as StandingRepository,
    subscriptions: MockSubscriptionRepository as SubscriptionRepository,
    teams: MockTeamRepository as TeamRepository,
    throttles: MockThrottleRepository as ThrottleRepository,
    usage: MockUsageRepository as UsageRepository,
    usage_months: MockUsageMonthRepository as UsageMonthRepository,
    users: MockUserRepository as UserRepository,
    verifications: MockVerificationRepository as VerificationRepository,
    orders: MockOrderRepository as OrderRepository,
    payments: MockPaymentRepository as PaymentRepository,
    payment_messages: MockPaymentMessageRepository as PaymentMessageRepository,
    products: MockProductRepository as ProductRepository,
    reconciliations: MockReconciliationRepository as ReconciliationRepository,
    refunds: MockRefundRepository as RefundRepository,
    suspense: MockSuspenseRepository as SuspenseRepository,
    warnings: MockWarningRepository as WarningRepository,
    webhooks: MockWebhookRepository as WebhookRepository,
}

#[async_trait]
impl UnitOfWork for MockWork {
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Reads through one set of mocks and begins the given units of work, one after the other.
#[derive(Default)]
pub struct MockStore {
    pub reads: MockWork,
    works: Mutex<VecDeque<MockWork>>,
    commits: Arc<AtomicUsize>,
}

impl MockStore {
    pub fn reading(reads: MockWork) -> Self {
        Self { reads, ..Self::default() }
    }

    /// Adds a unit of work to begin.
    #[must_use]
    pub fn beginning(self, mut work: MockWork) -> Self {
        work.commits = self.commits.clone();
        self.works.lock().unwrap_or_else(PoisonError::into_inner).push_back(work);
        self
    }

    /// How many units of work were committed.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Store for MockStore {
    async fn begin(&self) -> StoreResult<Box<dyn UnitOfWork>> {
        let work = self.works.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match work {
            Some(work) => Ok(Box::new(work)),
            None => Err(StoreError::Other("the test did not expect this unit of work".into())),
        }
    }

    async fn back_off(&self, _attempt: u32) {}

    async fn ready(&self) -> StoreResult<()> {
        Ok(())
    }
}

/// A clock that stands still.
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
