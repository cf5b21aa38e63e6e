//! Which account a request means, and whether its caller may use it: the step every context begins with.

use super::account::{Account, AccountKind, read_external_id};
use super::rights::{Act, MemberRole, Standing};
use crate::actor::{Actor, Role, Scope};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::store::Repositories;

/// An account as a request names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// Finds the account that a request means, for an act that the caller may do there.
///
/// To those who may not use the account it does not exist; who may use it, but not for this, hears so.
pub async fn resolve(repositories: &dyn Repositories, actor: &Actor, which: &AccountRef, act: Act) -> Result<Account> {
    let (account, standing) = enter(repositories, actor, which).await?;
    standing.require(act)?;
    Ok(account)
}

/// As [`resolve`], for reading usage; with the one user whose use the caller may read, when not everybody's.
pub async fn resolve_reader(
    repositories: &dyn Repositories,
    actor: &Actor,
    which: &AccountRef,
) -> Result<(Account, Option<UserId>)> {
    let (account, standing) = enter(repositories, actor, which).await?;
    standing.require(Act::ReadOwnUsage)?;
    let only = (!standing.may(Act::ReadAllUsage)).then_some(actor.user);
    Ok((account, only))
}

/// With which rights the caller uses the account; `None` for a stranger.
///
/// A key uses its own account, a service key any; a session its user's and those of the user's teams, an
/// operator's any. On a team's account a key is worth no more than its user's membership.
pub async fn standing(repositories: &dyn Repositories, actor: &Actor, account: &Account) -> Result<Option<Standing>> {
    if actor.is_service() || (actor.key.is_none() && actor.role >= Role::Admin) {
        return Ok(Some(Standing::Operator));
    }
    if actor.key.as_ref().is_some_and(|key| key.account != account.id) {
        return Ok(None);
    }
    let role = match account.kind {
        AccountKind::Personal => (actor.key.is_some() || account.owner == actor.user).then_some(MemberRole::Owner),
        AccountKind::Team => repositories.memberships().role_on(account.id, actor.user).await?,
    };
    Ok(role.map(Standing::Role))
}

async fn enter(repositories: &dyn Repositories, actor: &Actor, which: &AccountRef) -> Result<(Account, Standing)> {
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
    let account = found.ok_or(Error::NotFound("account"))?;
    let standing = standing(repositories, actor, &account).await?.ok_or(Error::NotFound("account"))?;
    Ok((account, standing))
}

/// Who draws from an account through a key is its owner or a member; anybody else acts as a service, and must say so.
pub(super) async fn hold_to_members(
    repositories: &dyn Repositories,
    account: &Account,
    user: UserId,
    scopes: &[Scope],
) -> Result<()> {
    let belongs = match account.kind {
        AccountKind::Personal => account.owner == user,
        AccountKind::Team => repositories.memberships().role_on(account.id, user).await?.is_some(),
    };
    if belongs || scopes.contains(&Scope::Service) {
        Ok(())
    } else {
        Err(Error::Forbidden("An API key on somebody else's account needs the scope service."))
    }
}
