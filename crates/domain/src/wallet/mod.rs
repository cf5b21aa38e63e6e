//! Prepaid money: wallets, and the double-entry ledger under everything that is paid.

mod balance;
mod ledger;
mod ports;
mod posting;
mod statement;
mod steps;

pub use balance::{NoBalance, Wallet, WalletEntry};
pub use ledger::{LedgerAccount, Provider, Transfer, TransferKind, TransferMistake};
pub use ports::LedgerRepository;
#[cfg(any(test, feature = "testing"))]
pub use ports::MockLedgerRepository;
pub use posting::Posting;
pub use statement::{LedgerTotal, StatementLine};
pub use steps::{hold, post, release};
