//! What one unit of work books into wallets and the ledger: transfers, holds, and the statement's entries.

use super::{NoBalance, Transfer, Wallet, WalletEntry};
use crate::id::AccountId;
use crate::money::{Currency, Money};
use std::collections::{BTreeMap, BTreeSet};

type Key = (AccountId, Currency);

/// Wallets as they were under their accounts' locks, and what is booked into them. Whatever is refused changes
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posting {
    wallets: BTreeMap<Key, Wallet>,
    changed: BTreeSet<Key>,
    transfers: Vec<Transfer>,
    entries: Vec<WalletEntry>,
}

impl Posting {
    /// Opens what was loaded; an account without a wallet has nothing.
    pub fn over(wallets: impl IntoIterator<Item = Wallet>) -> Self {
        let wallets = wallets.into_iter().map(|wallet| ((wallet.account, wallet.currency()), wallet)).collect();
        Self { wallets, ..Self::default() }
    }

    /// The wallet as it is by now.
    pub fn wallet(&self, account: AccountId, currency: Currency) -> Wallet {
        let known = self.wallets.get(&(account, currency)).cloned();
        known.unwrap_or_else(|| Wallet::empty(account, currency))
    }

    /// Moves money between the sides of a transfer, and writes a line into the statement of each that is a wallet.
    pub fn transfer(&mut self, transfer: Transfer) -> Result<(), NoBalance> {
        let (amount, currency) = (transfer.amount, transfer.amount.currency());
        let paying = transfer.from.wallet().map(|account| self.wallet(account, currency).debit(amount)).transpose()?;
        // The sides are two accounts, so paying does not change what the other side has.
        let paid = transfer.to.wallet().map(|account| self.wallet(account, currency).credit(amount)).transpose()?;
        let outgoing = Money::zero(currency).checked_sub(amount)?;
        for (wallet, signed) in paying.map(|wallet| (wallet, outgoing)).into_iter().chain(paid.map(|w| (w, amount))) {
            self.enter(wallet, &transfer, signed);
        }
        self.transfers.push(transfer);
        Ok(())
    }

    /// Keeps a part of a wallet from everybody but whoever releases it.
    pub fn hold(&mut self, account: AccountId, amount: Money) -> Result<(), NoBalance> {
        let held = self.wallet(account, amount.currency()).hold(amount)?;
        self.keep(held);
        Ok(())
    }

    /// Gives a part back that was held.
    pub fn release(&mut self, account: AccountId, amount: Money) -> Result<(), NoBalance> {
        let released = self.wallet(account, amount.currency()).release(amount)?;
        self.keep(released);
        Ok(())
    }

    fn enter(&mut self, mut wallet: Wallet, transfer: &Transfer, amount: Money) {
        wallet.entries += 1;
        self.entries.push(WalletEntry {
            account: wallet.account,
            number: wallet.entries,
            transfer: transfer.id,
            amount,
            balance: wallet.balance,
        });
        self.keep(wallet);
    }

    fn keep(&mut self, wallet: Wallet) {
        let key = (wallet.account, wallet.currency());
        self.wallets.insert(key, wallet);
        self.changed.insert(key);
    }

    pub fn is_empty(&self) -> bool {
        self.transfers.is_empty() && self.changed.is_empty()
    }

    /// The wallets that were changed, as they are by now.
    pub fn wallets(&self) -> impl Iterator<Item = &Wallet> {
        self.changed.iter().filter_map(|key| self.wallets.get(key))
    }

    pub fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    pub fn entries(&self) -> &[WalletEntry] {
        &self.entries
    }
}

#[cfg(test)]
#[path = "posting_tests.rs"]
mod tests;
