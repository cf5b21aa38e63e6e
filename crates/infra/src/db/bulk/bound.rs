//! SQLite and MySQL: every value is bound. The number of rows is part of the text; texts are kept few.

use super::filled::inserted;
use super::{Existing, conflict};
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, Iden, ModelTrait, Value};

/// Most bound values of one statement: SQLite's limit is the lowest, 32 766.
const MAX_BINDS: usize = 30_000;
/// MySQL: up to here every number of rows has a text of its own; above, multiples of it and a rest.
const GRID: usize = 128;

/// As few statements as the limit on bound values allows.
pub fn statements<E: EntityTrait>(
    rows: &[E::Model],
    existing: Existing,
    backend: DbBackend,
    padded: bool,
) -> impl Iterator<Item = (String, Vec<Value>)> {
    let most = (MAX_BINDS / inserted::<E>().len().max(1)).max(1);
    runs(rows, most, padded).map(move |(run, places)| {
        let given = given::<E>(places, padded);
        (text::<E>(&given, existing, backend), values::<E>(run))
    })
}

/// Runs of rows, each with the number of rows that its text has places for.
///
/// Padded, that is a power of two; SQLite takes what nothing is bound to for NULL. MySQL wants every place bound: there it
/// is the run's own number.
fn runs<T>(rows: &[T], most: usize, padded: bool) -> impl Iterator<Item = (&[T], usize)> {
    let most = if padded { 1 << most.ilog2() } else { (most / GRID).max(1) * GRID };
    let mut rest = rows;
    std::iter::from_fn(move || {
        let whole = padded || rest.len() <= GRID;
        let size = if whole { rest.len() } else { rest.len() / GRID * GRID }.min(most);
        let (run, after) = rest.split_at_checked(size)?;
        rest = after;
        let places = if padded { size.next_power_of_two() } else { size };
        (!run.is_empty()).then_some((run, places))
    })
}

/// As many rows as places were filled.
fn given<E: EntityTrait>(places: usize, padded: bool) -> String {
    let row = format!("({})", vec!["?"; inserted::<E>().len()].join(","));
    let all = format!("VALUES {}", vec![row.as_str(); places].join(","));
    if padded && places > 1 { format!("SELECT * FROM ({all}) WHERE {} IS NOT NULL", never_null::<E>()) } else { all }
}

fn text<E: EntityTrait>(given: &str, existing: Existing, backend: DbBackend) -> String {
    let table = E::default().table_name().to_owned();
    let names: Vec<String> = inserted::<E>().iter().map(|column| column.unquoted().to_owned()).collect();
    format!("INSERT INTO {table} ({}) {given}{}", names.join(","), conflict(existing, &table, backend))
}

/// SQLite's name for a column of `VALUES` that no row lacks.
fn never_null<E: EntityTrait>() -> String {
    let place = inserted::<E>().iter().position(|column| !column.def().is_null());
    format!("column{}", place.unwrap_or(0) + 1)
}

fn values<E: EntityTrait>(rows: &[E::Model]) -> Vec<Value> {
    let columns = inserted::<E>();
    rows.iter().flat_map(|row| columns.iter().map(|column| row.get(*column))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::entity::wallet::Entity;

    fn cut(total: usize, most: usize, padded: bool) -> Vec<(usize, usize)> {
        let rows: Vec<usize> = (0..total).collect();
        let runs: Vec<(&[usize], usize)> = runs(&rows, most, padded).collect();
        assert_eq!(runs.iter().flat_map(|(run, _)| run.to_vec()).collect::<Vec<_>>(), rows);
        runs.into_iter().map(|(run, places)| (run.len(), places)).collect()
    }

    #[test]
    fn sqlite_has_a_text_for_each_power_of_two_and_one_statement_for_all_that_the_limit_allows() {
        for (total, runs) in [
            (0, vec![]),
            (1, vec![(1, 1)]),
            (3, vec![(3, 4)]),
            (64, vec![(64, 64)]),
            (500, vec![(500, 512)]),
            (2_000, vec![(1_024, 1_024), (976, 1_024)]),
        ] {
            assert_eq!(cut(total, 1_363, true), runs);
        }
    }

    #[test]
    fn mysql_has_a_run_on_the_grid_and_a_rest_with_every_place_filled() {
        for (total, sizes) in [
            (0, vec![]),
            (1, vec![1]),
            (128, vec![128]),
            (129, vec![128, 1]),
            (500, vec![384, 116]),
            (2_000, vec![1_280, 640, 80]),
        ] {
            let runs = sizes.into_iter().map(|size| (size, size)).collect::<Vec<_>>();
            assert_eq!(cut(total, 1_363, false), runs);
        }
    }

    #[test]
    fn a_place_that_is_left_empty_is_no_row() {
        let row = "(?,?,?,?,?)";
        assert_eq!(given::<Entity>(1, true), format!("VALUES {row}"));
        assert_eq!(given::<Entity>(2, true), format!("SELECT * FROM (VALUES {row},{row}) WHERE column1 IS NOT NULL"));
        assert_eq!(given::<Entity>(2, false), format!("VALUES {row},{row}"));
    }
}
