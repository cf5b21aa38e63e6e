//! Rows with what was committed of each, and what open units of work made of it.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// A unit of work; none has the number 0.
pub type TxId = u64;

/// What readers outside of units of work see.
pub const OUTSIDE: TxId = 0;

pub struct Versions<K, V> {
    rows: BTreeMap<K, Slot<V>>,
    written: BTreeMap<TxId, Vec<K>>,
}

struct Slot<V> {
    committed: Option<V>,
    /// By unit of work; more than one only where locks are broken on purpose.
    pending: Vec<(TxId, Option<V>)>,
}

impl<K, V> Default for Versions<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), written: BTreeMap::new() }
    }
}

impl<V> Slot<V> {
    fn seen_by(&self, tx: TxId) -> Option<&V> {
        let own = self.pending.iter().find(|(writer, _)| *writer == tx);
        own.map_or(self.committed.as_ref(), |(_, row)| row.as_ref())
    }
}

impl<K: Ord + Clone, V> Versions<K, V> {
    pub fn get(&self, tx: TxId, key: &K) -> Option<&V> {
        self.rows.get(key)?.seen_by(tx)
    }

    pub fn iter(&self, tx: TxId) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter().filter_map(move |(key, slot)| Some((key, slot.seen_by(tx)?)))
    }

    pub fn range(&self, tx: TxId, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(keys).filter_map(move |(key, slot)| Some((key, slot.seen_by(tx)?)))
    }

    /// Writes a row, or deletes it, as the unit of work sees it.
    pub fn put(&mut self, tx: TxId, key: K, row: Option<V>) {
        let slot = self.rows.entry(key.clone()).or_insert_with(|| Slot { committed: None, pending: Vec::new() });
        if let Some(own) = slot.pending.iter_mut().find(|(writer, _)| *writer == tx) {
            own.1 = row;
            return;
        }
        slot.pending.push((tx, row));
        self.written.entry(tx).or_default().push(key);
    }

    /// What the unit of work wrote becomes everybody's, or nobody's.
    pub fn settle(&mut self, tx: TxId, commit: bool) {
        for key in self.written.remove(&tx).unwrap_or_default() {
            let Some(slot) = self.rows.get_mut(&key) else { continue };
            let Some(place) = slot.pending.iter().position(|(writer, _)| *writer == tx) else { continue };
            let (_, row) = slot.pending.swap_remove(place);
            if commit {
                slot.committed = row;
            }
            if slot.committed.is_none() && slot.pending.is_empty() {
                self.rows.remove(&key);
            }
        }
    }
}
