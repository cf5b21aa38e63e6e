//! Use cases of operators: who is a user, what they may do, and whether an account may consume.

use super::account::{Account, AccountStatus, read_external_id};
use crate::actor::{Actor, Role};
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::identity::{User, UserStatus};
use crate::page::{Page, PageRequest};
use crate::store::{Store, StoreError, retrying};
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
    pub async fn list_users(&self, actor: &Actor, page: PageRequest) -> Result<Page<User>> {
        actor.require_admin()?;
        Ok(self.store.users().list(page).await?)
    }

    pub async fn list_accounts(&self, actor: &Actor, page: PageRequest) -> Result<Page<Account>> {
        actor.require_admin()?;
        Ok(self.store.accounts().list(page).await?)
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
        let mut account = work.accounts().lock(id).await?.ok_or(Error::NotFound("account"))?;
        account.external_id = order.external_id.apply(account.external_id);
        account.status = order.status.unwrap_or(account.status);
        account.updated_at = now;
        work.accounts().save(&account).await.map_err(taken_id)?;
        let event = AuditEvent::by(actor, "account.update", id, now).on_account(id);
        work.audit().append(&event.with(json!({ "status": account.status.as_str() }))).await?;
        work.commit().await?;
        Ok(account)
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

/// Somebody must stay who can give roles.
fn refuse_without_root(before: &User, after: &User, roots: &[UserId]) -> Result<()> {
    let is_root = |user: &User| user.role == Role::Root && user.may_act();
    if is_root(before) && !is_root(after) && roots == [before.id] {
        return Err(Error::conflict("conflict", "This is the last root."));
    }
    Ok(())
}

fn rights(before: &User, after: &User) -> Value {
    let of = |user: &User| json!({ "role": user.role.as_str(), "status": user.status.as_str() });
    json!({ "before": of(before), "after": of(after) })
}

/// Nothing else that is unique changes in these orders.
fn taken_id(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate => Error::conflict("conflict", "The external_id is taken."),
        error => error.into(),
    }
}
