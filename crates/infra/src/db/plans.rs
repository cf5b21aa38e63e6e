//! Plan versions in `plan_versions`. They never change, so each is read from the database once.

use super::columns::{corrupt, from_json, rows_per_statement, to_json};
use super::entity::plan_version::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::PlanVersionId;
use domain::plans::{Plan, PlanCode, PlanRepository, PlanVersion};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use std::sync::{Arc, PoisonError};

const TABLE: &str = "plan_versions";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> PlanRepository for Repos<C> {
    async fn find_versions(&self, ids: &[PlanVersionId]) -> StoreResult<Vec<Arc<PlanVersion>>> {
        let (mut found, missing) = self.remembered(ids);
        for chunk in missing.chunks(rows_per_statement(1)) {
            let rows = Entity::find()
                .filter(Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
                .all(&self.conn)
                .await
                .map_err(store_error)?;
            found.extend(self.remember(rows)?);
        }
        Ok(found)
    }

    async fn latest(&self, plan: &PlanCode) -> StoreResult<Option<Arc<PlanVersion>>> {
        let row = Entity::find()
            .filter(Column::PlanCode.eq(plan.as_str()))
            .order_by_desc(Column::Number)
            .one(&self.conn)
            .await
            .map_err(store_error)?;
        Ok(self.remember(row)?.pop())
    }

    async fn find_by_content(&self, plan: &PlanCode, content_hash: &str) -> StoreResult<Option<Arc<PlanVersion>>> {
        if let Some(version) = self.remembered_by_content(plan, content_hash) {
            return Ok(Some(version));
        }
        let row = Entity::find()
            .filter(Column::PlanCode.eq(plan.as_str()))
            .filter(Column::ContentHash.eq(content_hash))
            .one(&self.conn)
            .await
            .map_err(store_error)?;
        Ok(self.remember(row)?.pop())
    }

    async fn insert(&self, version: &PlanVersion) -> StoreResult<()> {
        // Not remembered here: the unit of work may yet be undone.
        let insert = Entity::insert(ActiveModel::from(row(version)?));
        insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }

    async fn list(&self) -> StoreResult<Vec<Arc<PlanVersion>>> {
        let rows = Entity::find()
            .order_by_asc(Column::PlanCode)
            .order_by_asc(Column::Number)
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        self.remember(rows)
    }
}

impl<C> Repos<C> {
    /// The versions in memory, and the ids that are not there.
    fn remembered(&self, ids: &[PlanVersionId]) -> (Vec<Arc<PlanVersion>>, Vec<PlanVersionId>) {
        let versions = self.shared.versions.read().unwrap_or_else(PoisonError::into_inner);
        let (known, missing): (Vec<PlanVersionId>, _) = ids.iter().copied().partition(|id| versions.contains_key(id));
        (known.iter().filter_map(|id| versions.get(id).cloned()).collect(), missing)
    }

    fn remembered_by_content(&self, plan: &PlanCode, content_hash: &str) -> Option<Arc<PlanVersion>> {
        let versions = self.shared.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.values().find(|version| version.content_hash == content_hash && version.plan.code == *plan).cloned()
    }

    fn remember(&self, rows: impl IntoIterator<Item = Model>) -> StoreResult<Vec<Arc<PlanVersion>>> {
        let found: Vec<_> = rows.into_iter().map(|row| version(row).map(Arc::new)).collect::<StoreResult<_>>()?;
        let mut versions = self.shared.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.extend(found.iter().map(|version| (version.id, version.clone())));
        Ok(found)
    }
}

fn row(version: &PlanVersion) -> StoreResult<Model> {
    Ok(Model {
        id: version.id.as_uuid(),
        plan_code: version.plan.code.to_string(),
        number: version.number,
        content_hash: version.content_hash.clone(),
        content: to_json(&version.plan, TABLE, "content")?,
        created_at: version.created_at,
    })
}

fn version(row: Model) -> StoreResult<PlanVersion> {
    let plan: Plan = from_json(&row.content, TABLE, "content")?;
    if plan.code.as_str() != row.plan_code {
        return Err(corrupt(TABLE, "plan_code"));
    }
    Ok(PlanVersion {
        id: PlanVersionId::from_uuid(row.id),
        plan,
        number: row.number,
        content_hash: row.content_hash,
        created_at: row.created_at,
    })
}
