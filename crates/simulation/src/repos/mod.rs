//! Every port over the database in memory, for one unit of work or outside of any.

mod accounts;
mod billing;
mod closings;
mod housekeeping;
mod identity;
mod incentives;
mod lanes;
mod metering;
mod notices;
mod orders;
mod payments;
mod plans;
mod quota;
mod reports;
mod reservations;
mod sealed;
mod statements;
mod teams;
mod wallet;

use crate::core::Sim;
use crate::db::{Answer, Cx, OUTSIDE, Tables, TxId};
use crate::defect::Defect;
use crate::executor::Yield;
use crate::faults::Fault;
use async_trait::async_trait;
use domain::audit::AuditEvent;
use domain::page::{Page, PageRequest};
use domain::store::{Repositories, Store, StoreError, StoreResult, UnitOfWork};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The ports of a unit of work, or outside of any.
pub struct Repos {
    sim: Arc<Sim>,
    tx: TxId,
    /// The unit of work has ended, by a commit or by an error.
    is_over: AtomicBool,
    /// Audit events wait for the commit.
    pending: Mutex<Vec<AuditEvent>>,
}

impl Repos {
    /// Outside of units of work.
    pub fn outside(sim: Arc<Sim>) -> Self {
        Self::of(sim, OUTSIDE)
    }

    fn of(sim: Arc<Sim>, tx: TxId) -> Self {
        Self { sim, tx, is_over: AtomicBool::new(false), pending: Mutex::default() }
    }

