//! Prepaid money: wallets, and the double-entry ledger under everything that is paid.

mod adjusting;
mod adjustment;
mod balance;
mod ledger;
mod ports;
mod posting;
mod service;
mod statement;
mod steps;

pub use adjusting::{AdjustmentWish, MAX_REASON_CHARS, Verdict};
pub use adjustment::{Adjustment, AdjustmentStatus, ApprovalRule};
pub use balance::{NoBalance, Wallet, WalletEntry};
pub use ledger::{LedgerAccount, Provider, Transfer, TransferKind, TransferMistake};
pub use ports::{AdjustmentRepository, LedgerRepository};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockAdjustmentRepository, MockLedgerRepository};
pub use posting::Posting;
pub use service::LedgerService;
pub use statement::{LedgerTotal, StatementLine};
pub use steps::{hold, post, release};
