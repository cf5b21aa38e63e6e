//! Who acts: a user in a session, or a user's API key, and what each may do.

use crate::error::{Error, Result};
use crate::id::{AccountId, ApiKeyId, UserId};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A user's role; veloera's 1, 10 and 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Admin,
    Root,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Root => "root",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin, Self::Root].into_iter().find(|role| role.as_str() == text)
    }
}

/// What an API key is for. The last three words are the products' own (aimake's `tts`, `podcast`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    UsageWrite,
    UsageRead,
    /// Acts for any account; only admins may issue it.
    Service,
    /// Operator routes; only admins may issue it.
    Admin,
    /// A word that means something to the host product and nothing here.
    Product(String),
}

impl Scope {
    /// Reads a scope: a known one, or 1 to 32 of `a-z 0-9 _ : -` starting with a letter.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "usage:write" => Self::UsageWrite,
            "usage:read" => Self::UsageRead,
            "service" => Self::Service,
            "admin" => Self::Admin,
            product => {
                let tail = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:-".contains(&byte);
                let valid = (1..=32).contains(&product.len())
                    && product.as_bytes()[0].is_ascii_lowercase()
                    && product.bytes().all(tail);
                if !valid {
                    return None;
                }
                Self::Product(product.to_owned())
            }
        })
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::UsageWrite => "usage:write",
            Self::UsageRead => "usage:read",
            Self::Service => "service",
            Self::Admin => "admin",
            Self::Product(word) => word,
        }
    }
}

/// The API key through which a user acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyActor {
    pub id: ApiKeyId,
    /// The account that the key draws from.
    pub account: AccountId,
    pub scopes: Vec<Scope>,
    /// Models the key may use; `None` is any.
    pub models: Option<Vec<String>>,
    /// Whether the key has an allowance of its own.
    pub is_limited: bool,
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user: UserId,
    pub role: Role,
    /// The user's own account.
    pub personal_account: AccountId,
    /// `None` in a session.
    pub key: Option<KeyActor>,
    pub ip: Option<IpAddr>,
}

impl Actor {
    /// The account meant when a request names none.
    pub fn default_account(&self) -> AccountId {
        self.key.as_ref().map_or(self.personal_account, |key| key.account)
    }

    /// Whether this is a key that acts for any account.
    pub fn is_service(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.scopes.contains(&Scope::Service))
    }

    /// Sessions hold every customer right; a key holds what its scopes say.
    pub fn require_scope(&self, scope: &Scope) -> Result<()> {
        match &self.key {
            None => Ok(()),
            Some(key) if key.scopes.contains(scope) || key.scopes.contains(&Scope::Service) => Ok(()),
            Some(_) => Err(Error::Forbidden("The API key lacks the scope for this call.")),
        }
    }

    /// For what only a person may do: keys, plans, profile.
    pub fn require_session(&self) -> Result<()> {
        match self.key {
            None => Ok(()),
            Some(_) => Err(Error::Forbidden("An API key cannot do this; log in.")),
        }
    }

    /// For operators: an admin's session, or an admin's key with the scope `admin`.
    pub fn require_admin(&self) -> Result<()> {
        let scoped = self.key.as_ref().is_none_or(|key| key.scopes.contains(&Scope::Admin));
        if self.role >= Role::Admin && scoped { Ok(()) } else { Err(Error::Forbidden("This is for operators.")) }
    }
}
