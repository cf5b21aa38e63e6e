//! The chain of the audit log, what its listing and the search of operators walk, and identities at other providers.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

const AUDIT: &str = "audit_log";

/// Declares a migration that adds one column to the audit log.
macro_rules! audit_column {
    ($(#[$note:meta])* $migration:ident, $name:literal, $column:literal, |$manager:ident| $definition:expr) => {
        $(#[$note])*
        pub struct $migration;
        named!($migration, $name);

        #[async_trait::async_trait]
        impl MigrationTrait for $migration {
            async fn up(&self, $manager: &SchemaManager) -> Result<(), DbErr> {
                let definition: ColumnDef = $definition;
                $manager.alter_table(Table::alter().table(AUDIT).add_column(definition).to_owned()).await
            }

            async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.alter_table(Table::alter().table(AUDIT).drop_column($column).to_owned()).await
            }
        }
    };
}

audit_column!(
    /// The place in the chain, from 1; rows from before there was a chain have none.
    AuditPosition,
    "m0341_audit_position",
    "position",
    |m| c::optional_integer(m, "position")
);
audit_column!(
    /// The hash of the row before.
    AuditPreviousHash,
    "m0342_audit_previous_hash",
    "previous_hash",
    |m| c::optional_text("previous_hash", 64)
);
audit_column!(
    /// The row's own hash.
    AuditHash,
    "m0343_audit_hash",
    "hash",
    |m| c::optional_text("hash", 64)
);

/// Declares a migration that makes one index.
macro_rules! indexed {
    ($(#[$note:meta])* $migration:ident, $name:literal, $table:literal, [$($column:literal),+], $unique:literal) => {
        $(#[$note])*
        pub struct $migration;
        named!($migration, $name);

        #[async_trait::async_trait]
        impl MigrationTrait for $migration {
            async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.create_index(c::index($table, &[$($column),+], $unique)).await
            }

            async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
                m.drop_index(c::index_drop($table, &[$($column),+], $unique)).await
            }
        }
    };
}

indexed!(
    /// No two rows have one place.
    AuditByPosition, "m0344_audit_by_position", "audit_log", ["position"], true
);

/// `audit_heads`: where the chain ends. One row; the last one that a unit of work locks.
pub struct AuditHeads;
named!(AuditHeads, "m0345_audit_heads");

#[async_trait::async_trait]
impl MigrationTrait for AuditHeads {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let heads = table(m, "audit_heads")
            .await?
            .col(c::text("name", 16))
            .col(c::integer(m, "position"))
            .col(c::text("hash", 64))
            .col(c::integer(m, "unchained"))
            .primary_key(&mut c::key(&["name"]))
            .to_owned();
        m.create_table(heads).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("audit_heads").to_owned()).await
    }
}

/// The head before the first link; rows that are there already are counted, for they carry no hashes.
pub struct AuditGenesis;
named!(AuditGenesis, "m0346_audit_genesis");

#[async_trait::async_trait]
impl MigrationTrait for AuditGenesis {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let none = "0".repeat(64);
        let head = format!(
            "INSERT INTO audit_heads (name, position, hash, unchained) \
             SELECT 'audit', 0, '{none}', COUNT(*) FROM audit_log"
        );
        m.get_connection().execute_unprepared(&head).await.map(drop)
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared("DELETE FROM audit_heads").await.map(drop)
    }
}

indexed!(
    /// Operators ask what somebody did.
    AuditByActor, "m0347_audit_by_actor", "audit_log", ["actor_user_id", "id"], false
);
indexed!(
    /// Operators ask what was done to an object.
    AuditByTarget, "m0348_audit_by_target", "audit_log", ["target", "id"], false
);
indexed!(
    /// Operators ask who did a kind of act.
    AuditByAction, "m0349_audit_by_action", "audit_log", ["action", "id"], false
);
indexed!(
    /// Operators ask what was done to an account.
    AuditByAccount, "m0350_audit_by_account", "audit_log", ["account_id", "id"], false
);

