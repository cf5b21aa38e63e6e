//! How operators look for an account: by the beginning of its name or ids, or by its owner.

use crate::error::Result;
use crate::id::{AccountId, UserId};
use crate::search::{IdPrefix, TextPrefix};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountSearch {
    /// Names are told apart byte by byte and need not be unique.
    Name(TextPrefix),
    ExternalId(TextPrefix),
    Id(IdPrefix),
    Owner(UserId),
}

impl AccountSearch {
    pub fn name(text: &str) -> Result<Self> {
        TextPrefix::parse("name", text).map(Self::Name)
    }

    pub fn external_id(text: &str) -> Result<Self> {
        TextPrefix::parse("external_id", text).map(Self::ExternalId)
    }

    pub fn id(text: &str) -> Result<Self> {
        IdPrefix::parse("id", text, AccountId::PREFIX).map(Self::Id)
    }
}
