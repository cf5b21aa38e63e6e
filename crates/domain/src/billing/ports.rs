//! What billing keeps: bills, their lines and payments, coupons, and where tariffs changed within a period.

use super::{
    Bill, BillKind, BillPayment, BillStatus, Coupon, EarnedSum, EndedPeriods, Invoice, InvoiceFilter, IssuedBill,
    IssuedSum, Mirror, Months, OverageRow, OwedSum, ReturnedSum,
};
use crate::id::{AccountId, BillId, CouponId, InvoiceId, MirrorId, PlanVersionId};
use crate::metering::UsageRecord;
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::plans::{MeterCode, OpenedPeriod};
use crate::quantity::Quantity;
use crate::store::StoreResult;
use crate::time::Period;
use crate::wallet::Provider;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Which bills are listed; whatever is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillFilter {
    pub account: Option<AccountId>,
    pub kind: Option<BillKind>,
    pub status: Option<BillStatus>,
    /// The local month in which the bill's period began.
    pub month: Option<String>,
}

/// Bills. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait BillRepository: Send + Sync {
    /// A second bill of one account, kind and period that is not void is `StoreError::Duplicate`.
    async fn insert(&self, bills: &[IssuedBill]) -> StoreResult<()>;

    /// Stores what may change of issued bills: status, refunded, times and chasing. Amounts and lines never.
    async fn save(&self, bills: &[Bill]) -> StoreResult<()>;

    /// By its own id, of any account: the caller checks who may know of it.
    async fn find(&self, id: BillId) -> StoreResult<Option<IssuedBill>>;

    /// These bills of one account that are not void, by kind and the start of their period.
    async fn find_live(&self, account: AccountId, kind: BillKind, start: DateTime<Utc>) -> StoreResult<Option<Bill>>;

    /// The account's unpaid bills, oldest first: refund bills are never among them.
    async fn unpaid(&self, account: AccountId) -> StoreResult<Vec<Bill>>;

    /// Bills of a kind with their lines, of quota periods that start at these instants, oldest first. Void ones too: what
    /// was taken back is not asked for again.
    async fn of_periods(&self, kind: BillKind, slots: &[(AccountId, DateTime<Utc>)]) -> StoreResult<Vec<IssuedBill>>;

    /// Newest first.
    async fn list(&self, filter: &BillFilter, page: PageRequest) -> StoreResult<Page<Bill>>;

    /// Unpaid bills to be chased by `now`, longest ago first: at most `most`, after leaving out `skip`.
    async fn to_chase(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, BillId)>>;

    /// Bills by id after `after`, of a month if one is named: for going through all of them.
    async fn walk(&self, month: Option<String>, after: Option<BillId>, most: u64) -> StoreResult<Vec<BillId>>;
}

/// Payments of bills; only ever added.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait BillPaymentRepository: Send + Sync {
    async fn insert(&self, payments: &[BillPayment]) -> StoreResult<()>;

    /// Oldest first.
    async fn of_bill(&self, bill: BillId) -> StoreResult<Vec<BillPayment>>;
}

/// Coupons.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait CouponRepository: Send + Sync {
    /// A second coupon with the same code is `StoreError::Duplicate`.
    async fn insert(&self, coupon: &Coupon) -> StoreResult<()>;

    async fn find(&self, id: CouponId) -> StoreResult<Option<Coupon>>;

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Coupon>>;

    /// Counts a use unless the coupon was used as often as it may be; whether it was counted.
    async fn use_once(&self, id: CouponId, now: DateTime<Utc>) -> StoreResult<bool>;

    /// Takes a use back: its bill was void before it was paid.
    async fn give_back(&self, code: &str, now: DateTime<Utc>) -> StoreResult<()>;

    async fn disable(&self, id: CouponId, now: DateTime<Utc>) -> StoreResult<()>;

    /// Newest first.
    async fn list(&self, page: PageRequest) -> StoreResult<Page<Coupon>>;
}

/// Invoices. Whoever writes one holds the lock on the row of its account.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait InvoiceRepository: Send + Sync {
    /// A second invoice of a bill that stands is `StoreError::Duplicate`.
    async fn insert(&self, invoice: &Invoice) -> StoreResult<()>;

    /// Stores what may change: status, number, address, reason and times.
    async fn save(&self, invoice: &Invoice) -> StoreResult<()>;

    /// By its own id, of any account: the caller checks who may know of it.
    async fn find(&self, id: InvoiceId) -> StoreResult<Option<Invoice>>;

    /// The invoice of the bill that stands.
    async fn standing(&self, bill: BillId) -> StoreResult<Option<Invoice>>;

    /// Newest first.
    async fn list(&self, filter: &InvoiceFilter, page: PageRequest) -> StoreResult<Page<Invoice>>;
}

/// A plan ended within a quota period: up to here the overage of a meter was priced by its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffMark {
    pub account: AccountId,
    pub period_start: DateTime<Utc>,
    pub meter: MeterCode,
    /// The overage, owed or paid from the wallet, when the plan ended.
    pub position: Quantity,
    pub version: PlanVersionId,
    pub seats: u32,
}

