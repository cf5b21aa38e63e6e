//! Wallets, statements and transfers say the same, and no wallet pays what it does not have.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use domain::id::AccountId;
use std::collections::BTreeMap;

pub fn balances_are_sums_of_entries(core: &Core) -> Found {
    let mut moved: BTreeMap<(AccountId, String), i64> = BTreeMap::new();
    for transfer in core.tables.transfers.values(OUTSIDE) {
        let currency = transfer.amount.currency();
        hold(transfer.amount.is_positive(), || format!("{} moves nothing", transfer.id))?;
        for (side, sign) in [(transfer.from, -1), (transfer.to, 1)] {
            if let Some(account) = side.wallet() {
                *moved.entry((account, currency.code().to_owned())).or_default() += sign * transfer.amount.nanos();
            }
        }
    }
    let mut entries: BTreeMap<(AccountId, String), (i64, i64)> = BTreeMap::new();
    for ((account, code, number), entry) in core.tables.wallet_entries.iter(OUTSIDE) {
        let last = entries.entry((*account, code.clone())).or_default();
        same(number, &(last.0 + 1), || format!("the next entry of {account}"))?;
        let balance = last.1 + entry.amount.nanos();
        same(&entry.balance.nanos(), &balance, || format!("entry {number} of {account}"))?;
        *last = (*number, balance);
        let known = core.tables.transfers.get(OUTSIDE, &entry.transfer).is_some();
        hold(known, || format!("entry {number} of {account} without its transfer"))?;
    }
    for (key, wallet) in core.tables.wallets.iter(OUTSIDE) {
        let (number, balance) = entries.remove(key).unwrap_or_default();
        same(&(wallet.entries, wallet.balance.nanos()), &(number, balance), || format!("wallet {key:?}"))?;
        same(&balance, &moved.remove(key).unwrap_or(0), || format!("wallet {key:?} against its transfers"))?;
        let held = wallet.held.nanos();
        hold(0 <= held && held <= balance, || format!("wallet {key:?} holds {held} of {balance}"))?;
    }
    hold(entries.is_empty() && moved.is_empty(), || format!("money without a wallet: {entries:?} {moved:?}"))
}

/// What a wallet holds is what open reservations, and refunds on their way, hold of it.
pub fn what_is_held_is_held_for_something(core: &Core) -> Found {
    let mut wanted: BTreeMap<AccountId, i64> = BTreeMap::new();
    for counter in core.tables.counters.values(OUTSIDE) {
        *wanted.entry(counter.account).or_default() += counter.wallet_held.nanos();
    }
    for wallet in core.tables.wallets.values(OUTSIDE) {
        let wanted = wanted.remove(&wallet.account).unwrap_or(0);
        same(&wallet.held.nanos(), &wanted, || format!("what the wallet of {} holds", wallet.account))?;
    }
    hold(wanted.values().all(|held| *held == 0), || format!("held without a wallet: {wanted:?}"))
}
