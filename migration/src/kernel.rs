//! What every context writes beside its effect: audit, outbox, idempotency answers; and leases.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;

/// `audit_log`: who did what to whom, when.
pub struct AuditLog;
named!(AuditLog, "m0001_audit_log");

#[async_trait::async_trait]
impl MigrationTrait for AuditLog {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let audit = table(m, "audit_log")
            .await?
            .col(c::id("id"))
            .col(c::optional_id("account_id"))
            .col(c::optional_id("actor_user_id"))
            .col(c::optional_id("actor_key_id"))
            .col(c::text("action", 64))
            .col(c::text("target", 128))
            .col(c::long_text("detail"))
            .col(c::time(m, "created_at"))
            .primary_key(&mut c::key(&["id"]))
            .to_owned();
        m.create_table(audit).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("audit_log").to_owned()).await
    }
}

/// `outbox`: what must follow a commit, written in that commit.
pub struct Outbox;
named!(Outbox, "m0002_outbox");

#[async_trait::async_trait]
impl MigrationTrait for Outbox {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let outbox = table(m, "outbox")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::text("kind", 64))
            .col(c::long_text("payload"))
            .col(c::small("attempts"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "available_at"))
            .col(c::optional_time(m, "delivered_at"))
            .col(c::optional_id("lease_holder"))
            .col(c::optional_time(m, "leased_until"))
            .primary_key(&mut c::key(&["id"]))
            .to_owned();
        m.create_table(outbox).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("outbox").to_owned()).await
    }
}

/// The outbox worker asks for what is due.
pub struct OutboxDue;
named!(OutboxDue, "m0003_outbox_due");

#[async_trait::async_trait]
impl MigrationTrait for OutboxDue {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("outbox", &["delivered_at", "available_at"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("outbox", &["delivered_at", "available_at"], false)).await
    }
}

/// `idempotency_keys`: the answers already given, by scope and key.
pub struct IdempotencyKeys;
named!(IdempotencyKeys, "m0004_idempotency_keys");

#[async_trait::async_trait]
impl MigrationTrait for IdempotencyKeys {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let keys = table(m, "idempotency_keys")
            .await?
            .col(c::id("user_id"))
            .col(c::text("scope", 64))
            .col(c::text("idempotency_key", 255))
            .col(c::text("fingerprint", 64))
            .col(c::long_text("answer"))
            .col(c::time(m, "created_at"))
            .primary_key(&mut c::key(&["user_id", "scope", "idempotency_key"]))
            .to_owned();
        m.create_table(keys).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("idempotency_keys").to_owned()).await
    }
}

/// `leases`: which replica runs a background loop, until when.
pub struct Leases;
named!(Leases, "m0005_leases");

#[async_trait::async_trait]
impl MigrationTrait for Leases {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let leases = table(m, "leases")
            .await?
            .col(c::text("name", 64))
            .col(c::id("holder"))
            .col(c::time(m, "leased_until"))
            .primary_key(&mut c::key(&["name"]))
            .to_owned();
        m.create_table(leases).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("leases").to_owned()).await
    }
}

/// `options`: settings that change at run time, the test clock among them.
pub struct Options;
named!(Options, "m0006_options");

#[async_trait::async_trait]
impl MigrationTrait for Options {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let options = table(m, "options")
            .await?
            .col(c::text("key_name", 191))
            .col(c::long_text("value"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["key_name"]))
            .to_owned();
        m.create_table(options).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("options").to_owned()).await
    }
}
