//! Which account a request means, and whether its caller may use it: the step every context begins with.

use super::account::{Account, read_external_id};
use crate::actor::{Actor, Role, Scope};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::store::Repositories;

/// An account as a request names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountRef {
    /// The key's account, else the caller's personal one.
    #[default]
    Default,
    Id(AccountId),
    /// By the host product's id.
    External(String),
}

impl AccountRef {
    /// Reads `acc_…` as an id and anything else as a host product's id.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::External(text.to_owned()), Self::Id)
    }
}

/// Finds the account that a request means. To those who may not use it, it does not exist.
pub async fn resolve(repositories: &dyn Repositories, actor: &Actor, which: &AccountRef) -> Result<Account> {
    let accounts = repositories.accounts();
    let found = match which {
        AccountRef::Default => accounts.find(actor.default_account()).await?,
        AccountRef::Id(id) => accounts.find(*id).await?,
        // What no account can be called is not looked up: PostgreSQL takes no NUL in a text.
        AccountRef::External(name) => match read_external_id(name) {
            Ok(external_id) => accounts.find_by_external_id(&external_id).await?,
            Err(_) => None,
        },
    };
    found.filter(|account| may_use(actor, account)).ok_or(Error::NotFound("account"))
}

/// A key drawing from an account that is not its user's acts as a service, and must say so.
pub(super) fn hold_to_owner(account: &Account, user: UserId, scopes: &[Scope]) -> Result<()> {
    if account.owner == user || scopes.contains(&Scope::Service) {
        Ok(())
    } else {
        Err(Error::Forbidden("An API key on somebody else's account needs the scope service."))
    }
}

/// A key uses its own account, a service key any; a session its user's, an operator's any.
fn may_use(actor: &Actor, account: &Account) -> bool {
    match &actor.key {
        Some(key) => key.account == account.id || actor.is_service(),
        None => account.owner == actor.user || actor.role >= Role::Admin,
    }
}
