//! What the ledger keeps: wallets with their statements, and transfers that are only ever added.

use super::{Adjustment, AdjustmentStatus, LedgerTotal, Posting, StatementLine, Transfer, TransferKind, Wallet};
use crate::id::{AccountId, AdjustmentId, TransferId};
use crate::money::Currency;
use crate::page::{Page, PageRequest};
use crate::store::StoreResult;
use async_trait::async_trait;

/// Wallets and transfers. Whoever writes a wallet, or a transfer with one as a side, holds the lock on the row of
/// its account.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait LedgerRepository: Send + Sync {
    /// The wallets of these accounts, one per currency that ever had money; an account without one has nothing.
    async fn wallets(&self, accounts: &[AccountId]) -> StoreResult<Vec<Wallet>>;

    /// Adds transfers and entries, and stores the wallets that were changed. A second transfer of the same kind and
    /// reference is `StoreError::Duplicate`.
    async fn book(&self, posting: &Posting) -> StoreResult<()>;

    async fn find(&self, kind: TransferKind, reference: &str) -> StoreResult<Option<Transfer>>;

    /// By its own id, whoever it is about.
    async fn find_by_id(&self, id: TransferId) -> StoreResult<Option<Transfer>>;

    /// A wallet's statement, newest first; the cursor is [`StatementLine::cursor`].
    async fn statement(
        &self,
        account: AccountId,
        currency: Currency,
        page: PageRequest,
    ) -> StoreResult<Page<StatementLine>>;

    /// What all transfers together moved into and out of each kind of ledger account, per currency.
    async fn totals(&self) -> StoreResult<Vec<LedgerTotal>>;
}

/// Operators' adjustments. Whoever writes one holds the lock on its account's row.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait AdjustmentRepository: Send + Sync {
    async fn insert(&self, adjustment: &Adjustment) -> StoreResult<()>;

    /// Of any account: for operators.
    async fn find(&self, id: AdjustmentId) -> StoreResult<Option<Adjustment>>;

    /// Stores what was decided about one that waited; `StoreError::Contended` when it does not wait any more.
    async fn decide(&self, adjustment: &Adjustment) -> StoreResult<()>;

    /// Those of all accounts, newest first: for operators.
    async fn list(&self, status: Option<AdjustmentStatus>, page: PageRequest) -> StoreResult<Page<Adjustment>>;
}
