//! Periods whose overage is to be billed before they end, in `overage_dues`.

use super::bulk::Existing;
use super::entity::overage_due::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::AccountId;
use domain::metering::OverageDueRepository;
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Whoever notes a period again moves only the time.
const NOTING: Existing = Existing::Replace(&["account_id", "period_start"], &["noted_at"]);

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> OverageDueRepository for Repos<C> {
    async fn note(&self, periods: &[(AccountId, DateTime<Utc>)], now: DateTime<Utc>) -> StoreResult<()> {
        let row = |(account, start): &(AccountId, DateTime<Utc>)| Model {
            account_id: account.as_uuid(),
            period_start: *start,
            noted_at: now,
        };
        let rows: Vec<_> = periods.iter().map(row).collect();
        self.together().insert::<Entity>(&rows, NOTING).execute(&self.conn).await
    }

    async fn list(&self, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>> {
        let query =
            Entity::find().order_by_asc(Column::AccountId).order_by_asc(Column::PeriodStart).offset(skip).limit(most);
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        Ok(rows.into_iter().map(|row| (AccountId::from_uuid(row.account_id), row.period_start)).collect())
    }

    async fn settle(&self, account: AccountId, start: DateTime<Utc>) -> StoreResult<()> {
        let delete =
            Entity::delete_many().filter(Column::AccountId.eq(account.as_uuid())).filter(Column::PeriodStart.eq(start));
        delete.exec(&self.conn).await.map(drop).map_err(store_error)
    }
}
