//! What can be broken on purpose, to show that the checks see it.

/// A guard that is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// SELECT … FOR UPDATE on this table locks nothing.
    NoRowLock(&'static str),
    /// The unique keys of this table let everything pass.
    NoUnique(&'static str),
    /// Now and then a commit is answered, and lost.
    LoseCommit,
    /// A call that was to be conditional changes the row whatever it says.
    Unconditional(&'static str),
    /// What is written into this table is not.
    Forget(&'static str),
    /// What was undone stays.
    KeepRolledBack,
}
