//! Counters, grants and warnings.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;

/// `quota_counters`: one row per subject, meter and period. The subject is the account's pool or one member.
pub struct QuotaCounters;
named!(QuotaCounters, "m0201_quota_counters");

#[async_trait::async_trait]
impl MigrationTrait for QuotaCounters {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let counters = table(m, "quota_counters")
            .await?
            .col(c::id("account_id"))
            .col(c::time(m, "period_start"))
            .col(c::id("subject_id"))
            .col(c::text("meter", 32))
            .col(c::time(m, "period_end"))
            .col(c::integer(m, "used"))
            .col(c::integer(m, "reserved"))
            .col(c::integer(m, "peak"))
            .col(c::integer(m, "from_allowance"))
            .col(c::integer(m, "from_grants"))
            .col(c::integer(m, "from_overage"))
            .col(c::integer(m, "from_wallet"))
            .col(c::integer(m, "overage_fee_nanos"))
            .col(c::text("currency", 3))
            .col(c::text("warnings_fired", 128))
            .col(c::integer(m, "warned_limit"))
            .col(c::small("warning_generation"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["account_id", "period_start", "subject_id", "meter"]))
            .to_owned();
        m.create_table(counters).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("quota_counters").to_owned()).await
    }
}

/// `quota_grants`: extra quota with an origin, used after the allowance.
pub struct QuotaGrants;
named!(QuotaGrants, "m0202_quota_grants");

#[async_trait::async_trait]
impl MigrationTrait for QuotaGrants {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let origins = ["pack", "redemption", "gift", "check_in", "referral", "manual"];
        let grants = table(m, "quota_grants")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::text("meter", 32))
            .col(c::word("origin", &origins))
            .col(c::text("reference", 191))
            .col(c::small("priority"))
            .col(c::integer(m, "quantity"))
            .col(c::integer(m, "remaining"))
            .col(c::integer(m, "revoked"))
            .col(c::optional_long_text("models"))
            .col(c::optional_time(m, "expires_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .index(&mut c::index("quota_grants", &["account_id", "origin", "reference"], true))
            .check(Expr::cust("remaining >= 0 AND revoked >= 0 AND remaining + revoked <= quantity"))
            .to_owned();
        m.create_table(grants).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("quota_grants").to_owned()).await
    }
}

/// `quota_warnings`: each threshold that fired, once per subject, meter, period and generation.
pub struct QuotaWarnings;
named!(QuotaWarnings, "m0203_quota_warnings");

#[async_trait::async_trait]
impl MigrationTrait for QuotaWarnings {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let once = ["account_id", "subject_id", "meter", "period_start", "threshold", "generation"];
        let warnings = table(m, "quota_warnings")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("subject_id"))
            .col(c::text("meter", 32))
            .col(c::time(m, "period_start"))
            .col(c::small("threshold"))
            .col(c::small("generation"))
            .col(c::integer(m, "limit_atoms"))
            .col(c::integer(m, "used_atoms"))
            .col(c::id("usage_id"))
            .col(c::time(m, "fired_at"))
            .index(&mut c::index("quota_warnings", &once, true))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .to_owned();
        m.create_table(warnings).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("quota_warnings").to_owned()).await
    }
}
