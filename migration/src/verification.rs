//! Verified identities.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;

/// `user_verifications`: name, number and their mask as ciphertexts, and a keyed hash of the number.
pub struct UserVerifications;
named!(UserVerifications, "m0438_user_verifications");

#[async_trait::async_trait]
impl MigrationTrait for UserVerifications {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let verifications = table(m, "user_verifications")
            .await?
            .col(c::id("user_id"))
            .col(c::long_text("real_name"))
            .col(c::long_text("id_number"))
            .col(c::long_text("mask"))
            .col(c::text("number_index", 64))
            .col(c::time(m, "verified_at"))
            .primary_key(&mut c::key(&["user_id"]))
            .index(&mut c::index("user_verifications", &["number_index"], true))
            .to_owned();
        m.create_table(verifications).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("user_verifications").to_owned()).await
    }
}
