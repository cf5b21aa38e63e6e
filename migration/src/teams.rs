//! Teams, their members, what each may draw, and invitations.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Names of accounts hold a hundred characters, as names of teams do. SQLite never looks at the length.
pub struct LongAccountNames;
named!(LongAccountNames, "m0301_long_account_names");

#[async_trait::async_trait]
impl MigrationTrait for LongAccountNames {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        if m.get_database_backend() == DbBackend::Sqlite {
            return Ok(());
        }
        m.alter_table(Table::alter().table("accounts").modify_column(c::text("name", 100)).to_owned()).await
    }

    /// Nothing: a shorter column might not hold the names that are there.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// `teams`: one per account that people share. Name and owner are the account's.
pub struct Teams;
named!(Teams, "m0302_teams");

#[async_trait::async_trait]
impl MigrationTrait for Teams {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let teams = table(m, "teams")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::optional_text("team_code", 50))
            .col(c::optional_text("invite_code", 6))
            .col(c::word("join_policy", &["approval", "open"]))
            .col(c::word("status", &["suspended", "active", "deleted"]))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .col(c::optional_time(m, "deleted_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("teams", &["account_id"], true))
            .index(&mut c::index("teams", &["team_code"], true))
            .index(&mut c::index("teams", &["invite_code"], true))
            .to_owned();
        m.create_table(teams).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("teams").to_owned()).await
    }
}

/// `team_members`: one row per user and team, for ever.
pub struct TeamMembers;
named!(TeamMembers, "m0303_team_members");

#[async_trait::async_trait]
impl MigrationTrait for TeamMembers {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let members = table(m, "team_members")
            .await?
            .col(c::id("account_id"))
            .col(c::id("user_id"))
            .col(c::word("role", &["member", "admin", "owner"]))
            .col(c::word("status", &["pending", "active", "removed"]))
            .col(c::optional_id("invited_by"))
            .col(c::optional_id("invitation_id"))
            .col(c::optional_time(m, "joined_at"))
            .col(c::optional_time(m, "removed_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["account_id", "user_id"]))
            .to_owned();
        m.create_table(members).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("team_members").to_owned()).await
    }
}

const BY_USER: [&str; 3] = ["user_id", "status", "account_id"];

/// A user's teams.
pub struct TeamMembersByUser;
named!(TeamMembersByUser, "m0304_team_members_by_user");

#[async_trait::async_trait]
impl MigrationTrait for TeamMembersByUser {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("team_members", &BY_USER, false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("team_members", &BY_USER, false)).await
    }
}

/// `team_allocations`: the most of a meter that a member may use in a period; no row is no cap.
pub struct TeamAllocations;
named!(TeamAllocations, "m0305_team_allocations");

#[async_trait::async_trait]
impl MigrationTrait for TeamAllocations {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let allocations = table(m, "team_allocations")
            .await?
            .col(c::id("account_id"))
            .col(c::id("user_id"))
            .col(c::text("meter", 32))
            .col(c::integer(m, "quantity"))
            .primary_key(&mut c::key(&["account_id", "user_id", "meter"]))
            .check(Expr::cust("quantity >= 0"))
            .to_owned();
        m.create_table(allocations).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("team_allocations").to_owned()).await
    }
}

/// A team that is deleted ends the keys on its account.
pub struct ApiKeysByAccount;
named!(ApiKeysByAccount, "m0307_api_keys_by_account");

#[async_trait::async_trait]
impl MigrationTrait for ApiKeysByAccount {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("api_keys", &["account_id"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("api_keys", &["account_id"], false)).await
    }
}

/// `team_invitations`: each lets one person in.
pub struct TeamInvitations;
named!(TeamInvitations, "m0306_team_invitations");

#[async_trait::async_trait]
impl MigrationTrait for TeamInvitations {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let invitations = table(m, "team_invitations")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::text("code", 32))
            .col(c::optional_text("email", 254))
            .col(c::word("role", &["member", "admin"]))
            .col(c::id("invited_by"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "expires_at"))
            .col(c::optional_id("accepted_by"))
            .col(c::optional_time(m, "ended_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .index(&mut c::index("team_invitations", &["code"], true))
            .to_owned();
        m.create_table(invitations).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("team_invitations").to_owned()).await
    }
}
