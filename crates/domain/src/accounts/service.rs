//! Use cases of an account's owner.

use super::access::{AccountRef, resolve};
use super::account::Account;
use super::rights::Act;
use crate::actor::{Actor, Scope};
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::money::Currency;
use crate::money::Money;
use crate::store::{Store, retrying};
use crate::time::Clock;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone)]
pub struct AccountService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// The currency of bills, and so of caps.
    pub currency: Currency,
}

impl AccountService {
    pub async fn view(&self, actor: &Actor, which: &AccountRef) -> Result<Account> {
        actor.require_scope(&Scope::UsageRead)?;
        resolve(&*self.store, actor, which, Act::ReadAccount).await
    }

    /// Caps the overage fees of a period; clearing goes back to the configured cap.
    pub async fn set_spend_cap(&self, actor: &Actor, which: &AccountRef, cap: Change<String>) -> Result<Account> {
        actor.require_session()?;
        let cap = cap.try_map(|text| Account::read_spend_cap(&text, self.currency))?;
        retrying!(self.store, self.write_spend_cap(actor, which, cap))
    }

    async fn write_spend_cap(&self, actor: &Actor, which: &AccountRef, cap: Change<Money>) -> Result<Account> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = resolve(&*work, actor, which, Act::SetSpendCap).await?;
        let mut account = work.accounts().lock(found.id).await?.ok_or(Error::NotFound("account"))?;
        account.spend_cap = cap.apply(account.spend_cap);
        account.updated_at = now;
        work.accounts().save(&account).await?;
        let event = AuditEvent::by(actor, "account.cap", account.id, now).on_account(account.id);
        work.audit().append(&event.with(cap_of(&account))).await?;
        work.commit().await?;
        Ok(account)
    }
}

fn cap_of(account: &Account) -> Value {
    json!({ "spend_cap": account.spend_cap.map(Money::to_decimal) })
}
