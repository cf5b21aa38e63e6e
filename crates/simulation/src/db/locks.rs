//! Locks on rows and on keys of unique indexes, held until the unit of work ends; a circle of waiting is a deadlock.

use super::versions::TxId;
use std::collections::BTreeMap;
use std::task::Waker;

/// A row or an entry of an index: the number of the table or index, and the hash of the key.
pub type LockKey = (u16, u64);

/// What came of asking for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Held,
    /// Somebody else holds it.
    Wait,
    /// Waiting would be for ever.
    Deadlock,
}

#[derive(Default)]
pub struct Locks {
    holders: BTreeMap<LockKey, TxId>,
    of: BTreeMap<TxId, Vec<LockKey>>,
    waits: BTreeMap<TxId, LockKey>,
    waiters: BTreeMap<LockKey, Vec<Waker>>,
}

impl Locks {
    pub fn ask(&mut self, tx: TxId, key: LockKey) -> Asked {
        self.waits.remove(&tx);
        match self.holders.get(&key) {
            Some(holder) if *holder == tx => Asked::Held,
            Some(holder) if self.waits_for(*holder, tx) => Asked::Deadlock,
            Some(_) => {
                self.waits.insert(tx, key);
                Asked::Wait
            }
            None => {
                self.holders.insert(key, tx);
                self.of.entry(tx).or_default().push(key);
                Asked::Held
            }
        }
    }

    /// Rings when the lock is free again.
    pub fn park(&mut self, key: LockKey, waker: Waker) {
        if self.holders.contains_key(&key) {
            self.waiters.entry(key).or_default().push(waker);
        } else {
            waker.wake();
        }
    }

    pub fn release(&mut self, tx: TxId) {
        self.waits.remove(&tx);
        for key in self.of.remove(&tx).unwrap_or_default() {
            self.holders.remove(&key);
            self.waiters.remove(&key).unwrap_or_default().into_iter().for_each(Waker::wake);
        }
    }

    /// Whether anything is held: nothing may be when no unit of work is open.
    pub fn is_free(&self) -> bool {
        self.holders.is_empty()
    }

    fn waits_for(&self, mut from: TxId, to: TxId) -> bool {
        while let Some(next) = self.waits.get(&from).and_then(|key| self.holders.get(key)) {
            if *next == to {
                return true;
            }
            from = *next;
        }
        false
    }
}
