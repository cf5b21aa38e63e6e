//! The catalogue: what is always true of the data, as a list.

use super::rules;

/// What one statement of an invariant looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Some accounts; asked again for the next ones.
    Accounts,
    /// The whole table.
    Whole,
    /// The chain of the audit log, whose hashes SQL cannot compute.
    Chain,
}

/// Something that holds in every snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// Short and stable: `Q-1`.
    pub id: &'static str,
    /// What must hold.
    pub says: &'static str,
    pub scope: Scope,
    /// Whether it asks what should have been done by now.
    pub timed: bool,
    /// Answers the violating rows: `detail`, and where there are any `account` and `id`. The same text on every
    /// database, with marks that `statement` fills in.
    pub(super) sql: &'static str,
}

impl Invariant {
    pub(super) const fn accounts(id: &'static str, says: &'static str, sql: &'static str) -> Self {
        Self { id, says, scope: Scope::Accounts, timed: false, sql }
    }

    pub(super) const fn whole(id: &'static str, says: &'static str, sql: &'static str) -> Self {
        Self { scope: Scope::Whole, ..Self::accounts(id, says, sql) }
    }

    pub(super) const fn timed(id: &'static str, says: &'static str, sql: &'static str) -> Self {
        Self { scope: Scope::Whole, timed: true, ..Self::accounts(id, says, sql) }
    }

    pub(super) const fn chain(id: &'static str, says: &'static str) -> Self {
        Self { scope: Scope::Chain, ..Self::accounts(id, says, "") }
    }
}

/// Every invariant, by part of the data.
pub fn all() -> impl Iterator<Item = &'static Invariant> {
    rules::ALL.iter().copied().flatten()
}

pub fn find(id: &str) -> Option<&'static Invariant> {
    all().find(|invariant| invariant.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_every_rule_about_accounts_is_asked_in_chunks() {
        let ids: BTreeSet<_> = all().map(|invariant| invariant.id).collect();
        assert_eq!(ids.len(), all().count());
        for invariant in all() {
            assert_eq!(invariant.sql.contains("{in "), invariant.scope == Scope::Accounts, "{}", invariant.id);
            assert_eq!(invariant.sql.contains("{a minute ago}"), invariant.timed, "{}", invariant.id);
        }
    }
}
