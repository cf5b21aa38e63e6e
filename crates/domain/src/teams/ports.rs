//! What teams keep, and what they ask of later contexts. Whoever writes holds the lock on the account's row.
//!
//! `insert` and `save` answer `Duplicate` when a code is taken.

use super::{Invitation, Membership, MembershipStatus, Team};
use crate::accounts::Account;
use crate::error::Result;
use crate::id::{AccountId, InvitationId, TeamId, UserId};
use crate::page::{Page, PageRequest};
use crate::quantity::Quantity;
use crate::store::{Repositories, StoreResult};
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Teams, deleted ones too.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait TeamRepository: Send + Sync {
    async fn find(&self, id: TeamId) -> StoreResult<Option<Team>>;

    async fn find_by_invite_code(&self, code: &str) -> StoreResult<Option<Team>>;

    /// The teams of these accounts, in any order.
    async fn of_accounts(&self, accounts: &[AccountId]) -> StoreResult<Vec<Team>>;

    async fn insert(&self, team: &Team) -> StoreResult<()>;

    async fn save(&self, team: &Team) -> StoreResult<()>;
}

/// Memberships with their allocations.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait MemberRepository: Send + Sync {
    async fn find(&self, account: AccountId, user: UserId) -> StoreResult<Option<Membership>>;

    /// Those of the pairs that exist, in any order: two statements, however many.
    async fn find_many(&self, pairs: &[(AccountId, UserId)]) -> StoreResult<Vec<Membership>>;

    /// Everybody who ever was in the team or asked to be, by user, newest first; of one status when given.
    async fn list(
        &self,
        account: AccountId,
        status: Option<MembershipStatus>,
        page: PageRequest,
    ) -> StoreResult<Page<Membership>>;

    /// The teams that a user is in or waits for, by account, newest first; without allocations.
    async fn list_of_user(&self, user: UserId, page: PageRequest) -> StoreResult<Page<Membership>>;

    /// How many members of that status the team has.
    async fn count(&self, account: AccountId, status: MembershipStatus) -> StoreResult<u64>;

    /// How many teams the user owns.
    async fn count_owned(&self, user: UserId) -> StoreResult<u64>;

    /// Ends every membership that is not over.
    async fn end_all(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<()>;

    /// A new row; its allocations are not written.
    async fn insert(&self, member: &Membership) -> StoreResult<()>;

    /// Writes every field but the allocations.
    async fn save(&self, member: &Membership) -> StoreResult<()>;

    /// Caps a member's use of a meter, or with `None` lifts the cap.
    async fn allocate(
        &self,
        account: AccountId,
        user: UserId,
        meter: &str,
        quantity: Option<Quantity>,
    ) -> StoreResult<()>;
}

/// Invitations, ended ones too.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait InvitationRepository: Send + Sync {
    async fn find(&self, account: AccountId, id: InvitationId) -> StoreResult<Option<Invitation>>;

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Invitation>>;

    /// How many can be accepted at `now`.
    async fn count_open(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64>;

    /// Newest first.
    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<Invitation>>;

    /// Ends every one that is open, and forgets the addresses.
    async fn end_all(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<()>;

    async fn insert(&self, invitation: &Invitation) -> StoreResult<()>;

    async fn save(&self, invitation: &Invitation) -> StoreResult<()>;
}

/// What a team must know of its subscription, which a later context has.
#[async_trait]
pub trait TeamPlans: Send + Sync {
    /// How many members the subscription pays for at `now`.
    async fn seats(&self, repositories: &dyn Repositories, account: &Account, now: DateTime<Utc>) -> Result<u32>;

    /// Ends the subscription with its term, in the unit of work that deletes the team.
    async fn close(&self, work: &dyn Repositories, account: &Account, now: DateTime<Utc>) -> Result<()>;
}
