//! What the ledger keeps: wallets, and transfers that are only ever added.

use super::{Transfer, TransferKind, Wallet};
use crate::id::AccountId;
use crate::store::StoreResult;
use async_trait::async_trait;

/// Wallets and transfers. Whoever writes a wallet, or a transfer with one as a side, holds the lock on the row of
/// its account.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait LedgerRepository: Send + Sync {
    /// The wallets of these accounts, one per currency that ever had money; an account without one has nothing.
    async fn wallets(&self, accounts: &[AccountId]) -> StoreResult<Vec<Wallet>>;

    /// Stores wallets, new and changed ones alike.
    async fn save_wallets(&self, wallets: &[Wallet]) -> StoreResult<()>;

    /// Adds transfers; a second one of the same kind and reference is `StoreError::Duplicate`.
    async fn insert(&self, transfers: &[Transfer]) -> StoreResult<()>;

    async fn find(&self, kind: TransferKind, reference: &str) -> StoreResult<Option<Transfer>>;
}