    /// One call of a port: one statement.
    async fn call<T: Send>(&self, run: impl FnMut(&mut Tables, &mut Cx<'_>) -> Answer<T> + Send) -> StoreResult<T> {
        let fault = self.sim.enter(false).await;
        if self.tx == OUTSIDE {
            return match fault {
                Some(fault) => Err(error_of(fault)),
                None => self.alone(run).await,
            };
        }
        if self.is_over.load(Ordering::Relaxed) {
            return Err(StoreError::Other("the unit of work was aborted".into()));
        }
        let answer = match fault {
            Some(fault) => Err(error_of(fault)),
            None => self.sim.statement(self.tx, run).await,
        };
        if answer.is_err() {
            self.end(false);
        }
        answer
    }

    /// A statement that is its own unit of work.
    async fn alone<T: Send>(&self, run: impl FnMut(&mut Tables, &mut Cx<'_>) -> Answer<T> + Send) -> StoreResult<T> {
        let single = Self::of(self.sim.clone(), self.sim.begin());
        let answer = self.sim.statement(single.tx, run).await;
        single.end(answer.is_ok());
        answer
    }

    fn end(&self, commit: bool) {
        if self.tx != OUTSIDE && !self.is_over.swap(true, Ordering::Relaxed) {
            self.sim.end(self.tx, commit);
        }
    }

    /// Whether the condition of a call is broken on purpose.
    fn is_unconditional(&self, what: &'static str) -> bool {
        self.sim.lock().defect == Some(Defect::Unconditional(what))
    }

    fn take_pending(&self) -> Vec<AuditEvent> {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is not committed is undone, also when a process stops where it stands.
impl Drop for Repos {
    fn drop(&mut self) {
        self.end(false);
    }
}

fn error_of(fault: Fault) -> StoreError {
    match fault {
        Fault::Contended => StoreError::Contended,
        fault => StoreError::Unavailable(fault.name().into()),
    }
}

#[async_trait]
impl Store for Repos {
    async fn begin(&self) -> StoreResult<Box<dyn UnitOfWork>> {
        if let Some(fault) = self.sim.enter(false).await {
            return Err(error_of(fault));
        }
        Ok(Box::new(Self::of(self.sim.clone(), self.sim.begin())))
    }

    async fn back_off(&self, _attempt: u32) {
        Yield::default().await;
    }

    async fn ready(&self) -> StoreResult<()> {
        Ok(())
    }
}

#[async_trait]
impl UnitOfWork for Repos {
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        self.write_pending().await?;
        let fault = self.sim.enter(true).await;
        if self.is_over.load(Ordering::Relaxed) {
            return Err(StoreError::Other("the unit of work was aborted".into()));
        }
        self.end(matches!(fault, None | Some(Fault::CommitUnknown)));
        match fault {
            None => Ok(()),
            Some(fault) => Err(error_of(fault)),
        }
    }
}

/// Newest first: a page of the rows that are wanted, by descending id.
fn page<T>(rows: impl DoubleEndedIterator<Item = T>, page: PageRequest, id: impl Fn(&T) -> Uuid) -> Page<T> {
    let mut rows: Vec<T> = rows.filter(|row| page.before.is_none_or(|before| id(row) < before)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(id(row)));
    rows.truncate(page.limit as usize + 1);
    Page::cut(rows, page.limit, id)
}

fn span<T>(rows: Vec<T>, skip: u64, most: u64) -> Vec<T> {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    rows.into_iter().skip(number(skip)).take(number(most)).collect()
}

/// Every port is this one type.
macro_rules! ports {
    ($($port:ident as $trait:path),+ $(,)?) => {
        impl Repositories for Repos {
            $(fn $port(&self) -> &dyn $trait { self })+
        }
    };
}

ports! {
    accounts as domain::accounts::AccountRepository,
    adjustments as domain::wallet::AdjustmentRepository,
    api_keys as domain::identity::ApiKeyRepository,
    audit as domain::audit::AuditLog,
    bill_payments as domain::billing::BillPaymentRepository,
    bills as domain::billing::BillRepository,
    charges as domain::orders::ChargeRepository,
    check_ins as domain::incentives::CheckInRepository,
    closings as domain::billing::ClosingRepository,
    counters as domain::quota::CounterRepository,
    coupons as domain::billing::CouponRepository,
    debts as domain::metering::DebtRepository,
    deliveries as domain::notices::DeliveryRepository,
    grants as domain::quota::GrantRepository,
    idempotency as domain::idempotency::IdempotencyRepository,
    invitations as domain::teams::InvitationRepository,
    invoices as domain::billing::InvoiceRepository,
    lanes as domain::notices::LaneRepository,
    leases as domain::options::LeaseRepository,
    ledger as domain::wallet::LedgerRepository,
    members as domain::teams::MemberRepository,
    memberships as domain::accounts::MembershipRepository,
    mirrors as domain::billing::MirrorRepository,
    notices as domain::notices::NoticeRepository,
    oauth_flows as domain::identity::OAuthFlowRepository,
    oauth_identities as domain::identity::OAuthIdentityRepository,
    options as domain::options::OptionRepository,
    orders as domain::orders::OrderRepository,
    outbox as domain::outbox::Outbox,
    overage_dues as domain::metering::OverageDueRepository,
    payment_messages as domain::orders::PaymentMessageRepository,
    payments as domain::orders::PaymentRepository,
    plans as domain::plans::PlanRepository,
    products as domain::orders::ProductRepository,
    reconciliations as domain::orders::ReconciliationRepository,
    redemption_batches as domain::incentives::RedemptionBatchRepository,
    redemption_codes as domain::incentives::RedemptionCodeRepository,
    redemption_uses as domain::incentives::RedemptionUseRepository,
    referrals as domain::incentives::ReferralRepository,
    refunds as domain::orders::RefundRepository,
    reports as domain::billing::ReportRepository,
    reservations as domain::metering::ReservationRepository,
    sealed as domain::sealed::SealedRepository,
    sessions as domain::identity::SessionRepository,
    standings as domain::metering::StandingRepository,
    subscriptions as domain::plans::SubscriptionRepository,
    suspense as domain::orders::SuspenseRepository,
    teams as domain::teams::TeamRepository,
    throttles as domain::identity::ThrottleRepository,
    usage as domain::metering::UsageRepository,
    usage_months as domain::metering::UsageMonthRepository,
    users as domain::identity::UserRepository,
    verifications as domain::identity::VerificationRepository,
    warnings as domain::quota::WarningRepository,
    webhooks as domain::notices::WebhookRepository,
}
