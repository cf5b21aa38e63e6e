//! Steps of other contexts' units of work: booking transfers, and holding money.

use super::{NoBalance, Posting, Transfer};
use crate::error::{Error, LimitKind, Result};
use crate::id::AccountId;
use crate::money::Money;
use crate::store::Repositories;

/// Books transfers in their order and moves the balances of the wallets among their sides.
///
/// The caller holds the lock on the row of every account whose wallet is a side. A wallet that would fall below what
/// is held is `Error::Barred(LimitKind::Wallet)`; a kind and reference booked before is `StoreError::Duplicate`.
pub async fn post(work: &dyn Repositories, transfers: &[Transfer]) -> Result<()> {
    if transfers.is_empty() {
        return Ok(());
    }
    let sides = transfers.iter().flat_map(|transfer| [transfer.from.wallet(), transfer.to.wallet()]).flatten();
    let mut posting = open(work, sides.collect()).await?;
    for transfer in transfers {
        posting.transfer(transfer.clone())?;
    }
    Ok(work.ledger().book(&posting).await?)
}

/// Holds a part of a wallet: it stays in the balance, and nobody can spend it before it is released.
///
/// The caller holds the lock on the account's row. What is not available is `Error::Barred(LimitKind::Wallet)`.
pub async fn hold(work: &dyn Repositories, account: AccountId, amount: Money) -> Result<()> {
    let mut posting = open(work, vec![account]).await?;
    posting.hold(account, amount)?;
    Ok(work.ledger().book(&posting).await?)
}

/// Releases what [`hold`] held. The caller holds the lock on the account's row, and releases each hold once.
pub async fn release(work: &dyn Repositories, account: AccountId, amount: Money) -> Result<()> {
    let mut posting = open(work, vec![account]).await?;
    posting.release(account, amount)?;
    Ok(work.ledger().book(&posting).await?)
}

async fn open(work: &dyn Repositories, mut accounts: Vec<AccountId>) -> Result<Posting> {
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() {
        return Ok(Posting::default());
    }
    Ok(Posting::over(work.ledger().wallets(&accounts).await?))
}

impl From<NoBalance> for Error {
    fn from(error: NoBalance) -> Self {
        match error {
            NoBalance::TooLow { .. } => Self::Barred(LimitKind::Wallet),
            NoBalance::Nonsense => Self::invalid("amount", error.to_string()),
            NoBalance::Money(error) => error.into(),
        }
    }
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
