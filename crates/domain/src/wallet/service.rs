//! Reading wallets and the book.

use super::adjustment::ApprovalRule;
use super::{LedgerTotal, StatementLine, Wallet};
use crate::accounts::{Account, AccountRef, Act, resolve};
use crate::actor::{Actor, Scope};
use crate::error::Result;
use crate::id::AccountId;
use crate::money::Currency;
use crate::page::{Page, PageRequest};
use crate::store::Store;
use crate::time::Clock;
use std::sync::Arc;

/// Use cases of wallets and the ledger.
pub struct LedgerService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// What prices are in; every account is shown a wallet in it.
    pub currency: Currency,
    pub approval: ApprovalRule,
}

impl LedgerService {
    /// An account's wallets by currency, the billing currency's first.
    pub async fn wallets(&self, actor: &Actor, which: &AccountRef) -> Result<(AccountId, Vec<Wallet>)> {
        let account = self.readable(actor, which).await?;
        let mut wallets = self.store.ledger().wallets(&[account.id]).await?;
        if !wallets.iter().any(|wallet| wallet.currency() == self.currency) {
            wallets.push(Wallet::empty(account.id, self.currency));
        }
        wallets.sort_by_key(|wallet| (wallet.currency() != self.currency, wallet.currency()));
        Ok((account.id, wallets))
    }

    /// A wallet's statement, newest first; the billing currency's when none is said.
    pub async fn statement(
        &self,
        actor: &Actor,
        which: &AccountRef,
        currency: Option<Currency>,
        page: PageRequest,
    ) -> Result<Page<StatementLine>> {
        let account = self.readable(actor, which).await?;
        let currency = currency.unwrap_or(self.currency);
        Ok(self.store.ledger().statement(account.id, currency, page).await?)
    }

    /// For operators: the sums of the book.
    pub async fn totals(&self, actor: &Actor) -> Result<Vec<LedgerTotal>> {
        actor.require_admin()?;
        Ok(self.store.ledger().totals().await?)
    }

    async fn readable(&self, actor: &Actor, which: &AccountRef) -> Result<Account> {
        actor.require_scope(&Scope::UsageRead)?;
        resolve(&*self.store, actor, which, Act::ReadWallet).await
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
