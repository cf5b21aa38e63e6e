//! Giving many rows new values with one statement, as far as they still are what the caller thinks.

use super::filled::Filled;
use super::{Dialect, arrays, documents, execute};
use domain::store::StoreResult;
use sea_orm::{ConnectionTrait, EntityTrait, Iden, ModelTrait, Value};

/// Most rows of one statement: of up to 15 columns they are within SQLite's limit on bound values.
const MAX_ROWS: usize = 2_048;
/// Most rows of one statement of cases, which compares each row with each of them.
const MAX_CASES: usize = 128;

/// What changes of which rows. The caller holds them locked, or finds by the count that somebody changed one meanwhile.
pub struct Update<E: EntityTrait> {
    /// The columns of a unique index; the last of them tells any two rows apart.
    pub key: &'static [E::Column],
    pub set: &'static [E::Column],
    /// A column and the word it has to hold, or the row stays as it is.
    pub only: Option<(E::Column, &'static str)>,
}

impl<E: EntityTrait> Update<E> {
    /// What a row has of the columns.
    pub fn values_of(&self, row: &E::Model) -> Vec<Value> {
        self.columns().map(|column| row.get(column)).collect()
    }

    fn columns(&self) -> impl Iterator<Item = E::Column> {
        self.key.iter().chain(self.set).copied()
    }

    /// How many rows changed. Each is its values of the columns of the key and of what is set, in that order.
    pub async fn execute(
        &self,
        conn: &impl ConnectionTrait,
        dialect: Dialect,
        rows: &[Vec<Value>],
    ) -> StoreResult<u64> {
        let (mut changed, table) = (0, E::default().table_name().to_owned());
        for rows in rows.chunks(if dialect == Dialect::Bound { MAX_CASES } else { MAX_ROWS }) {
            let given = Filled::each::<E>(self.columns(), rows);
            let (text, values) = match dialect {
                Dialect::Arrays => self.of_arrays(&table, &given),
                Dialect::Documents => self.of_a_document(&table, &given),
                Dialect::Padded => self.of_places(&table, &given),
                Dialect::Bound => self.of_cases(&table, &given),
            };
            changed += execute(conn, conn.get_database_backend(), text, values).await?;
        }
        Ok(changed)
    }

    /// Each row is found by its key and by nothing else, whatever the planner thinks of the table.
    fn of_arrays(&self, table: &str, given: &[Filled]) -> (String, Vec<Value>) {
        let (from, values) = arrays::table(given);
        let sources: Vec<String> =
            given.iter().enumerate().map(|(place, column)| arrays::taken(place, column)).collect();
        let text = format!(
            "UPDATE {table} SET {} FROM {from} CROSS JOIN LATERAL (SELECT kept.ctid AS place FROM {table} AS kept \
             WHERE {} LIMIT 1) AS found WHERE {table}.ctid=found.place{}",
            self.sets("", &sources),
            self.same("kept", &sources),
            self.only_unindexed(table),
        );
        (text, values)
    }

    fn of_a_document(&self, table: &str, given: &[Filled]) -> (String, Vec<Value>) {
        let kinds: Vec<_> = given.iter().map(|column| &column.kind).collect();
        let sources: Vec<String> =
            kinds.iter().enumerate().map(|(place, kind)| documents::taken(place, kind)).collect();
        let text = format!(
            "UPDATE {} STRAIGHT_JOIN {table} AS kept ON {}{} SET {}",
            documents::table(&kinds),
            self.same("kept", &sources),
            self.only("kept"),
            self.sets("kept.", &sources),
        );
        let rows =
            (0..count(given)).map(|row| given.iter().map(|column| documents::json(&column.values[row])).collect());
        (text, vec![documents::document(rows)])
    }

    /// SQLite: a place that nothing is bound to is NULL and equals nothing.
    fn of_places(&self, table: &str, given: &[Filled]) -> (String, Vec<Value>) {
        let sources: Vec<String> = (1..=given.len()).map(|place| format!("given.column{place}")).collect();
        let row = format!("({})", vec!["?"; given.len()].join(","));
        let text = format!(
            "UPDATE {table} SET {} FROM (VALUES {}) AS given WHERE {}{}",
            self.sets("", &sources),
            vec![row.as_str(); count(given).next_power_of_two()].join(","),
            self.same(table, &sources),
            self.only_unindexed(table),
        );
        let row = |row: usize| given.iter().map(move |column| column.values[row].clone());
        (text, (0..count(given)).flat_map(row).collect())
    }

