//! Users, their sessions and API keys, failed log-ins, and accounts.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;

/// `users`: who acts.
pub struct Users;
named!(Users, "m0101_users");

#[async_trait::async_trait]
impl MigrationTrait for Users {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let users = table(m, "users")
            .await?
            .col(c::id("id"))
            .col(c::id("personal_account_id"))
            .col(c::optional_text("username", 64))
            .col(c::optional_text("email", 254))
            .col(c::optional_text("phone", 16))
            .col(c::text("display_name", 64))
            .col(c::optional_text("avatar_url", 1024))
            .col(c::long_text("settings"))
            .col(c::optional_text("password_hash", 255))
            .col(c::word("role", &["user", "admin", "root"]))
            .col(c::word("status", &["active", "disabled"]))
            .col(c::text("group_name", 64))
            .col(c::optional_text("external_id", 128))
            .col(c::boolean("is_verified"))
            .col(c::optional_time(m, "last_login_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .col(c::optional_time(m, "deleted_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("users", &["username"], true))
            .index(&mut c::index("users", &["email"], true))
            .index(&mut c::index("users", &["phone"], true))
            .index(&mut c::index("users", &["external_id"], true))
            .to_owned();
        m.create_table(users).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("users").to_owned()).await
    }
}

/// Whoever takes a role away asks who else is root.
pub struct UsersByRole;
named!(UsersByRole, "m0102_users_by_role");

#[async_trait::async_trait]
impl MigrationTrait for UsersByRole {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("users", &["role"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("users", &["role"], false)).await
    }
}

/// `sessions`: users logged in.
pub struct Sessions;
named!(Sessions, "m0103_sessions");

#[async_trait::async_trait]
impl MigrationTrait for Sessions {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let sessions = table(m, "sessions")
            .await?
            .col(c::id("user_id"))
            .col(c::id("id"))
            .col(c::text("token_hash", 64))
            .col(c::optional_text("ip", 45))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "expires_at"))
            .primary_key(&mut c::key(&["user_id", "id"]))
            .index(&mut c::index("sessions", &["token_hash"], true))
            .to_owned();
        m.create_table(sessions).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("sessions").to_owned()).await
    }
}

/// The sweeper asks which sessions are over.
pub struct SessionsByExpiry;
named!(SessionsByExpiry, "m0104_sessions_by_expiry");

#[async_trait::async_trait]
impl MigrationTrait for SessionsByExpiry {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("sessions", &["expires_at"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("sessions", &["expires_at"], false)).await
    }
}

/// `api_keys`: programs that act for a user and draw from an account.
pub struct ApiKeys;
named!(ApiKeys, "m0105_api_keys");

#[async_trait::async_trait]
impl MigrationTrait for ApiKeys {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let keys = table(m, "api_keys")
            .await?
            .col(c::id("user_id"))
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::text("token_hash", 64))
            .col(c::text("prefix", 16))
            .col(c::text("name", 64))
            .col(c::long_text("scopes"))
            .col(c::optional_time(m, "expires_at"))
            .col(c::optional_text("allowance_meter", 32))
            .col(c::optional_integer(m, "allowance_quantity"))
            .col(c::integer(m, "allowance_used"))
            .col(c::optional_long_text("models"))
            .col(c::optional_long_text("allowed_ips"))
            .col(c::optional_integer(m, "requests_per_minute"))
            .col(c::word("status", &["active", "disabled"]))
            .col(c::text("group_name", 64))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .col(c::optional_time(m, "last_used_at"))
            .col(c::optional_time(m, "revoked_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("api_keys", &["token_hash"], true))
            .index(&mut c::index("api_keys", &["user_id", "id"], true))
            .to_owned();
        m.create_table(keys).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("api_keys").to_owned()).await
    }
}

/// `login_throttles`: runs of failed log-ins, by a hash of the name or address.
pub struct LoginThrottles;
named!(LoginThrottles, "m0106_login_throttles");

#[async_trait::async_trait]
impl MigrationTrait for LoginThrottles {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let throttles = table(m, "login_throttles")
            .await?
            .col(c::text("subject", 80))
            .col(c::integer(m, "failures"))
            .col(c::time(m, "last_failed_at"))
            .col(c::optional_time(m, "locked_until"))
            .primary_key(&mut c::key(&["subject"]))
            .to_owned();
        m.create_table(throttles).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("login_throttles").to_owned()).await
    }
}

/// `accounts`: who pays.
pub struct Accounts;
named!(Accounts, "m0107_accounts");

#[async_trait::async_trait]
impl MigrationTrait for Accounts {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let accounts = table(m, "accounts")
            .await?
            .col(c::id("id"))
            .col(c::word("kind", &["personal", "team"]))
            .col(c::id("owner_id"))
            .col(c::text("name", 64))
            .col(c::word("status", &["active", "frozen"]))
            .col(c::optional_text("external_id", 128))
            .col(c::optional_integer(m, "spend_cap_nanos"))
            .col(c::optional_text("spend_cap_currency", 3))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("accounts", &["external_id"], true))
            .check(Expr::cust("(spend_cap_nanos IS NULL) = (spend_cap_currency IS NULL)"))
            .to_owned();
        m.create_table(accounts).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("accounts").to_owned()).await
    }
}

/// A user's accounts.
pub struct AccountsByOwner;
named!(AccountsByOwner, "m0108_accounts_by_owner");

#[async_trait::async_trait]
impl MigrationTrait for AccountsByOwner {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("accounts", &["owner_id"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("accounts", &["owner_id"], false)).await
    }
}