/// `oauth_identities`: who at which provider opens which user.
pub struct OAuthIdentities;
named!(OAuthIdentities, "m0351_oauth_identities");

#[async_trait::async_trait]
impl MigrationTrait for OAuthIdentities {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let identities = table(m, "oauth_identities")
            .await?
            .col(c::id("user_id"))
            .col(c::id("id"))
            .col(c::text("provider", 32))
            .col(c::text("subject", 255))
            .col(c::optional_text("name", 64))
            .col(c::optional_text("email", 254))
            .col(c::boolean("email_verified"))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "last_login_at"))
            .col(c::optional_time(m, "last_signed_at"))
            .primary_key(&mut c::key(&["user_id", "id"]))
            .index(&mut c::index("oauth_identities", &["provider", "subject"], true))
            .to_owned();
        m.create_table(identities).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("oauth_identities").to_owned()).await
    }
}

/// `oauth_flows`: log-ins under way at other providers, by the hash of what ends them.
pub struct OAuthFlows;
named!(OAuthFlows, "m0352_oauth_flows");

#[async_trait::async_trait]
impl MigrationTrait for OAuthFlows {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let flows = table(m, "oauth_flows")
            .await?
            .col(c::text("token_hash", 64))
            .col(c::text("provider", 32))
            .col(c::word("purpose", &["log_in", "link", "exchange"]))
            .col(c::text("browser_hash", 64))
            .col(c::optional_text("challenge", 64))
            .col(c::optional_id("user_id"))
            .col(c::optional_id("session_id"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "expires_at"))
            .primary_key(&mut c::key(&["token_hash"]))
            .to_owned();
        m.create_table(flows).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("oauth_flows").to_owned()).await
    }
}

indexed!(
    /// The sweeper asks which flows are over.
    OAuthFlowsByExpiry, "m0353_oauth_flows_by_expiry", "oauth_flows", ["expires_at"], false
);

/// Declares a migration by which PostgreSQL can walk the names that begin alike. Its indexes follow the database's
/// language otherwise; the others compare byte by byte anyway, and their unique indexes serve.
macro_rules! walked {
    ($(#[$note:meta])* $migration:ident, $name:literal, $table:literal, $column:literal) => {
        $(#[$note])*
        pub struct $migration;
        named!($migration, $name);

        #[async_trait::async_trait]
        impl MigrationTrait for $migration {
            async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
                let name = concat!("ix_", $table, "_", $column, "_walk");
                let on = concat!($table, " (", $column, " COLLATE \"C\", id)");
                on_postgres(m, &format!("CREATE INDEX {name} ON {on}")).await
            }

            async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
                on_postgres(m, concat!("DROP INDEX ", "ix_", $table, "_", $column, "_walk")).await
            }
        }
    };
}

async fn on_postgres(m: &SchemaManager<'_>, statement: &str) -> Result<(), DbErr> {
    if m.get_database_backend() == DbBackend::Postgres {
        m.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

walked!(UsersWalkUsername, "m0354_users_walk_username", "users", "username");
walked!(UsersWalkEmail, "m0355_users_walk_email", "users", "email");
walked!(UsersWalkPhone, "m0356_users_walk_phone", "users", "phone");
walked!(UsersWalkExternalId, "m0357_users_walk_external_id", "users", "external_id");
walked!(AccountsWalkExternalId, "m0358_accounts_walk_external_id", "accounts", "external_id");

/// Operators look for accounts by name, which need not be unique.
pub struct AccountsWalkName;
named!(AccountsWalkName, "m0359_accounts_walk_name");

#[async_trait::async_trait]
impl MigrationTrait for AccountsWalkName {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let collate = if m.get_database_backend() == DbBackend::Postgres { " COLLATE \"C\"" } else { "" };
        let create = format!("CREATE INDEX ix_accounts_name_walk ON accounts (name{collate}, id)");
        m.get_connection().execute_unprepared(&create).await.map(drop)
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(Index::drop().name("ix_accounts_name_walk").table("accounts").to_owned()).await
    }
}
