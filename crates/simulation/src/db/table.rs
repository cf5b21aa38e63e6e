//! A table: rows by primary key, unique indexes, and the locks that PostgreSQL would take for each statement.
//!
//! A statement asks for every lock before it writes: one that has to wait is begun again when it may go on.

use super::locks::{Asked, LockKey, Locks};
use super::versions::{TxId, Versions};
use crate::defect::Defect;
use domain::store::StoreError;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeBounds;

/// Why a statement has no answer yet, or an error.
#[derive(Debug)]
pub enum Stop {
    Wait(LockKey),
    Failed(StoreError),
}

pub type Answer<T> = Result<T, Stop>;

/// The unit of work for which a statement runs.
pub struct Cx<'a> {
    pub tx: TxId,
    pub locks: &'a mut Locks,
    /// The last number given out: sequences give no number twice, and never take one back.
    pub position: &'a mut i64,
    pub defect: Option<Defect>,
}

impl Cx<'_> {
    fn lock(&mut self, key: LockKey) -> Answer<()> {
        match self.locks.ask(self.tx, key) {
            Asked::Held => Ok(()),
            Asked::Wait => Err(Stop::Wait(key)),
            Asked::Deadlock => Err(Stop::Failed(StoreError::Contended)),
        }
    }
}

/// The key of a row in a unique index; `None` when the index leaves the row out.
pub type KeyOf<V> = fn(&V) -> Option<u64>;

struct Unique<K, V> {
    number: u16,
    key_of: KeyOf<V>,
    entries: Versions<u64, K>,
}

pub struct Table<K, V> {
    number: u16,
    name: &'static str,
    rows: Versions<K, V>,
    uniques: Vec<Unique<K, V>>,
}

