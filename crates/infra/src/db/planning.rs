//! How databases are to plan our statements, and for how long PostgreSQL keeps a plan.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryOrder, Select};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Planning a large multi-row statement anew costs more than running it. A plan made for an empty table would scan it, and every
/// query of ours has an index.
pub const POSTGRES_PLANNING: [(&str, &str); 3] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("jit", "off")];

/// Without a transaction a bare ROLLBACK would write a warning into the server's log at every release.
const RESET: &str = "BEGIN; ROLLBACK";
/// As `RESET`, and the next run of each prepared statement plans it anew.
const RESET_AND_REPLAN: &str = "BEGIN; ROLLBACK; DISCARD PLANS";

/// What the connections of a pool are told when they return to it.
///
/// For a table that was analysed while it was empty all indexes cost the same, and PostgreSQL may look a row up by one that does
/// not begin with what is looked for. Such a plan reads the whole index, more as the table grows, and stays until somebody analyses
/// the table. So each second the first connection that comes back to the pool forgets its plans, and the next ones are made for
/// the size that the table has then: one that is in use keeps a plan for about as many seconds as the pool has connections.
pub struct Resets {
    began: Instant,
    second: AtomicU64,
}

impl Resets {
    pub fn new() -> Self {
        Self { began: Instant::now(), second: AtomicU64::new(0) }
    }

    pub fn next(&self) -> &'static str {
        let second = self.began.elapsed().as_secs();
        if self.second.fetch_max(second, Ordering::Relaxed) < second { RESET_AND_REPLAN } else { RESET }
    }
}

/// Orders first by a column that is NULL in every row. PostgreSQL sees the order of an index that begins with it only when it
/// is named, MariaDB only when it is not: else each call reads and sorts all that waits.
pub fn nulls_in_order<E: EntityTrait>(conn: &impl ConnectionTrait, query: Select<E>, column: E::Column) -> Select<E> {
    match conn.get_database_backend() {
        DbBackend::MySql => query,
        _ => query.order_by_asc(column),
    }
}

/// That a column is NULL, of rows that are named by their ids as well. Knowing no sizes, SQLite would rather search an index of
/// that column than one of many ids, and read all that waits; a plus keeps it from that.
pub fn still_null(backend: DbBackend, column: impl ColumnTrait) -> Expr {
    match backend {
        DbBackend::Sqlite => Expr::cust_with_expr("+? IS NULL", column.into_expr()),
        _ => column.is_null(),
    }
}
