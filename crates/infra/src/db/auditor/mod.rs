//! The auditor: every invariant of the data as SQL of its own, which answers the rows that violate it.
//!
//! It shares nothing with the repositories but the connection, so that a mistake there is not made twice. All of it
//! reads one snapshot, in which every unit of work is there whole or not at all: there is no period of grace, except
//! for the few rules about work that is due, which are asked apart.

mod catalogue;
mod chain;
mod rules;
mod statement;

use super::error::store_error;
use super::pool::{DatabaseSettings, open};
pub use catalogue::{Invariant, Scope, all, find};
use chrono::{DateTime, Utc};
use domain::store::StoreResult;
use futures_util::TryStreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, StreamTrait,
    TransactionOptions, TransactionTrait,
};
use serde::Serialize;
use statement::{Bounds, Facts};
use std::pin::pin;
use uuid::Uuid;

/// Accounts that one statement looks at.
const CHUNK: u64 = 1_000;

/// A row that should not be, or is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub invariant: &'static str,
    pub account: Option<Uuid>,
    /// The row, where it has an id of its own.
    pub id: Option<Uuid>,
    pub detail: String,
}

/// What an audit is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Questions<'q> {
    /// One invariant; all when left out.
    pub only: Option<&'q str>,
    /// With it, also what should have been done by then.
    pub now: Option<DateTime<Utc>>,
}

impl Questions<'_> {
    fn asks(&self, invariant: &Invariant) -> bool {
        self.only.map_or(!invariant.timed || self.now.is_some(), |only| only == invariant.id)
    }
}

/// Who hears how an audit goes on.
pub trait Listener: Send {
    fn found(&mut self, violation: Violation);
    /// So many of so many statements were asked.
    fn progress(&mut self, asked: u64, of: u64);
}

/// Audits a live database in one read-only snapshot; how many invariants were asked.
pub async fn audit(
    settings: &DatabaseSettings,
    questions: Questions<'_>,
    listener: &mut dyn Listener,
) -> StoreResult<usize> {
    let connection = open(settings, 1).await?;
    let snapshot = snapshot(&connection).await?;
    let asked = audit_in(&snapshot, questions, listener).await;
    snapshot.rollback().await.map_err(store_error)?;
    connection.close().await.map_err(store_error)?;
    asked
}

/// Begins the snapshot; the first reading fixes it.
async fn snapshot(connection: &DatabaseConnection) -> StoreResult<DatabaseTransaction> {
    let mut options = TransactionOptions::default();
    let backend = connection.get_database_backend();
    if backend != DbBackend::Sqlite {
        options.isolation_level = Some(IsolationLevel::RepeatableRead);
        options.access_mode = Some(AccessMode::ReadOnly);
    }
    let snapshot = connection.begin_with_options(options).await.map_err(store_error)?;
    if backend == DbBackend::Postgres {
        // The server's own statements are short and indexed; these read whole tables.
        let planned = "SET LOCAL enable_seqscan = on; SET LOCAL plan_cache_mode = force_custom_plan";
        snapshot.execute_unprepared(planned).await.map_err(store_error)?;
    }
    Ok(snapshot)
}

/// Audits what `connection` sees, inside a transaction of the caller.
pub async fn audit_in<C: ConnectionTrait + StreamTrait>(
    connection: &C,
    questions: Questions<'_>,
    listener: &mut dyn Listener,
) -> StoreResult<usize> {
    let facts = Facts::read(connection, questions.now).await?;
    let bounds = Bounds::read(connection, CHUNK).await?;
    let asked: Vec<&Invariant> = all().filter(|invariant| questions.asks(invariant)).collect();
    let rounds = |invariant: &&Invariant| if invariant.scope == Scope::Accounts { bounds.chunks().len() } else { 1 };
    let total = u64::try_from(asked.iter().map(rounds).sum::<usize>()).unwrap_or(u64::MAX);
    let mut done = 0;
    for invariant in &asked {
        if invariant.scope == Scope::Chain {
            chain::check(connection, invariant.id, listener).await?;
            done += 1;
            listener.progress(done, total);
            continue;
        }
        let whole = [Bounds::EVERYTHING];
        let chunks = if invariant.scope == Scope::Accounts { bounds.chunks() } else { &whole[..] };
        for chunk in chunks {
            ask(connection, invariant, (*chunk, &facts), listener).await?;
            done += 1;
            listener.progress(done, total);
        }
    }
    Ok(asked.len())
}

/// Streams the rows that violate one invariant: however many there are, few are in memory.
async fn ask<C: ConnectionTrait + StreamTrait>(
    connection: &C,
    invariant: &'static Invariant,
    (chunk, facts): (statement::Chunk, &Facts),
    listener: &mut dyn Listener,
) -> StoreResult<()> {
    let statement = statement::render(ConnectionTrait::get_database_backend(connection), invariant.sql, chunk, facts);
    let mut rows = pin!(connection.stream_raw(statement).await.map_err(store_error)?);
    while let Some(row) = rows.try_next().await.map_err(store_error)? {
        listener.found(Violation {
            invariant: invariant.id,
            // Rules about the whole book name no account.
            account: row.try_get::<Option<Uuid>>("", "account").ok().flatten(),
            id: row.try_get::<Option<Uuid>>("", "id").ok().flatten(),
            detail: row.try_get("", "detail").map_err(store_error)?,
        });
    }
    Ok(())
}