/// The same for the same key on every run.
pub fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl<K: Ord + Clone + Hash, V: Clone> Table<K, V> {
    /// `number` is the first of as many as the table has indexes, and one more.
    pub fn new(number: u16, name: &'static str, keys: &[KeyOf<V>]) -> Self {
        let unique = |(place, key_of): (usize, &KeyOf<V>)| Unique {
            number: number + 1 + u16::try_from(place).unwrap_or(0),
            key_of: *key_of,
            entries: Versions::default(),
        };
        Self { number, name, rows: Versions::default(), uniques: keys.iter().enumerate().map(unique).collect() }
    }

    pub fn get(&self, tx: TxId, key: &K) -> Option<&V> {
        self.rows.get(tx, key)
    }

    pub fn iter(&self, tx: TxId) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter(tx)
    }

    pub fn values(&self, tx: TxId) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.iter(tx).map(|(_, row)| row)
    }

    pub fn range(&self, tx: TxId, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(tx, keys)
    }

    /// The row that has this key in the `place`-th unique index.
    pub fn by_unique(&self, tx: TxId, place: usize, key: u64) -> Option<&V> {
        self.rows.get(tx, self.uniques.get(place)?.entries.get(tx, &key)?)
    }

    /// SELECT … FOR UPDATE: the newest row, locked.
    pub fn lock(&self, cx: &mut Cx<'_>, key: &K) -> Answer<Option<&V>> {
        let row = self.rows.get(cx.tx, key);
        if row.is_none() || cx.defect == Some(Defect::NoRowLock(self.name)) {
            return Ok(row);
        }
        self.lock_row(cx, key)?;
        Ok(self.rows.get(cx.tx, key))
    }

    /// Locks a row as a statement does that is about to write it.
    pub fn lock_to_write(&self, cx: &mut Cx<'_>, key: &K) -> Answer<()> {
        self.lock_row(cx, key)
    }

    fn lock_row(&self, cx: &mut Cx<'_>, key: &K) -> Answer<()> {
        cx.lock((self.number, hash(key)))
    }

    /// Fails with `Duplicate` where a row has the key, or its key in a unique index.
    pub fn insert(&mut self, cx: &mut Cx<'_>, rows: Vec<(K, V)>) -> Answer<()> {
        if cx.defect == Some(Defect::Forget(self.name)) {
            return Ok(());
        }
        for (key, row) in &rows {
            self.lock_row(cx, key)?;
            self.lock_uniques(cx, row)?;
        }
        for (key, row) in rows {
            if self.rows.get(cx.tx, &key).is_some() && !self.overlooks(cx) {
                return Err(Stop::Failed(StoreError::Duplicate));
            }
            self.write(cx, key, row)?;
        }
        Ok(())
    }

    /// UPDATE of one row: `change` sees the newest version; whether there was a row that it wanted to change.
    pub fn update(&mut self, cx: &mut Cx<'_>, key: &K, change: impl FnOnce(&V) -> Option<V>) -> Answer<bool> {
        if self.rows.get(cx.tx, key).is_none() {
            return Ok(false);
        }
        self.lock_row(cx, key)?;
        let Some(after) = self.rows.get(cx.tx, key).and_then(change) else { return Ok(false) };
        self.lock_uniques(cx, &after)?;
        self.write(cx, key.clone(), after)?;
        Ok(true)
    }

    /// INSERT … ON CONFLICT (primary key) DO UPDATE: `merge` sees the newest version, if there is one.
    pub fn upsert(&mut self, cx: &mut Cx<'_>, rows: Vec<(K, V)>, merge: impl Fn(&V, V) -> V) -> Answer<()> {
        if cx.defect == Some(Defect::Forget(self.name)) {
            return Ok(());
        }
        for (key, row) in &rows {
            self.lock_row(cx, key)?;
            self.lock_uniques(cx, row)?;
        }
        for (key, row) in rows {
            let after = match self.rows.get(cx.tx, &key) {
                Some(before) => merge(before, row),
                None => row,
            };
            self.write(cx, key, after)?;
        }
        Ok(())
    }

    /// DELETE of the rows that are wanted; how many there were.
    pub fn delete(&mut self, cx: &mut Cx<'_>, keys: &[K]) -> Answer<u64> {
        for key in keys {
            if self.rows.get(cx.tx, key).is_some() {
                self.lock_row(cx, key)?;
            }
        }
        let mut count = 0;
        for key in keys {
            let Some(row) = self.rows.get(cx.tx, key).cloned() else { continue };
            for unique in &mut self.uniques {
                if let Some(entry) = (unique.key_of)(&row) {
                    unique.entries.put(cx.tx, entry, None);
                }
            }
            self.rows.put(cx.tx, key.clone(), None);
            count += 1;
        }
        Ok(count)
    }

    /// Locks what writing these rows needs, for statements that write several tables.
    pub fn prepare(&self, cx: &mut Cx<'_>, rows: &[(K, V)]) -> Answer<()> {
        for (key, row) in rows {
            self.lock_row(cx, key)?;
            self.lock_uniques(cx, row)?;
        }
        Ok(())
    }

    pub fn settle(&mut self, tx: TxId, commit: bool) {
        self.rows.settle(tx, commit);
        self.uniques.iter_mut().for_each(|unique| unique.entries.settle(tx, commit));
    }

    fn lock_uniques(&self, cx: &mut Cx<'_>, row: &V) -> Answer<()> {
        for unique in &self.uniques {
            if let Some(entry) = (unique.key_of)(row) {
                cx.lock((unique.number, entry))?;
            }
        }
        Ok(())
    }

    /// Whether the table's uniqueness is broken on purpose.
    fn overlooks(&self, cx: &Cx<'_>) -> bool {
        cx.defect == Some(Defect::NoUnique(self.name))
    }

    fn write(&mut self, cx: &Cx<'_>, key: K, row: V) -> Answer<()> {
        let overlooks = self.overlooks(cx);
        let before = self.rows.get(cx.tx, &key).cloned();
        for unique in &mut self.uniques {
            let after = (unique.key_of)(&row);
            let old = before.as_ref().and_then(unique.key_of);
            if let Some(old) = old.filter(|old| Some(*old) != after) {
                unique.entries.put(cx.tx, old, None);
            }
            let Some(after) = after else { continue };
            let taken = unique.entries.get(cx.tx, &after).is_some_and(|owner| *owner != key);
            if taken && !overlooks {
                return Err(Stop::Failed(StoreError::Duplicate));
            }
            unique.entries.put(cx.tx, after, Some(key.clone()));
        }
        self.rows.put(cx.tx, key, Some(row));
        Ok(())
    }
}
