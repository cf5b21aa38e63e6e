//! The chain of audit rows: each row carries the hash of the one before and its own over everything it says.
//!
//! The hash is SHA-256 over the row's fields in one fixed order, each led by its length, so that no two rows have the
//! same bytes. It needs no secret: whoever can rewrite the whole table can make another chain, which is why an
//! operator notes the head now and then and has it checked ([`ChainCheck::expecting`]).

use crate::id::AuditId;
use crate::text::hex;
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// What the first row carries as the hash of the one before.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Says which fields are hashed and how; changes when they do.
const FORM: &str = "suanpan audit 1";

/// A row as it is stored: nothing is parsed, so that whatever was put there can be hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRow {
    /// From 1, without gaps.
    pub position: i64,
    pub id: Uuid,
    pub account: Option<Uuid>,
    pub actor_user: Option<Uuid>,
    pub actor_key: Option<Uuid>,
    pub action: String,
    pub target: String,
    pub detail: String,
    /// Microseconds since 1970.
    pub created_at_micros: i64,
    pub previous_hash: String,
    pub hash: String,
}

impl ChainRow {
    /// The hash that the row should carry: 64 lower-case hexadecimal digits.
    pub fn proper_hash(&self) -> String {
        let id = |id: Option<Uuid>| id.map(|id| id.simple().to_string()).unwrap_or_default();
        let mut hasher = Sha256::new();
        for field in [
            FORM,
            &self.previous_hash,
            &self.position.to_string(),
            &id(Some(self.id)),
            &id(self.account),
            &id(self.actor_user),
            &id(self.actor_key),
            &self.action,
            &self.target,
            &self.detail,
            &self.created_at_micros.to_string(),
        ] {
            hasher.update(field.len().to_string().as_bytes());
            hasher.update(b":");
            hasher.update(field.as_bytes());
        }
        hex(&hasher.finalize())
    }

    /// The row after `head`, chained to it.
    #[must_use]
    pub fn chained(self, head: &ChainHead) -> Self {
        let placed = Self { position: head.position + 1, previous_hash: head.hash.clone(), ..self };
        Self { hash: placed.proper_hash(), ..placed }
    }
}

/// Where the chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// That of the last row; 0 before the first.
    pub position: i64,
    pub hash: String,
    /// How many rows there were before there was a chain; they carry no hashes.
    pub unchained: i64,
}

impl ChainHead {
    /// The head after `row`.
    #[must_use]
    pub fn after(&self, row: &ChainRow) -> Self {
        Self { position: row.position, hash: row.hash.clone(), unchained: self.unchained }
    }
}

/// What is wrong with the chain, at the first place where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The row says something else than when it was written, or was moved here from another place.
    Changed { position: i64, id: AuditId },
    /// The row does not follow the one before it.
    Unlinked { position: i64, id: AuditId },
    /// A row was taken out.
    Missing { position: i64 },
    /// The chain does not end where its head says.
    Head { position: i64, head: i64 },
    /// The row at a position that was noted earlier is another one.
    Noted { position: i64 },
    /// There are more or fewer rows without a place than when the chain began.
    Unchained { found: i64, known: i64 },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { position, id } => write!(f, "row {position} ({id}) was changed or moved"),
            Self::Unlinked { position, id } => write!(f, "row {position} ({id}) does not follow the row before it"),
            Self::Missing { position } => write!(f, "row {position} is missing"),
            Self::Head { position, head } => write!(f, "the chain ends at row {position}, its head says {head}"),
            Self::Noted { position } => write!(f, "row {position} is not the one that was noted"),
            Self::Unchained { found, known } => {
                write!(f, "{found} rows are outside of the chain, and there should be {known}")
            }
        }
    }
}

/// Walks the chain row by row and remembers only where it is.
#[derive(Clone, Debug)]
pub struct ChainCheck {
    position: i64,
    hash: String,
    noted: Option<(i64, String)>,
}

impl Default for ChainCheck {
    fn default() -> Self {
        Self { position: 0, hash: GENESIS.to_owned(), noted: None }
    }
}

impl ChainCheck {
    /// A check that also wants the row at `position` to have `hash`, as somebody noted it earlier.
    pub fn expecting(position: i64, hash: String) -> Self {
        Self { noted: Some((position, hash)), ..Self::default() }
    }

    /// Rows that were in order so far.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The hash of the last row that was in order.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Looks at the next row by position.
    pub fn row(&mut self, row: &ChainRow) -> Result<(), Broken> {
        let (position, id) = (row.position, AuditId::from_uuid(row.id));
        if position != self.position + 1 {
            return Err(Broken::Missing { position: self.position + 1 });
        }
        if row.hash != row.proper_hash() {
            return Err(Broken::Changed { position, id });
        }
        if row.previous_hash != self.hash {
            return Err(Broken::Unlinked { position, id });
        }
        if self.noted.as_ref().is_some_and(|(noted, hash)| *noted == position && *hash != row.hash) {
            return Err(Broken::Noted { position });
        }
        self.position = position;
        self.hash.clone_from(&row.hash);
        Ok(())
    }

    /// After the last row: whether it is the one that the head names, and nothing stands beside the chain.
    pub fn finish(self, head: &ChainHead, unchained: i64) -> Result<(), Broken> {
        if let Some((position, _)) = self.noted
            && position > self.position
        {
            return Err(Broken::Missing { position: self.position + 1 });
        }
        if head.position != self.position || head.hash != self.hash {
            return Err(Broken::Head { position: self.position, head: head.position });
        }
        if unchained != head.unchained {
            return Err(Broken::Unchained { found: unchained, known: head.unchained });
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "audit_chain_tests.rs"]
mod tests;
