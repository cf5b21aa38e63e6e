//! What the ledger keeps: wallets with their statements, and transfers that are only ever added.

use super::{LedgerTotal, Posting, StatementLine, Transfer, TransferKind, Wallet};
use crate::id::{AccountId, TransferId};
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
