//! How operators look for a user: by the beginning of one thing that is unique among users.

use crate::error::Result;
use crate::id::UserId;
use crate::search::{IdPrefix, TextPrefix};
use crate::text::fold;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserSearch {
    Username(TextPrefix),
    Email(TextPrefix),
    Phone(TextPrefix),
    ExternalId(TextPrefix),
    Id(IdPrefix),
}

impl UserSearch {
    /// Names are looked for as they are kept: folded.
    pub fn username(text: &str) -> Result<Self> {
        TextPrefix::parse("username", &fold(text)).map(Self::Username)
    }

    pub fn email(text: &str) -> Result<Self> {
        TextPrefix::parse("email", &fold(text)).map(Self::Email)
    }

    pub fn phone(text: &str) -> Result<Self> {
        TextPrefix::parse("phone", &fold(text)).map(Self::Phone)
    }

    /// Host products' ids are told apart byte by byte.
    pub fn external_id(text: &str) -> Result<Self> {
        TextPrefix::parse("external_id", text).map(Self::ExternalId)
    }

    pub fn id(text: &str) -> Result<Self> {
        IdPrefix::parse("id", text, UserId::PREFIX).map(Self::Id)
    }
}
