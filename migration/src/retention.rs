//! What deleting old usage rows needs: where rows without a month's partition go, and which periods are open.

use crate::columns::{self as c, named};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// `usage_records_catch_all`: PostgreSQL's default partition. MySQL's comes with the table, and SQLite has none.
pub struct UsageCatchAll;
named!(UsageCatchAll, "m0220_usage_catch_all");

const CREATE: &str = "CREATE TABLE usage_records_catch_all PARTITION OF usage_records DEFAULT";

#[async_trait::async_trait]
impl MigrationTrait for UsageCatchAll {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        if m.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        m.get_connection().execute_unprepared(CREATE).await.map(drop)
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        if m.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        m.get_connection().execute_unprepared("DROP TABLE usage_records_catch_all").await.map(drop)
    }
}

/// The retention asks for the oldest period that is not closed.
pub struct QuotaPeriodsOpen;
named!(QuotaPeriodsOpen, "m0221_quota_periods_open");

const OPEN: [&str; 2] = ["closed_at", "period_start"];

#[async_trait::async_trait]
impl MigrationTrait for QuotaPeriodsOpen {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("quota_periods", &OPEN, false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("quota_periods", &OPEN, false)).await
    }
}
