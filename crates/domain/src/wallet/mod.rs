//! Prepaid money: wallets, and the double-entry ledger under everything that is paid.

mod balance;
mod ledger;
mod ports;
mod steps;

pub use balance::{NoBalance, Wallet};
pub use ledger::{LedgerAccount, Provider, Transfer, TransferKind, TransferMistake};
pub use ports::LedgerRepository;
#[cfg(any(test, feature = "testing"))]
pub use ports::MockLedgerRepository;
pub use steps::post;
