//! Plan versions, subscriptions and their quota periods.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;

const INTERVALS: [&str; 2] = ["month", "year"];
const STATUSES: [&str; 6] = ["pending", "active", "past_due", "suspended", "cancelled", "expired"];

/// `plan_versions`: every content a plan was ever sold with; rows never change.
pub struct PlanVersions;
named!(PlanVersions, "m0151_plan_versions");

#[async_trait::async_trait]
impl MigrationTrait for PlanVersions {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let versions = table(m, "plan_versions")
            .await?
            .col(c::id("id"))
            .col(c::text("plan_code", 32))
            .col(c::small("number"))
            .col(c::text("content_hash", 64))
            .col(c::long_text("content"))
            .col(c::time(m, "created_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("plan_versions", &["plan_code", "number"], true))
            .index(&mut c::index("plan_versions", &["plan_code", "content_hash"], true))
            .to_owned();
        m.create_table(versions).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("plan_versions").to_owned()).await
    }
}

/// `user_subscriptions`: one per account, its paid term and the quota period that is open.
pub struct UserSubscriptions;
named!(UserSubscriptions, "m0152_user_subscriptions");

#[async_trait::async_trait]
impl MigrationTrait for UserSubscriptions {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let subscriptions = table(m, "user_subscriptions")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("plan_version_id"))
            .col(c::text("plan_code", 32))
            .col(c::word("plan_interval", &INTERVALS))
            .col(c::small("seats"))
            .col(c::word("status", &STATUSES))
            .col(c::day("anchor_day"))
            .col(c::text("time_zone", 64))
            .col(c::time(m, "term_start"))
            .col(c::time(m, "term_end"))
            .col(c::optional_integer(m, "paid_nanos"))
            .col(c::optional_text("paid_currency", 3))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "period_end"))
            .col(c::optional_time(m, "closed_until"))
            .col(c::optional_text("selected_ai_model", 128))
            .col(c::optional_long_text("scheduled_change"))
            .col(c::optional_long_text("awaiting_payment"))
            .col(c::boolean("cancel_at_term_end"))
            .col(c::time(m, "started_at"))
            .col(c::optional_time(m, "cancelled_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["account_id"]))
            .check(Expr::cust("(paid_nanos IS NULL) = (paid_currency IS NULL)"))
            .to_owned();
        m.create_table(subscriptions).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("user_subscriptions").to_owned()).await
    }
}

/// The roll-over asks for periods that ended.
pub struct UserSubscriptionsDue;
named!(UserSubscriptionsDue, "m0153_user_subscriptions_due");

#[async_trait::async_trait]
impl MigrationTrait for UserSubscriptionsDue {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("user_subscriptions", &["period_end"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("user_subscriptions", &["period_end"], false)).await
    }
}

/// `quota_periods`: which version, seats and interval held in which period of an account.
pub struct QuotaPeriods;
named!(QuotaPeriods, "m0154_quota_periods");

#[async_trait::async_trait]
impl MigrationTrait for QuotaPeriods {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let periods = table(m, "quota_periods")
            .await?
            .col(c::id("account_id"))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "period_end"))
            .col(c::id("plan_version_id"))
            .col(c::text("plan_code", 32))
            .col(c::word("plan_interval", &INTERVALS))
            .col(c::small("seats"))
            .col(c::optional_time(m, "closed_at"))
            .primary_key(&mut c::key(&["account_id", "period_start"]))
            .to_owned();
        m.create_table(periods).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("quota_periods").to_owned()).await
    }
}
