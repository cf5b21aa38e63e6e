//! Where accounts are kept, and who shares them. `insert` and `save` answer `Duplicate` when an external id is taken.

use super::account::Account;
use super::account_search::AccountSearch;
use super::rights::MemberRole;
use crate::error::Result;
use crate::id::{AccountId, UserId};
use crate::identity::User;
use crate::page::{Page, PageRequest};
use crate::store::{Repositories, StoreResult};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait AccountRepository: Send + Sync {
    async fn find(&self, id: AccountId) -> StoreResult<Option<Account>>;

    /// Finds and locks the row until the unit of work ends.
    async fn lock(&self, id: AccountId) -> StoreResult<Option<Account>>;

    /// Locks the accounts that exist, by ascending id, until the unit of work ends.
    async fn lock_many(&self, ids: &[AccountId]) -> StoreResult<Vec<Account>>;

    /// The account to which the host product gave this id.
    async fn find_by_external_id(&self, external_id: &str) -> StoreResult<Option<Account>>;

    /// The accounts of these ids that exist, in any order.
    async fn find_many(&self, ids: &[AccountId]) -> StoreResult<Vec<Account>>;

    async fn insert(&self, account: &Account) -> StoreResult<()>;

    /// Writes every field of an account that exists; lock first.
    async fn save(&self, account: &Account) -> StoreResult<()>;

    /// For operators: all accounts, newest first.
    async fn list(&self, page: PageRequest) -> StoreResult<Page<Account>>;

    /// For operators: the accounts that are looked for; by name or external id in that order, else newest first.
    async fn search(&self, search: &AccountSearch, page: PageRequest) -> StoreResult<Page<Account>>;
}

/// Who shares an account: the part of a team's memberships that deciding access needs.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait MembershipRepository: Send + Sync {
    /// The role of an active member; `None` for everybody else.
    async fn role_on(&self, account: AccountId, user: UserId) -> StoreResult<Option<MemberRole>>;
}

/// Who has just become a user.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    pub user: &'a User,
    /// The personal account; nobody else sees its row before the commit.
    pub account: &'a Account,
    /// The code that somebody else gave them, as they wrote it.
    pub invited_with: Option<&'a str>,
}

/// What later contexts do when somebody becomes a user, in the same unit of work.
#[async_trait]
pub trait RegistrationHook: Send + Sync {
    /// A code that is nobody's is `Invalid` and undoes the registration.
    async fn registered(&self, work: &dyn Repositories, newcomer: Newcomer<'_>, now: DateTime<Utc>) -> Result<()>;
}

/// Nothing else happens.
#[async_trait]
impl RegistrationHook for () {
    async fn registered(&self, _: &dyn Repositories, _: Newcomer<'_>, _: DateTime<Utc>) -> Result<()> {
        Ok(())
    }
}
