//! Finding the rows of many pairs of account and value with few statements, from few texts.

use super::bulk::{Dialect, documents};
use super::columns::padded;
use super::error::store_error;
use super::repos::Repos;
use domain::store::StoreResult;
use sea_orm::sea_query::{ArrayType, ExprTrait, ValueType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Iden, QueryFilter, Statement, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Most accounts that one statement of conditions names one by one.
const MAX_ACCOUNTS: usize = 256;
/// Most values looked up by one statement; padding at most doubles them.
const MAX_VALUES: usize = 8_192;

/// The rows whose account and value are one of the pairs; each pair names at most one row, and a pair given twice may give
/// it twice.
pub async fn find<E, T>(
    repos: &Repos<impl ConnectionTrait>,
    pairs: Vec<(Uuid, T)>,
    (account_column, value_column): (E::Column, E::Column),
) -> StoreResult<Vec<E::Model>>
where
    E: EntityTrait,
    T: Into<Value> + ValueType + Clone,
{
    let (conn, dialect) = (&repos.conn, repos.shared.dialect);
    let mut found = Vec::new();
    if dialect == Dialect::Bound {
        for any in any_of_accounts(pairs, account_column, value_column) {
            found.extend(E::find().filter(any).all(conn).await.map_err(store_error)?);
        }
        return Ok(found);
    }
    let names = Names::of::<E>(account_column, value_column);
    for pairs in pairs.chunks(MAX_VALUES) {
        let pairs = pairs.iter().cloned().map(|(account, value)| (Value::from(account), value.into())).collect();
        let (text, values) = names.each(dialect, &T::array_type(), pairs);
        let statement = Statement::from_sql_and_values(conn.get_database_backend(), text, values);
        found.extend(E::find().from_raw_sql(statement).all(conn).await.map_err(store_error)?);
    }
    Ok(found)
}

/// The table and its columns of the pairs.
struct Names {
    table: String,
    account: String,
    value: String,
}

impl Names {
    fn of<E: EntityTrait>(account: E::Column, value: E::Column) -> Self {
        let table = E::default().table_name().to_owned();
        Self { table, account: account.unquoted().to_owned(), value: value.unquoted().to_owned() }
    }

    /// One look-up in the index for each pair, whatever the planner thinks of the table's size; SQLite's has no statistics.
    fn each(&self, dialect: Dialect, kind: &ArrayType, pairs: Vec<(Value, Value)>) -> (String, Vec<Value>) {
        match dialect {
            Dialect::Arrays => self.of_arrays(kind, pairs),
            Dialect::Documents => self.of_a_document(kind, &pairs),
            Dialect::Padded | Dialect::Bound => self.of_places(pairs),
        }
    }

    fn of_arrays(&self, kind: &ArrayType, pairs: Vec<(Value, Value)>) -> (String, Vec<Value>) {
        let Self { table, account, value } = self;
        let (accounts, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let kind_name = if *kind == ArrayType::Uuid { "uuid" } else { "text" };
        let text = format!(
            "SELECT found.* FROM UNNEST($1::uuid[],$2::{kind_name}[]) AS wanted(account,value) CROSS JOIN LATERAL \
             (SELECT * FROM {table} WHERE {account}=wanted.account AND {value}=wanted.value LIMIT 1) AS found"
        );
        let array = |kind, values| Value::Array(kind, Some(Box::new(values)));
        (text, vec![array(ArrayType::Uuid, accounts), array(kind.clone(), values)])
    }

    fn of_a_document(&self, kind: &ArrayType, pairs: &[(Value, Value)]) -> (String, Vec<Value>) {
        let Self { table, account, value } = self;
        let kinds = [&ArrayType::Uuid, kind];
        let (wanted_account, wanted_value) = (documents::taken(0, kinds[0]), documents::taken(1, kinds[1]));
        let text = format!(
            "SELECT found.* FROM {} STRAIGHT_JOIN {table} AS found \
             ON found.{account}={wanted_account} AND found.{value}={wanted_value}",
            documents::table(&kinds)
        );
        let rows = pairs.iter().map(|(account, value)| vec![documents::json(account), documents::json(value)]);
        (text, vec![documents::document(rows)])
    }

    /// SQLite: a place that nothing is bound to is NULL and equals nothing.
    fn of_places(&self, pairs: Vec<(Value, Value)>) -> (String, Vec<Value>) {
        let Self { table, account, value } = self;
        let places = vec!["(?,?)"; pairs.len().next_power_of_two()].join(",");
        let text = format!(
            "SELECT found.* FROM (VALUES {places}) AS wanted CROSS JOIN {table} AS found \
             ON found.{account}=wanted.column1 AND found.{value}=wanted.column2"
        );
        (text, pairs.into_iter().flat_map(|(account, value)| [account, value]).collect())
    }
}

/// MySQL: conditions that together name every pair, each small enough for one statement.
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