    fn of_cases(&self, table: &str, given: &[Filled]) -> (String, Vec<Value>) {
        let (keys, set) = given.split_at(self.key.len());
        let Some(key) = keys.last() else { return (String::new(), Vec::new()) };
        let cases = format!("CASE {}{} END", key.name, " WHEN ? THEN ?".repeat(count(given)));
        let sets = set.iter().map(|column| format!("{}={cases}", column.name)).collect::<Vec<_>>().join(",");
        let any = vec!["?"; count(given)].join(",");
        let any = keys.iter().map(|key| format!("{} IN ({any})", key.name)).collect::<Vec<_>>().join(" AND ");
        let cases = set.iter().flat_map(|column| key.values.iter().zip(&column.values)).flat_map(|(key, to)| [key, to]);
        let values = cases.chain(keys.iter().flat_map(|key| &key.values)).cloned().collect();
        (format!("UPDATE {table} SET {sets} WHERE {any}{}", self.only(table)), values)
    }

    fn sets(&self, of: &str, sources: &[String]) -> String {
        let set = |(column, source): (&E::Column, &String)| format!("{of}{}={source}", column.unquoted());
        self.set.iter().zip(&sources[self.key.len()..]).map(set).collect::<Vec<_>>().join(",")
    }

    fn same(&self, table: &str, sources: &[String]) -> String {
        let same = |(column, source): (&E::Column, &String)| format!("{table}.{}={source}", column.unquoted());
        self.key.iter().zip(sources).map(same).collect::<Vec<_>>().join(" AND ")
    }

    fn only(&self, table: &str) -> String {
        self.only.map_or_else(String::new, |(column, word)| format!(" AND {table}.{}='{word}'", column.unquoted()))
    }

    /// Written so that no index serves it: planners take one that begins with the column for cheap where few rows held the
    /// word when they last looked. Not for MySQL, where `||` is OR.
    fn only_unindexed(&self, table: &str) -> String {
        self.only.map_or_else(String::new, |(column, word)| format!(" AND {table}.{}||''='{word}'", column.unquoted()))
    }
}

fn count(given: &[Filled]) -> usize {
    given.first().map_or(0, |column| column.values.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::entity::reservation::{Column, Entity};

    /// On all databases the rows are then found by their key; that they are changed is for `bulk::tests` and the flows.
    #[test]
    fn no_index_but_that_of_the_key_can_serve() {
        let update = Update::<Entity> {
            key: &[Column::AccountId, Column::Id],
            set: &[Column::EndKey],
            only: Some((Column::Status, "open")),
        };
        let row = vec![Value::from(uuid::Uuid::nil()), Value::from(uuid::Uuid::nil()), Value::from("end")];
        let given = Filled::each::<Entity>(update.columns(), &[row]);
        let (text, values) = update.of_arrays("reservations", &given);
        let found =
            "SELECT kept.ctid AS place FROM reservations AS kept WHERE kept.account_id=v0 AND kept.id=v1 LIMIT 1";
        let sets = "UPDATE reservations SET end_key=NULLIF(v2,'\u{1}') FROM \
                    UNNEST($1::uuid[],$2::uuid[],$3::text[]) AS given(v0,v1,v2)";
        let only = "reservations.ctid=found.place AND reservations.status||''='open'";
        assert_eq!(text, format!("{sets} CROSS JOIN LATERAL ({found}) AS found WHERE {only}"));
        assert_eq!(values.len(), 3);
        let (text, _) = update.of_places("reservations", &given);
        let same = "reservations.account_id=given.column1 AND reservations.id=given.column2";
        let only = "reservations.status||''='open'";
        let sets = "UPDATE reservations SET end_key=given.column3 FROM (VALUES (?,?,?)) AS given";
        assert_eq!(text, format!("{sets} WHERE {same} AND {only}"));
    }
}
