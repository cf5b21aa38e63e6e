//! Points at which a test has the process die: on both sides of every commit and of every call to the outside.
//!
//! Without the feature `failpoints` nothing of this is compiled in. What a process does between two of its commits
//! and calls leaves no trace, so these are all the places where dying makes a difference.

/// A place where the process can be made to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Everything was written, and nothing of it is visible.
    BeforeCommit,
    /// Everything is visible, and nobody was told.
    AfterCommit,
    /// A payment provider, a webhook's receiver, a mail server or an identity provider is about to be asked.
    BeforeCall,
    /// It has done what it was asked, and nobody here knows.
    AfterCall,
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, disarm, reach};

/// Dies here if a test wants it, which only happens with the feature.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub const fn reach(_: Point) {}

#[cfg(feature = "failpoints")]
mod armed {
    use super::Point;
    use std::sync::{Mutex, PoisonError};

    /// Where, and how many times it is passed before.
    static ARMED: Mutex<Option<(Point, u32)>> = Mutex::new(None);

    impl Point {
        pub const ALL: [Self; 4] = [Self::BeforeCommit, Self::AfterCommit, Self::BeforeCall, Self::AfterCall];

        pub const fn name(self) -> &'static str {
            match self {
                Self::BeforeCommit => "before-commit",
                Self::AfterCommit => "after-commit",
                Self::BeforeCall => "before-call",
                Self::AfterCall => "after-call",
            }
        }

        pub fn parse(name: &str) -> Option<Self> {
            Self::ALL.into_iter().find(|point| point.name() == name)
        }
    }

    /// The process dies when it reaches the point for the `hit`th time from now on; the first is 1.
    pub fn arm(point: Point, hit: u32) {
        *ARMED.lock().unwrap_or_else(PoisonError::into_inner) = Some((point, hit));
    }

    pub fn disarm() {
        *ARMED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// As if the power had gone: no destructor runs, nothing is flushed.
    pub fn reach(point: Point) {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, left)) = armed.as_mut().filter(|(at, _)| *at == point) {
            *left -= 1;
            if *left == 0 {
                std::process::abort();
            }
        }
    }
}
