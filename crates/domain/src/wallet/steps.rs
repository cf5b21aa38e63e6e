//! Steps of other contexts' units of work: booking transfers.

use super::{NoBalance, Transfer, Wallet};
use crate::error::{Error, LimitKind, Result};
use crate::id::AccountId;
use crate::money::Currency;
use crate::store::Repositories;
use std::collections::BTreeMap;

/// Books transfers in their order and moves the balances of the wallets among their sides.
///
/// The caller holds the lock on the row of every account whose wallet is a side. A wallet that would fall below what
/// is held is `Error::Barred(LimitKind::Wallet)`; a kind and reference booked before is `StoreError::Duplicate`.
pub async fn post(work: &dyn Repositories, transfers: &[Transfer]) -> Result<()> {
    if transfers.is_empty() {
        return Ok(());
    }
    let sides = transfers.iter().flat_map(|transfer| [transfer.from.wallet(), transfer.to.wallet()]).flatten();
    let mut accounts: Vec<AccountId> = sides.collect();
    accounts.sort_unstable();
    accounts.dedup();
    if !accounts.is_empty() {
        let found = work.ledger().wallets(&accounts).await?;
        let known = found.into_iter().map(|wallet| ((wallet.account, wallet.balance.currency()), wallet)).collect();
        let moved = move_balances(known, transfers)?;
        work.ledger().save_wallets(&moved).await?;
    }
    Ok(work.ledger().insert(transfers).await?)
}

type Wallets = BTreeMap<(AccountId, Currency), Wallet>;

/// The wallets that the transfers touch, as they are afterwards.
fn move_balances(mut wallets: Wallets, transfers: &[Transfer]) -> Result<Vec<Wallet>> {
    let mut touched = Wallets::new();
    for transfer in transfers {
        let steps = [(transfer.from, Wallet::debit as Step), (transfer.to, Wallet::credit as Step)];
        for (side, step) in steps {
            let Some(account) = side.wallet() else { continue };
            let key = (account, transfer.amount.currency());
            let before = wallets.remove(&key).unwrap_or_else(|| Wallet::empty(account, key.1));
            let after = step(&before, transfer.amount).map_err(barred)?;
            touched.insert(key, after.clone());
            wallets.insert(key, after);
        }
    }
    Ok(touched.into_values().collect())
}

type Step = fn(&Wallet, crate::money::Money) -> std::result::Result<Wallet, NoBalance>;

fn barred(error: NoBalance) -> Error {
    match error {
        NoBalance::TooLow { .. } => Error::Barred(LimitKind::Wallet),
        NoBalance::Money(error) => error.into(),
    }
}
