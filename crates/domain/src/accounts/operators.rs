//! Use cases of operators: who is a user, what they may do, and whether an account may consume.

use super::account::{Account, AccountStatus, read_external_id};
use super::account_search::AccountSearch;
use crate::actor::{Actor, Role};
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::identity::{User, UserSearch, UserStatus};
use crate::page::{Page, PageRequest};
use crate::store::{Repositories, Store, StoreError, retrying};
use crate::time::Clock;
use serde_json::{Value, json};
use std::sync::Arc;

/// What an operator changes about a user.
#[derive(Clone, Debug, Default)]
pub struct UserOrder {
    pub status: Option<UserStatus>,
    /// For roots only.
    pub role: Option<Role>,
    pub external_id: Change<String>,
}

/// What an operator changes about an account.
#[derive(Clone, Debug, Default)]
pub struct AccountOrder {
    pub status: Option<AccountStatus>,
    pub external_id: Change<String>,
}

#[derive(Clone)]
pub struct OperatorService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl OperatorService {
    /// All users, or those who are looked for.
    pub async fn list_users(
        &self,
        actor: &Actor,
        search: Option<&UserSearch>,
        page: PageRequest,
    ) -> Result<Page<User>> {
        actor.require_admin()?;
        let users = self.store.users();
        Ok(match search {
            Some(search) => users.search(search, page).await?,
            None => users.list(page).await?,
        })
    }

    /// All accounts, or those that are looked for.
    pub async fn list_accounts(
        &self,
        actor: &Actor,
        search: Option<&AccountSearch>,
        page: PageRequest,
    ) -> Result<Page<Account>> {
        actor.require_admin()?;
        let accounts = self.store.accounts();
        Ok(match search {
            Some(search) => accounts.search(search, page).await?,
            None => accounts.list(page).await?,
        })
    }

    /// Disabling a user ends the user's sessions and revokes the keys; a role below admin, those only operators have.
    pub async fn update_user(&self, actor: &Actor, id: UserId, order: UserOrder) -> Result<User> {
        actor.require_admin()?;
        retrying!(self.store, self.write_user(actor, id, order.clone()))
    }

    async fn write_user(&self, actor: &Actor, id: UserId, order: UserOrder) -> Result<User> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        // Before the user, so that two roots who step down at once wait for each other.
        let roots = work.users().lock_roots().await?;
        let before = work.users().lock(id).await?.ok_or(Error::NotFound("user"))?;
        let after = User { updated_at: now, ..ordered(actor, before.clone(), order)? };
        refuse_without_root(&before, &after, &roots)?;
        work.users().save(&after).await.map_err(taken_id)?;
        if before.may_act() && !after.may_act() {
            work.sessions().end_all(id, None).await?;
            work.api_keys().revoke_all(id, None, now).await?;
        } else if before.role >= Role::Admin && after.role < Role::Admin {
            work.api_keys().revoke_operating(id, now).await?;
        }
        work.audit().append(&AuditEvent::by(actor, "user.update", id, now).with(rights(&before, &after))).await?;
        work.commit().await?;
        Ok(after)
    }

    /// Freezes or releases an account, or names it as the host product does.
    pub async fn update_account(&self, actor: &Actor, id: AccountId, order: AccountOrder) -> Result<Account> {
        actor.require_admin()?;
        let external_id = order.external_id.try_map(|text| read_external_id(&text))?;
        let order = AccountOrder { external_id, ..order };
        retrying!(self.store, self.write_account(actor, id, order.clone()))
    }

    async fn write_account(&self, actor: &Actor, id: AccountId, order: AccountOrder) -> Result<Account> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let before = work.accounts().lock(id).await?.ok_or(Error::NotFound("account"))?;
        refuse_operators_account(&*work, actor, &before).await?;
        let after = Account {
            external_id: order.external_id.apply(before.external_id.clone()),
            status: order.status.unwrap_or(before.status),
            updated_at: now,
            ..before.clone()
        };
        work.accounts().save(&after).await.map_err(taken_id)?;
        let event = AuditEvent::by(actor, "account.update", id, now).on_account(id);
        work.audit().append(&event.with(standing(&before, &after))).await?;
        work.commit().await?;
        Ok(after)
    }
}

/// The user after the order. Operators do not touch their equals; only roots give roles.
fn ordered(actor: &Actor, user: User, order: UserOrder) -> Result<User> {
    if actor.role < Role::Root && user.role >= actor.role {
        return Err(Error::Forbidden("Only a root may change an operator."));
    }
    if order.role.is_some() && (actor.role < Role::Root || actor.key.is_some()) {
        return Err(Error::Forbidden("Only a root in a session may give a role."));
    }
    let external_id = order.external_id.try_map(|text| read_external_id(&text))?;
    Ok(User {
        status: order.status.unwrap_or(user.status),
        role: order.role.unwrap_or(user.role),
        external_id: external_id.apply(user.external_id),
        ..user
    })
}

/// What an operator owns, only a root freezes or renames.
async fn refuse_operators_account(work: &dyn Repositories, actor: &Actor, account: &Account) -> Result<()> {
    if actor.role >= Role::Root {
        return Ok(());
    }
    match work.users().find(account.owner).await? {
        Some(owner) if owner.role >= actor.role => {
            Err(Error::Forbidden("Only a root may change an operator's account."))
        }
        _ => Ok(()),
    }
}

/// Somebody must stay who can give roles.
fn refuse_without_root(before: &User, after: &User, roots: &[UserId]) -> Result<()> {
    let is_root = |user: &User| user.role == Role::Root && user.may_act();
    if is_root(before) && !is_root(after) && roots == [before.id] {
        return Err(Error::conflict("conflict", "This is the last root."));
    }
    Ok(())
}

fn rights(before: &User, after: &User) -> Value {
    let of = |user: &User| {
        let (role, status) = (user.role.as_str(), user.status.as_str());
        json!({ "role": role, "status": status, "external_id": user.external_id })
    };
    json!({ "before": of(before), "after": of(after) })
}

fn standing(before: &Account, after: &Account) -> Value {
    let of = |account: &Account| json!({ "status": account.status.as_str(), "external_id": account.external_id });
    json!({ "before": of(before), "after": of(after) })
}

/// Nothing else that is unique changes in these orders.
fn taken_id(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate => Error::conflict("conflict", "The external_id is taken."),
        error => error.into(),
    }
}
