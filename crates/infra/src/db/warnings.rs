//! Fired warnings in `quota_warnings`.

use super::bulk::Existing;
use super::columns::{corrupt, meter};
use super::entity::quota_warning::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, UsageId, WarningId};
use domain::page::{Page, PageRequest};
use domain::plans::Percent;
use domain::quantity::Quantity;
use domain::quota::{FiredWarning, WarningFilter, WarningRepository};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

const TABLE: &str = "quota_warnings";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> WarningRepository for Repos<C> {
    async fn insert(&self, warnings: &[FiredWarning]) -> StoreResult<()> {
        let rows: Vec<_> = warnings.iter().map(row).collect();
        self.insert_all::<Entity>(&rows, Existing::Fail).await
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &WarningFilter,
        page: PageRequest,
    ) -> StoreResult<Page<FiredWarning>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(Column::Id)
            .limit(u64::from(page.limit) + 1);
        if let Some(meter) = &filter.meter {
            query = query.filter(Column::Meter.eq(meter.as_str()));
        }
        if let Some(member) = filter.member {
            query = query.filter(Column::SubjectId.is_in([account.as_uuid(), member.as_uuid()]));
        }
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let warnings = rows.into_iter().map(|row| warning(&row)).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(warnings, page.limit, |warning| warning.id.as_uuid()))
    }
}

fn row(warning: &FiredWarning) -> Model {
    Model {
        account_id: warning.account.as_uuid(),
        id: warning.id.as_uuid(),
        subject_id: warning.subject,
        meter: warning.meter.to_string(),
        period_start: warning.period_start,
        threshold: i32::from(warning.threshold.get()),
        generation: warning.generation,
        limit_atoms: warning.limit.as_atoms(),
        used_atoms: warning.used.as_atoms(),
        usage_id: warning.usage.as_uuid(),
        fired_at: warning.fired_at,
    }
}

fn warning(row: &Model) -> StoreResult<FiredWarning> {
    let threshold = u16::try_from(row.threshold).ok().and_then(Percent::new);
    Ok(FiredWarning {
        id: WarningId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        subject: row.subject_id,
        meter: meter(&row.meter, TABLE)?,
        period_start: row.period_start,
        threshold: threshold.ok_or(corrupt(TABLE, "threshold"))?,
        generation: row.generation,
        limit: Quantity::atoms(row.limit_atoms),
        used: Quantity::atoms(row.used_atoms),
        usage: UsageId::from_uuid(row.usage_id),
        fired_at: row.fired_at,
    })
}
