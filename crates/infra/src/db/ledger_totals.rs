//! The sums of the book: what all transfers moved into and out of each kind of ledger account.

use super::columns::{currency, read_wide, wide_sum};
use super::error::store_error;
use domain::money::Currency;
use domain::store::StoreResult;
use domain::wallet::LedgerTotal;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use std::collections::BTreeMap;

/// One pass over the transfers, grouped by both sides.
pub async fn load<C: ConnectionTrait>(conn: &C) -> StoreResult<Vec<LedgerTotal>> {
    let backend = conn.get_database_backend();
    let text = format!(
        "SELECT from_code, to_code, currency, {} FROM ledger_transfers GROUP BY from_code, to_code, currency",
        wide_sum(backend, "amount", "amount"),
    );
    let rows = conn.query_all_raw(Statement::from_string(backend, text)).await.map_err(store_error)?;
    let mut totals = BTreeMap::new();
    for row in &rows {
        add(&mut totals, row)?;
    }
    let total = |((code, currency), (received, paid))| LedgerTotal { code, currency, received, paid };
    Ok(totals.into_iter().map(total).collect())
}

type Totals = BTreeMap<(String, Currency), (i128, i128)>;

fn add(totals: &mut Totals, row: &QueryResult) -> StoreResult<()> {
    let text = |column: &str| row.try_get::<String>("", column).map_err(store_error);
    let currency = currency(&text("currency")?, "ledger_transfers")?;
    let amount = read_wide(row, "amount")?;
    totals.entry((text("to_code")?, currency)).or_default().0 += amount;
    totals.entry((text("from_code")?, currency)).or_default().1 += amount;
    Ok(())
}
