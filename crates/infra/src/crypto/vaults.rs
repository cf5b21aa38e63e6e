//! What is encrypted with the server's keys, and the place each ciphertext is bound to: its column and its row.

use super::keyring::Keyring;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use domain::error::{Error, Result};
use domain::id::{RedemptionCodeId, UserId, WebhookEndpointId};
use domain::identity::{IdNumber, IdentityVault, LegalIdentity, MaskedIdentity, RealName, Verification};
use domain::incentives::{CodeText, CodeVault, SealedCode};
use domain::sealed::{Resealer, SealedColumn, SealedText};
use domain::store::StoreError;
use domain::text::hex;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

const INDEX_KEY_BYTES: usize = 32;
/// What development hashes numbers with when no key is set: no secret at all.
const DEVELOPMENT_INDEX_KEY: [u8; INDEX_KEY_BYTES] = *b"suanpan development key, public!";

/// Where a ciphertext lies. Webhooks' current and old secrets share a place: rotating moves one to the other column.
pub fn place(column: SealedColumn, row: Uuid) -> String {
    let (table, name) = column.name();
    match column {
        SealedColumn::WebhookSecret | SealedColumn::WebhookOldSecret => {
            format!("{table}.secret:{}", WebhookEndpointId::from_uuid(row))
        }
        SealedColumn::RedemptionCode => format!("{table}.{name}:{}", RedemptionCodeId::from_uuid(row)),
        SealedColumn::RealName | SealedColumn::IdNumber | SealedColumn::IdentityMask => {
            format!("{table}.{name}:{}", UserId::from_uuid(row))
        }
    }
}

impl Keyring {
    fn seal_text(&self, text: &str, (column, row): (SealedColumn, Uuid)) -> Result<String> {
        self.seal(text.as_bytes(), &place(column, row)).ok_or(Error::KeyMissing)
    }

    /// A ciphertext under a key that is there but that does not open was changed or moved.
    fn open_text(&self, sealed: &str, (column, row): (SealedColumn, Uuid)) -> Result<String> {
        let (table, name) = column.name();
        let corrupt = || Error::Store(StoreError::Corrupt { table, column: name });
        if !self.knows(sealed) {
            return Err(Error::KeyMissing);
        }
        let clear = self.open(sealed, &place(column, row)).map_err(|_| corrupt())?;
        String::from_utf8(clear).map_err(|_| corrupt())
    }
}

impl CodeVault for Keyring {
    fn seal(&self, id: RedemptionCodeId, code: &CodeText) -> Result<SealedCode> {
        self.seal_text(&code.expose(), (SealedColumn::RedemptionCode, id.as_uuid())).map(SealedCode)
    }

    fn open(&self, id: RedemptionCodeId, sealed: &SealedCode) -> Result<CodeText> {
        let text = self.open_text(&sealed.0, (SealedColumn::RedemptionCode, id.as_uuid()))?;
        let corrupt = StoreError::Corrupt { table: "redemption_codes", column: "sealed" };
        CodeText::parse(&text).ok_or(Error::Store(corrupt))
    }
}

impl Resealer for Keyring {
    fn newest(&self) -> Option<String> {
        self.prefix()
    }

    fn reseal(&self, column: SealedColumn, sealed: &SealedText) -> Option<String> {
        let place = place(column, sealed.row);
        let clear = self.open(&sealed.text, &place).ok()?;
        Self::seal(self, &clear, &place)
    }
}

/// The key of the hash by which an ID number is found.
pub struct IndexKey(hmac::Key);

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(…)")
    }
}

impl IndexKey {
    /// Reads base64 of 32 bytes. The reason never repeats the key.
    pub fn parse(text: &str) -> std::result::Result<Self, &'static str> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| "must be base64")?;
        if bytes.len() == INDEX_KEY_BYTES { Ok(Self::of(&bytes)) } else { Err("must have 32 bytes") }
    }

    /// The key that everybody knows.
    pub fn development() -> Self {
        Self::of(&DEVELOPMENT_INDEX_KEY)
    }

    fn of(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    fn index(&self, number: &IdNumber) -> String {
        hex(hmac::sign(&self.0, number.expose().as_bytes()).as_ref())
    }
}

/// Identities under the server's keys.
#[derive(Debug)]
pub struct SealedIdentities {
    pub keys: Arc<Keyring>,
    pub index: IndexKey,
}

impl IdentityVault for SealedIdentities {
    fn seal(&self, user: UserId, identity: &LegalIdentity, now: DateTime<Utc>) -> Result<Verification> {
        let seal = |text: &str, column| self.keys.seal_text(text, (column, user.as_uuid()));
        let mask = serde_json::to_string(&identity.masked()).map_err(|_| Error::Unavailable)?;
        Ok(Verification {
            user,
            real_name: seal(identity.real_name.expose(), SealedColumn::RealName)?,
            id_number: seal(identity.id_number.expose(), SealedColumn::IdNumber)?,
            mask: seal(&mask, SealedColumn::IdentityMask)?,
            number_index: self.index.index(&identity.id_number),
            verified_at: now,
        })
    }

    fn open(&self, verification: &Verification) -> Result<LegalIdentity> {
        let open = |text: &str, column| self.keys.open_text(text, (column, verification.user.as_uuid()));
        Ok(LegalIdentity {
            real_name: RealName::from_stored(open(&verification.real_name, SealedColumn::RealName)?),
            id_number: IdNumber::from_stored(open(&verification.id_number, SealedColumn::IdNumber)?),
        })
    }

    fn open_mask(&self, verification: &Verification) -> Result<MaskedIdentity> {
        let row = (SealedColumn::IdentityMask, verification.user.as_uuid());
        let mask = self.keys.open_text(&verification.mask, row)?;
        let corrupt = StoreError::Corrupt { table: "user_verifications", column: "mask" };
        serde_json::from_str(&mask).map_err(|_| Error::Store(corrupt))
    }
}

#[cfg(test)]
#[path = "vaults_tests.rs"]
mod tests;
