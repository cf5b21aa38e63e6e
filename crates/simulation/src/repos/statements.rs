//! The statements that most ports are made of.

/// The row of a primary key.
macro_rules! find {
    ($repos:ident.$table:ident[$key:expr]) => {
        $repos.call(|tables, cx| Ok(tables.$table.get(cx.tx, &$key).cloned())).await
    };
}

/// The first row that fits, in the order of primary keys.
macro_rules! find_where {
    ($repos:ident.$table:ident, $fits:expr) => {
        $repos.call(|tables, cx| Ok(tables.$table.values(cx.tx).find($fits).cloned())).await
    };
}

/// All rows that fit, in the order of primary keys.
macro_rules! select {
    ($repos:ident.$table:ident, $fits:expr) => {
        $repos.call(|tables, cx| Ok(tables.$table.values(cx.tx).filter($fits).cloned().collect())).await
    };
}

/// A row more.
macro_rules! insert {
    ($repos:ident.$table:ident[$key:expr] = $row:expr) => {
        $repos.call(|tables, cx| tables.$table.insert(cx, vec![($key, $row.clone())])).await
    };
}

/// UPDATE of all that may change, whatever the row was.
macro_rules! save {
    ($repos:ident.$table:ident[$key:expr], $after:expr) => {
        $repos.call(|tables, cx| tables.$table.update(cx, &$key, |before| Some($after(before))).map(drop)).await
    };
}

/// A conditional UPDATE; whether a row was changed.
macro_rules! change {
    ($repos:ident.$table:ident[$key:expr], $after:expr) => {
        $repos.call(|tables, cx| tables.$table.update(cx, &$key, $after)).await
    };
}

/// UPDATE of every row that fits; how many.
macro_rules! change_all {
    ($repos:ident.$table:ident, $fits:expr, $after:expr) => {
        $repos
            .call(|tables, cx| {
                let keys: Vec<_> =
                    tables.$table.iter(cx.tx).filter(|(_, row)| $fits(row)).map(|(key, _)| *key).collect();
                for key in &keys {
                    tables.$table.lock_to_write(cx, key)?;
                }
                let mut count = 0;
                for key in &keys {
                    count += u64::from(tables.$table.update(cx, key, |row| $fits(row).then(|| $after(row)))?);
                }
                Ok(count)
            })
            .await
    };
}

/// Newest first: a page of the rows that fit.
macro_rules! list {
    ($repos:ident.$table:ident, $fits:expr, $wanted:expr, $id:expr) => {
        $repos
            .call(|tables, cx| {
                Ok($crate::repos::page(tables.$table.values(cx.tx).filter($fits).cloned(), $wanted, $id))
            })
            .await
    };
}

pub(super) use {change, change_all, find, find_where, insert, list, save, select};
