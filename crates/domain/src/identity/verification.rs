//! A verified identity: name and number, kept encrypted, found by a keyed hash of the number, shown masked.

use super::id_number::IdNumber;
use super::real_name::RealName;
use crate::error::Result;
use crate::id::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalIdentity {
    pub real_name: RealName,
    pub id_number: IdNumber,
}

impl LegalIdentity {
    pub fn masked(&self) -> MaskedIdentity {
        MaskedIdentity { real_name: self.real_name.masked(), id_number: self.id_number.masked() }
    }
}

/// What its owner is shown. Encrypted as well, so that showing it opens neither name nor number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedIdentity {
    pub real_name: String,
    pub id_number: String,
}

/// A verification as it is stored: three ciphertexts, each bound to its column and user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    pub user: UserId,
    pub real_name: String,
    pub id_number: String,
    pub mask: String,
    /// HMAC of the number in hex; unique. A bare hash would be undone by trying all numbers there can be.
    pub number_index: String,
    pub verified_at: DateTime<Utc>,
}

/// Encrypts identities for their rows. `Error::KeyMissing` when there is no key, or not the one that sealed;
/// `StoreError::Corrupt` for a ciphertext that was changed or moved.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
pub trait IdentityVault: Send + Sync {
    fn seal(&self, user: UserId, identity: &LegalIdentity, now: DateTime<Utc>) -> Result<Verification>;

    /// Opens name and number; for audited reads only.
    fn open(&self, verification: &Verification) -> Result<LegalIdentity>;

    fn open_mask(&self, verification: &Verification) -> Result<MaskedIdentity>;
}
