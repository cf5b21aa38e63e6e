//! The audit log's chain, within the auditor's snapshot.

use super::{Listener, Violation};
use crate::db::audit::{chain_head, chain_rows, count_unchained};
use domain::audit_chain::ChainCheck;
use domain::store::StoreResult;
use sea_orm::ConnectionTrait;

/// Rows in memory at a time.
const ROWS: u32 = 1_000;

/// Walks the chain to its first fault: after that nothing can be said about the rest.
pub(super) async fn check<C: ConnectionTrait>(
    connection: &C,
    invariant: &'static str,
    listener: &mut dyn Listener,
) -> StoreResult<()> {
    let mut check = ChainCheck::default();
    let head = chain_head(connection).await?;
    loop {
        let rows = chain_rows(connection, check.position(), ROWS).await?;
        for row in &rows {
            if let Err(broken) = check.row(row) {
                listener.found(Violation { invariant, account: None, id: Some(row.id), detail: broken.to_string() });
                return Ok(());
            }
        }
        if rows.len() < ROWS as usize {
            break;
        }
    }
    if let Err(broken) = check.finish(&head, count_unchained(connection).await?) {
        listener.found(Violation { invariant, account: None, id: None, detail: broken.to_string() });
    }
    Ok(())
}
