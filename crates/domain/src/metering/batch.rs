//! What one unit of work is asked to do, in order, and what became of each part of it.

use super::command::{Consume, Rejection};
use super::reservation::{End, Reserve, Settlement};
use super::usage::Receipt;
use crate::id::{AccountId, ApiKeyId};

/// One command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Consume(Consume),
    Reserve(Reserve),
    End(End),
}

impl Command {
    pub fn account(&self) -> AccountId {
        match self {
            Self::Consume(command) => command.account,
            Self::Reserve(command) => command.wanted.account,
            Self::End(command) => command.account,
        }
    }

    /// The key whose allowance is asked; that of an end is its reservation's.
    pub(super) fn limited_key(&self) -> Option<ApiKeyId> {
        self.wanted().filter(|wanted| wanted.key_is_limited).and_then(|wanted| wanted.api_key)
    }

    pub(super) fn consume(&self) -> Option<&Consume> {
        match self {
            Self::Consume(command) => Some(command),
            Self::Reserve(_) | Self::End(_) => None,
        }
    }

    /// What is to be used, now or later; an end names its reservation instead.
    pub(super) fn wanted(&self) -> Option<&Consume> {
        match self {
            Self::Consume(command) => Some(command),
            Self::Reserve(command) => Some(&command.wanted),
            Self::End(_) => None,
        }
    }
}

/// What was done for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Used(Receipt),
    /// Boxed, for uses are many more.
    Settled(Box<Settlement>),
}

/// What became of one command of a batch.
pub type Decided = Result<Done, Rejection>;

/// What became of one consume.
pub type Outcome = Result<Receipt, Rejection>;

/// The outcomes of consumes.
pub fn receipts(decided: Vec<Decided>) -> Vec<Outcome> {
    let receipt = |decided: Decided| match decided {
        Ok(Done::Used(receipt)) => Some(Ok(receipt)),
        Ok(Done::Settled(_)) => None,
        Err(rejection) => Some(Err(rejection)),
    };
    decided.into_iter().filter_map(receipt).collect()
}