/// What usage rows of a period say of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSum {
    pub account: AccountId,
    pub period_start: DateTime<Utc>,
    pub meter: MeterCode,
    pub adjustment: bool,
    /// The overage, owed and paid from the wallet.
    pub overage: Quantity,
    pub fee: Money,
}

/// Which of the usage rows of a period; whatever is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BilledRows {
    pub meter: Option<MeterCode>,
    /// Those that came after their own period was closed, or those that did not.
    pub adjustment: Option<bool>,
    /// Recorded then or later.
    pub since: Option<DateTime<Utc>>,
    /// Recorded earlier.
    pub until: Option<DateTime<Utc>>,
}

/// A quota period of an account.
pub type Slot = (AccountId, DateTime<Utc>);

/// Closing of periods. Whoever writes here holds the lock on the row of the account.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ClosingRepository: Send + Sync {
    /// Accounts with a period that ended by `until` and is open, those with the oldest first: at most `most`, after
    /// leaving out `skip`; with `began_before` only of periods that began before it.
    async fn due(
        &self,
        until: DateTime<Utc>,
        began_before: Option<DateTime<Utc>>,
        skip: u64,
        most: u64,
    ) -> StoreResult<Vec<AccountId>>;

    /// How many periods ended by `until` and are open.
    async fn count_due(&self, until: DateTime<Utc>, began_before: Option<DateTime<Utc>>) -> StoreResult<u64>;

    /// The open periods of these accounts that ended by `until`, by account and start.
    async fn open_periods(
        &self,
        accounts: &[AccountId],
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod)>>;

    /// Periods that began within a span and ended by `until`, with whether they are closed: those of the next `most` accounts
    /// after `after`, by account and start, and the last of these accounts.
    async fn ended(
        &self,
        began: Period,
        until: DateTime<Utc>,
        after: Option<AccountId>,
        most: u64,
    ) -> StoreResult<EndedPeriods>;

    /// Whether rows that an account's keys name, and that were recorded in a span, were deleted.
    async fn rows_are_gone(&self, account: AccountId, recorded: Period) -> StoreResult<bool>;

    /// Marks periods as closed, and subscriptions as closed until the last of them.
    async fn close(&self, periods: &[(AccountId, OpenedPeriod)], now: DateTime<Utc>) -> StoreResult<()>;

    /// Adds marks; one that exists stays as it is.
    async fn mark(&self, marks: &[TariffMark]) -> StoreResult<()>;

    /// The marks of these periods, by position.
    async fn marks(&self, slots: &[Slot]) -> StoreResult<Vec<TariffMark>>;

    /// Sums of the usage rows of these periods, late ones apart; gauges' overage is that of their rows.
    async fn usage_sums(&self, slots: &[Slot], only_adjustments: bool) -> StoreResult<Vec<UsageSum>>;

    /// The usage rows that count in a period and cost something, newest first.
    async fn rows(&self, slot: Slot, which: &BilledRows, page: PageRequest) -> StoreResult<Page<UsageRecord>>;

    /// Accounts whose term ends by `until` and is renewed on a plan that costs something, without a bill for the next:
    /// at most `most`, after leaving out `skip`. `free` are plans that cost nothing.
    async fn renewals(
        &self,
        until: DateTime<Utc>,
        free: &[String],
        skip: u64,
        most: u64,
    ) -> StoreResult<Vec<AccountId>>;
}

/// Sums over months, of all accounts.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ReportRepository: Send + Sync {
    /// Parts of the bills that were issued, refund bills apart.
    async fn issued(&self, months: &Months) -> StoreResult<Vec<IssuedSum>>;

    /// What the ledger moved to revenue and away from it.
    async fn earned(&self, months: &Months) -> StoreResult<Vec<EarnedSum>>;

    /// Overage of bills that were issued and are not void.
    async fn overage(&self, months: &Months) -> StoreResult<Vec<OverageRow>>;

    /// Bills that were owed at some time since the months began.
    async fn owed(&self, months: &Months) -> StoreResult<Vec<OwedSum>>;

    /// What went back to customers.
    async fn returned(&self, months: &Months) -> StoreResult<Vec<ReturnedSum>>;
}

/// Subscriptions at providers. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait MirrorRepository: Send + Sync {
    /// A second one of a bill is `StoreError::Duplicate`.
    async fn insert(&self, mirror: &Mirror) -> StoreResult<()>;

    async fn save(&self, mirror: &Mirror) -> StoreResult<()>;

    /// Of any account: the caller checks who may know of it.
    async fn find(&self, id: MirrorId) -> StoreResult<Option<Mirror>>;

    async fn find_by_bill(&self, bill: BillId) -> StoreResult<Option<Mirror>>;

    /// By the provider's id.
    async fn find_by_reference(&self, provider: Provider, reference: &str) -> StoreResult<Option<Mirror>>;

    /// Newest first.
    async fn of_account(&self, account: AccountId) -> StoreResult<Vec<Mirror>>;

    /// Those that run and were last heard of before a time, the longest silent first.
    async fn silent(&self, before: DateTime<Utc>, limit: u32) -> StoreResult<Vec<Mirror>>;
}
