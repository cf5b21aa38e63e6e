//! The index of ports and the unit of work through which services reach them.

use async_trait::async_trait;
use thiserror::Error;

/// What storage can answer besides a row.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A unique key exists already; look again and decide anew.
    #[error("duplicate key")]
    Duplicate,
    /// Another unit of work was in the way; the same call may succeed now.
    #[error("contended")]
    Contended,
    /// A row breaks a promise of the domain: our defect, never the caller's.
    #[error("corrupt column {table}.{column}")]
    Corrupt { table: &'static str, column: &'static str },
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type StoreResult<T> = Result<T, StoreError>;

/// Every port over one connection or one transaction.
pub trait Repositories: Send + Sync {
    fn users(&self) -> &dyn crate::identity::UserRepository;
    fn sessions(&self) -> &dyn crate::identity::SessionRepository;
    fn api_keys(&self) -> &dyn crate::identity::ApiKeyRepository;
    fn throttles(&self) -> &dyn crate::identity::ThrottleRepository;
    fn accounts(&self) -> &dyn crate::accounts::AccountRepository;
}

/// The database. Reading through it sees committed data.
#[async_trait]
pub trait Store: Repositories {
    async fn begin(&self) -> StoreResult<Box<dyn UnitOfWork>>;
}

/// A transaction. Dropping it without `commit` undoes everything.
#[async_trait]
pub trait UnitOfWork: Repositories {
    async fn commit(self: Box<Self>) -> StoreResult<()>;
}
