//! Finding the rows of many pairs of account and value with few statements.

use super::columns::padded;
use super::error::store_error;
use domain::store::StoreResult;
use sea_orm::sea_query::{ExprTrait, ValueType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, Iden, QueryFilter, Statement, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Most accounts that one statement names one by one: SQLite takes expressions 1 000 deep, and each `OR` is one more.
const MAX_ACCOUNTS: usize = 256;
/// Most values looked up by one statement; padding at most doubles them.
const MAX_VALUES: usize = 8_192;

/// The rows whose account and value are one of the pairs; each pair names at most one row.
pub async fn find<E, T>(
    conn: &impl ConnectionTrait,
    pairs: Vec<(Uuid, T)>,
    (account_column, value_column): (E::Column, E::Column),
) -> StoreResult<Vec<E::Model>>
where
    E: EntityTrait,
    T: Into<Value> + ValueType + Clone,
{
    let backend = conn.get_database_backend();
    if backend == DbBackend::Postgres {
        let statement = each::<E, T>(pairs, account_column, value_column);
        return E::find().from_raw_sql(statement).all(conn).await.map_err(store_error);
    }
    let mut found = Vec::new();
    for any in any_of_accounts(pairs, account_column, value_column) {
        found.extend(E::find().filter(any).all(conn).await.map_err(store_error)?);
    }
    Ok(found)
}

/// PostgreSQL: one look-up in the index for each pair, whatever the planner thinks of the table's size, and one
/// statement text for any number of pairs.
fn each<E: EntityTrait, T: Into<Value> + ValueType>(
    pairs: Vec<(Uuid, T)>,
    account_column: E::Column,
    value_column: E::Column,
) -> Statement {
    let (accounts, values): (Vec<Value>, Vec<Value>) =
        pairs.into_iter().map(|(account, value)| (Value::from(account), value.into())).unzip();
    let (table, account, value) = (
        E::default().table_name().to_owned(),
        account_column.unquoted().to_owned(),
        value_column.unquoted().to_owned(),
    );
    let kind = T::array_type();
    let kind_name = if kind == Uuid::array_type() { "uuid" } else { "text" };
    let text = format!(
        "SELECT found.* FROM UNNEST($1::uuid[],$2::{kind_name}[]) AS wanted(account,value) CROSS JOIN LATERAL \
         (SELECT * FROM {table} WHERE {account}=wanted.account AND {value}=wanted.value LIMIT 1) AS found"
    );
    let array = |kind, values| Value::Array(kind, Some(Box::new(values)));
    Statement::from_sql_and_values(
        DbBackend::Postgres,
        text,
        [array(Uuid::array_type(), accounts), array(kind, values)],
    )
}

/// Conditions that together name every pair, each small enough for one statement.
fn any_of_accounts<C, T>(pairs: Vec<(Uuid, T)>, account_column: C, value_column: C) -> Vec<Condition>
where
    C: ColumnTrait,
    T: Into<Value> + Clone,
{
    let mut by_account: BTreeMap<Uuid, Vec<T>> = BTreeMap::new();
    for (account, value) in pairs {
        by_account.entry(account).or_default().push(value);
    }
    let groups: Vec<(Uuid, &[T])> = by_account
        .iter()
        .flat_map(|(account, values)| values.chunks(MAX_VALUES).map(|chunk| (*account, chunk)))
        .collect();
    statement_groups(&groups)
        .map(|groups| {
            groups.iter().fold(Condition::any(), |any, (account, values)| {
                let own = account_column.eq(*account).and(value_column.is_in(padded(values.to_vec())));
                any.add(own)
            })
        })
        .collect()
}

/// Splits groups so that no statement has too many of them or of their values.
fn statement_groups<'a, T>(groups: &'a [(Uuid, &'a [T])]) -> impl Iterator<Item = Vec<(Uuid, &'a [T])>> {
    groups
        .chunk_by({
            let (mut accounts, mut values) = (1, 0);
            move |before, next| {
                accounts += 1;
                values += before.1.len();
                let fits = accounts <= MAX_ACCOUNTS && values + next.1.len() <= MAX_VALUES;
                if !fits {
                    (accounts, values) = (1, 0);
                }
                fits
            }
        })
        .map(|chunk| {
            let mut chunk = chunk.to_vec();
            // Padded with one value of the last account, so that few statement texts serve all batches.
            if let Some((account, values)) = chunk.last().copied() {
                chunk.resize(chunk.len().next_power_of_two(), (account, &values[..1]));
            }
            chunk
        })
}
