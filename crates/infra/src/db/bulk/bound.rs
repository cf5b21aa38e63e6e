//! SQLite and MySQL: every value is bound. The number of rows is part of the text; [`grid`] keeps the texts few.

use super::{Existing, conflict};
use sea_orm::{DbBackend, EntityTrait, Iden, Iterable, ModelTrait, Value};

/// Most bound values of one statement: SQLite's limit is the lowest, 32 766.
const MAX_BINDS: usize = 30_000;
/// Up to here every number of rows has a text of its own; above, multiples of it and a rest.
const GRID: usize = 128;

/// As few statements as the limit on bound values allows.
pub fn statements<E: EntityTrait>(
    rows: &[E::Model],
    existing: Existing,
    backend: DbBackend,
) -> impl Iterator<Item = (String, Vec<Value>)> {
    grid(rows, E::Column::iter().count()).map(move |chunk| statement::<E>(chunk, existing, backend))
}

/// One placeholder for each value of each row.
fn statement<E: EntityTrait>(rows: &[E::Model], existing: Existing, backend: DbBackend) -> (String, Vec<Value>) {
    let table = E::default().table_name().to_owned();
    let names: Vec<String> = E::Column::iter().map(|column| column.unquoted().to_owned()).collect();
    let row = format!("({})", vec!["?"; names.len()].join(","));
    let text = format!(
        "INSERT INTO {table} ({}) VALUES {}{}",
        names.join(","),
        vec![row.as_str(); rows.len()].join(","),
        conflict(existing, &table, backend)
    );
    let values = rows.iter().flat_map(|row| E::Column::iter().map(|column| row.get(column))).collect();
    (text, values)
}

/// The longest run of rows on the grid, and then the rest, each within the limit on bound values.
fn grid<T>(rows: &[T], columns: usize) -> impl Iterator<Item = &[T]> {
    let most = (MAX_BINDS / columns.max(1) / GRID).max(1) * GRID;
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = if rest.len() <= GRID { rest.len() } else { (rest.len() / GRID * GRID).min(most) };
        let (chunk, after) = rest.split_at_checked(size)?;
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_a_run_on_the_grid_and_a_rest() {
        for (total, sizes) in [
            (0, vec![]),
            (1, vec![1]),
            (128, vec![128]),
            (129, vec![128, 1]),
            (500, vec![384, 116]),
            (2_000, vec![1_280, 640, 80]),
        ] {
            let rows: Vec<usize> = (0..total).collect();
            let chunks: Vec<&[usize]> = grid(&rows, 22).collect();
            assert_eq!(chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), sizes);
            assert_eq!(chunks.concat(), rows);
        }
    }
}
