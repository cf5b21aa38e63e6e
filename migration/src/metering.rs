//! Usage rows, the keys that make them unique for ever, and their rollups.

use crate::columns::{self as c, named, table};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The partition of rows whose month has none: nothing is ever refused for want of a partition.
const CATCH_ALL: &str = "PARTITION BY RANGE COLUMNS (id) (PARTITION catch_all VALUES LESS THAN (MAXVALUE))";

/// `usage_records`: what was used. Keyed so that one account's rows lie together, in order of time.
///
/// Partitioned by ranges of ids where the database can; an id begins with the time of recording, so that a range is a
/// month, the primary key stays as it is, and whatever bounds the ids reads the partitions it needs.
pub struct UsageRecords;
named!(UsageRecords, "m0204_usage_records");

#[async_trait::async_trait]
impl MigrationTrait for UsageRecords {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let mut usage = table(m, "usage_records").await?;
        usage
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::text("usage_key", 255))
            .col(c::text("meter", 32))
            .col(c::integer(m, "quantity"))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "occurred_at"))
            .col(c::time(m, "recorded_at"))
            .col(c::boolean("adjustment"))
            .col(c::optional_id("user_id"))
            .col(c::optional_id("api_key_id"))
            .col(c::text("model", 128))
            .col(c::optional_long_text("dimensions"))
            .col(c::integer(m, "from_allowance"))
            .col(c::integer(m, "from_grants"))
            .col(c::integer(m, "from_overage"))
            .col(c::integer(m, "from_wallet"))
            .col(c::optional_long_text("grants"))
            .col(c::integer(m, "amount_nanos"))
            .col(c::text("currency", 3))
            .col(c::optional_integer(m, "remaining"))
            .col(c::text("warnings", 128))
            .primary_key(&mut c::key(&["account_id", "id"]));
        match m.get_database_backend() {
            DbBackend::Postgres => usage.extra("PARTITION BY RANGE (id)"),
            DbBackend::MySql => usage.extra(CATCH_ALL),
            _ => &mut usage,
        };
        m.create_table(usage).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("usage_records").to_owned()).await
    }
}

/// `usage_keys`: one row per key, kept after the usage row's retention, so that a key never works twice.
pub struct UsageKeys;
named!(UsageKeys, "m0205_usage_keys");

#[async_trait::async_trait]
impl MigrationTrait for UsageKeys {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let keys = table(m, "usage_keys")
            .await?
            .col(c::id("account_id"))
            .col(c::text("usage_key", 255))
            .col(c::id("usage_id"))
            .col(c::text("fingerprint", 32))
            .primary_key(&mut c::key(&["account_id", "usage_key"]))
            .to_owned();
        m.create_table(c::clustered(m, keys)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("usage_keys").to_owned()).await
    }
}

/// `usage_hourly`: sums by UTC hour, meter, model, API key and user.
pub struct UsageHourly;
named!(UsageHourly, "m0206_usage_hourly");

#[async_trait::async_trait]
impl MigrationTrait for UsageHourly {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        rollup(m, "usage_hourly", c::time(m, "bucket")).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("usage_hourly").to_owned()).await
    }
}

/// `usage_daily`: sums by local day of the billing time zone.
pub struct UsageDaily;
named!(UsageDaily, "m0207_usage_daily");

#[async_trait::async_trait]
impl MigrationTrait for UsageDaily {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        rollup(m, "usage_daily", c::day("bucket")).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("usage_daily").to_owned()).await
    }
}

/// `monthly_usage`: the days summed up by month (aimake's view of that name).
pub struct MonthlyUsage;
named!(MonthlyUsage, "m0208_monthly_usage");

const MONTHLY_USAGE: &str = "CREATE VIEW monthly_usage AS \
    SELECT account_id, user_id, meter, SUBSTR(bucket, 1, 7) AS month, \
    SUM(quantity) AS quantity, SUM(amount_nanos) AS amount_nanos, SUM(events) AS events \
    FROM usage_daily GROUP BY account_id, user_id, meter, SUBSTR(bucket, 1, 7)";

#[async_trait::async_trait]
impl MigrationTrait for MonthlyUsage {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(MONTHLY_USAGE).await.map(drop)
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared("DROP VIEW monthly_usage").await.map(drop)
    }
}

async fn rollup(m: &SchemaManager<'_>, name: &'static str, bucket: ColumnDef) -> Result<(), DbErr> {
    let rollup = table(m, name)
        .await?
        .col(c::id("account_id"))
        .col(bucket)
        .col(c::text("meter", 32))
        .col(c::text("model", 128))
        .col(c::id("api_key_id"))
        .col(c::id("user_id"))
        .col(c::integer(m, "quantity"))
        .col(c::integer(m, "amount_nanos"))
        .col(c::integer(m, "events"))
        .primary_key(&mut c::key(&["account_id", "bucket", "meter", "model", "api_key_id", "user_id"]))
        .to_owned();
    m.create_table(c::clustered(m, rollup)).await
}
