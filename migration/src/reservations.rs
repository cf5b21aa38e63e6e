//! Reservations, what they hold of counters, grants and keys, and the debts that captures leave.

use crate::columns::{self as c, added_column, index_step, named, table};
use sea_orm_migration::prelude::*;

/// `reservations`: what is held until it is captured, released or expires. Each row ends once.
pub struct Reservations;
named!(Reservations, "m0210_reservations");

#[async_trait::async_trait]
impl MigrationTrait for Reservations {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let reservations = table(m, "reservations")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::text("reservation_key", 255))
            .col(c::text("fingerprint", 32))
            .col(c::word("status", &["open", "captured", "released", "expired"]))
            .col(c::text("meter", 32))
            .col(c::integer(m, "quantity"))
            .col(c::time(m, "period_start"))
            .col(c::optional_id("user_id"))
            .col(c::optional_id("api_key_id"))
            .col(c::optional_long_text("dimensions"))
            .col(c::long_text("parts"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "expires_at"))
            .col(c::optional_time(m, "ended_at"))
            .col(c::optional_text("end_key", 255))
            .col(c::integer(m, "captured"))
            .col(c::integer(m, "shortfall"))
            .col(c::optional_id("usage_id"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .index(&mut c::index("reservations", &["account_id", "reservation_key"], true))
            .check(Expr::cust("quantity > 0 AND captured >= 0 AND shortfall >= 0"))
            .check(Expr::cust("(status = 'open') = (ended_at IS NULL)"))
            .check(Expr::cust("(status = 'captured') = (captured > 0)"))
            .to_owned();
        m.create_table(reservations).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("reservations").to_owned()).await
    }
}

index_step!(
    /// A path names a reservation by its own id.
    ReservationsById, "m0211_reservations_by_id", "reservations", ["id"], true
);
index_step!(
    /// The sweeper asks for what is open and due.
    ReservationsDue, "m0212_reservations_due", "reservations", ["status", "expires_at"], false
);
index_step!(
    /// Operators list the debts of all accounts, newest first.
    AccountDebtsById, "m0218_account_debts_by_id", "account_debts", ["id"], true
);

added_column!(
    /// How much of `quota_counters.reserved` grants hold.
    CountersHeldGrants, "m0213_quota_counters_held_grants", "quota_counters", "held_grants",
    |m| c::integer(m, "held_grants").default(0).take()
);
added_column!(
    /// What reservations hold of a grant.
    GrantsHeld, "m0214_quota_grants_held", "quota_grants", "held",
    |m| c::integer(m, "held").default(0).take()
);
added_column!(
    /// What is let go of a revoked grant is revoked too.
    GrantsRevokedAt, "m0215_quota_grants_revoked_at", "quota_grants", "revoked_at",
    |m| c::optional_time(m, "revoked_at")
);
added_column!(
    /// What reservations hold of a key's allowance.
    ApiKeysAllowanceHeld, "m0216_api_keys_allowance_held", "api_keys", "allowance_held",
    |m| c::integer(m, "allowance_held").default(0).take()
);

/// `account_debts`: what was used beyond a reservation and no limit allowed.
pub struct AccountDebts;
named!(AccountDebts, "m0217_account_debts");

#[async_trait::async_trait]
impl MigrationTrait for AccountDebts {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let debts = table(m, "account_debts")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("reservation_id"))
            .col(c::id("usage_id"))
            .col(c::text("meter", 32))
            .col(c::integer(m, "quantity"))
            .col(c::word(
                "refused_by",
                &[
                    "account_status",
                    "subscription_status",
                    "api_key_allowance",
                    "member_allocation",
                    "plan_allowance",
                    "spend_cap",
                    "wallet",
                    "size",
                ],
            ))
            .col(c::optional_id("user_id"))
            .col(c::optional_id("api_key_id"))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "created_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .index(&mut c::index("account_debts", &["account_id", "reservation_id"], true))
            .check(Expr::cust("quantity > 0"))
            .to_owned();
        m.create_table(debts).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("account_debts").to_owned()).await
    }
}
