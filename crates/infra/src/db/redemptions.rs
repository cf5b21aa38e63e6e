//! Redemption codes: batches, codes, and who used which.

use super::bulk::Existing;
use super::columns::corrupt;
use super::entity::{redemption_batch as batches, redemption_code as codes, redemption_use as uses};
use super::error::store_error;
use super::repos::Repos;
use super::rewards::{self, RewardColumns};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, RedemptionBatchId, RedemptionCodeId, RedemptionUseId, UserId};
use domain::incentives::{
    MAX_CODES, RedemptionBatch, RedemptionBatchRepository, RedemptionCode, RedemptionCodeRepository, RedemptionUse,
    RedemptionUseRepository, SealedCode,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};

const BATCHES: &str = "redemption_batches";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> RedemptionBatchRepository for Repos<C> {
    async fn insert(&self, batch: &RedemptionBatch) -> StoreResult<()> {
        let insert = batches::Entity::insert(batch_row(batch)?.into_active_model());
        insert.exec_without_returning(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn find(&self, id: RedemptionBatchId) -> StoreResult<Option<RedemptionBatch>> {
        let query = batches::Entity::find_by_id(id.as_uuid());
        query.one(&self.conn).await.map_err(store_error)?.map(batch_of).transpose()
    }

    async fn find_many(&self, ids: &[RedemptionBatchId]) -> StoreResult<Vec<RedemptionBatch>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = ids.iter().map(|id| id.as_uuid());
        let query = batches::Entity::find().filter(batches::Column::Id.is_in(wanted));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(batch_of).collect()
    }

    async fn list(&self, page: PageRequest) -> StoreResult<Page<RedemptionBatch>> {
        let rows = newest(batches::Entity::find(), batches::Column::Id, page);
        let rows = rows.all(&self.conn).await.map_err(store_error)?;
        let found = rows.into_iter().map(batch_of).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(found, page.limit, |batch| batch.id.as_uuid()))
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> RedemptionCodeRepository for Repos<C> {
    async fn insert(&self, new: &[RedemptionCode]) -> StoreResult<()> {
        let rows: Vec<_> = new.iter().map(code_row).collect();
        self.together().insert::<codes::Entity>(&rows, Existing::Fail).execute(&self.conn).await
    }

    async fn find(&self, id: RedemptionCodeId) -> StoreResult<Option<RedemptionCode>> {
        let query = codes::Entity::find_by_id(id.as_uuid());
        Ok(query.one(&self.conn).await.map_err(store_error)?.map(code_of))
    }

    async fn find_by_digest(&self, digest: &str) -> StoreResult<Option<RedemptionCode>> {
        let query = codes::Entity::find().filter(codes::Column::Digest.eq(digest));
        Ok(query.one(&self.conn).await.map_err(store_error)?.map(code_of))
    }

    async fn take(&self, id: RedemptionCodeId, now: DateTime<Utc>) -> StoreResult<bool> {
        let one_left = Expr::col(codes::Column::Used).add(1_i64).lte(Expr::col(codes::Column::MaxUses));
        let take = codes::Entity::update_many()
            .col_expr(codes::Column::Used, Expr::col(codes::Column::Used).add(1_i64))
            .col_expr(codes::Column::UpdatedAt, Expr::value(now))
            .filter(codes::Column::Id.eq(id.as_uuid()))
            .filter(codes::Column::Enabled.eq(true))
            .filter(one_left);
        take.exec(&self.conn).await.map(|done| done.rows_affected == 1).map_err(store_error)
    }

    async fn set_enabled(
        &self,
        batch: RedemptionBatchId,
        only: Option<RedemptionCodeId>,
        enabled: bool,
        now: DateTime<Utc>,
    ) -> StoreResult<u64> {
        let mut update = codes::Entity::update_many()
            .col_expr(codes::Column::Enabled, Expr::value(enabled))
            .col_expr(codes::Column::UpdatedAt, Expr::value(now))
            .filter(codes::Column::BatchId.eq(batch.as_uuid()))
            .filter(codes::Column::Enabled.eq(!enabled));
        if let Some(only) = only {
            update = update.filter(codes::Column::Id.eq(only.as_uuid()));
        }
        update.exec(&self.conn).await.map(|done| done.rows_affected).map_err(store_error)
    }

    async fn list(&self, batch: RedemptionBatchId, page: PageRequest) -> StoreResult<Page<RedemptionCode>> {
        let of_batch = codes::Entity::find().filter(codes::Column::BatchId.eq(batch.as_uuid()));
        let rows = newest(of_batch, codes::Column::Id, page).all(&self.conn).await.map_err(store_error)?;
        Ok(Page::cut(rows.into_iter().map(code_of).collect(), page.limit, |code| code.id.as_uuid()))
    }

    async fn all(&self, batch: RedemptionBatchId) -> StoreResult<Vec<RedemptionCode>> {
        let query = codes::Entity::find()
            .filter(codes::Column::BatchId.eq(batch.as_uuid()))
            .order_by_asc(codes::Column::Id)
            .limit(u64::from(MAX_CODES));
        Ok(query.all(&self.conn).await.map_err(store_error)?.into_iter().map(code_of).collect())
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> RedemptionUseRepository for Repos<C> {
    async fn insert(&self, used: &RedemptionUse) -> StoreResult<()> {
        let insert = uses::Entity::insert(use_row(used).into_active_model());
        insert.exec_without_returning(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn find(&self, user: UserId, code: RedemptionCodeId) -> StoreResult<Option<RedemptionUse>> {
        let query = uses::Entity::find()
            .filter(uses::Column::UserId.eq(user.as_uuid()))
            .filter(uses::Column::CodeId.eq(code.as_uuid()));
        Ok(query.one(&self.conn).await.map_err(store_error)?.map(|row| use_of(&row)))
    }

    async fn list_of_user(&self, user: UserId, page: PageRequest) -> StoreResult<Page<RedemptionUse>> {
        let of_user = uses::Entity::find().filter(uses::Column::UserId.eq(user.as_uuid()));
        let rows = newest(of_user, uses::Column::Id, page).all(&self.conn).await.map_err(store_error)?;
        Ok(Page::cut(rows.iter().map(use_of).collect(), page.limit, |used| used.id.as_uuid()))
    }

    async fn list_of_batch(&self, batch: RedemptionBatchId, page: PageRequest) -> StoreResult<Page<RedemptionUse>> {
        let of_batch = uses::Entity::find().filter(uses::Column::BatchId.eq(batch.as_uuid()));
        let rows = newest(of_batch, uses::Column::Id, page).all(&self.conn).await.map_err(store_error)?;
        Ok(Page::cut(rows.iter().map(use_of).collect(), page.limit, |used| used.id.as_uuid()))
    }
}

/// A page and one more, newest first.
fn newest<E: EntityTrait>(query: Select<E>, id: E::Column, page: PageRequest) -> Select<E> {
    let query = query.order_by_desc(id).limit(u64::from(page.limit) + 1);
    match page.before {
        Some(before) => query.filter(id.lt(before)),
        None => query,
    }
}

fn batch_row(batch: &RedemptionBatch) -> StoreResult<batches::Model> {
    let reward = rewards::columns(&batch.reward, BATCHES)?;
    Ok(batches::Model {
        id: batch.id.as_uuid(),
        name: batch.name.clone(),
        amount_nanos: reward.amount_nanos,
        currency: reward.currency,
        meter: reward.meter,
        quantity: reward.quantity,
        models: reward.models,
        valid_days: reward.valid_days,
        is_gift: batch.is_gift,
        count: i32::try_from(batch.count).map_err(|_| corrupt(BATCHES, "count"))?,
        max_uses: batch.max_uses,
        valid_from: batch.valid_from,
        valid_until: batch.valid_until,
        created_by: batch.created_by.as_uuid(),
        created_at: batch.created_at,
    })
}

fn batch_of(row: batches::Model) -> StoreResult<RedemptionBatch> {
    let columns = RewardColumns {
        amount_nanos: row.amount_nanos,
        currency: row.currency,
        meter: row.meter,
        quantity: row.quantity,
        models: row.models,
        valid_days: row.valid_days,
    };
    Ok(RedemptionBatch {
        id: RedemptionBatchId::from_uuid(row.id),
        name: row.name,
        reward: rewards::reward(columns, BATCHES)?,
        is_gift: row.is_gift,
        count: u32::try_from(row.count).map_err(|_| corrupt(BATCHES, "count"))?,
        max_uses: row.max_uses,
        valid_from: row.valid_from,
        valid_until: row.valid_until,
        created_by: UserId::from_uuid(row.created_by),
        created_at: row.created_at,
    })
}

fn code_row(code: &RedemptionCode) -> codes::Model {
    codes::Model {
        id: code.id.as_uuid(),
        batch_id: code.batch.as_uuid(),
        digest: code.digest.clone(),
        sealed: code.sealed.0.clone(),
        hint: code.hint.clone(),
        used: code.used,
        max_uses: code.max_uses,
        enabled: code.enabled,
        created_at: code.created_at,
        updated_at: code.updated_at,
    }
}

fn code_of(row: codes::Model) -> RedemptionCode {
    RedemptionCode {
        id: RedemptionCodeId::from_uuid(row.id),
        batch: RedemptionBatchId::from_uuid(row.batch_id),
        digest: row.digest,
        sealed: SealedCode(row.sealed),
        hint: row.hint,
        used: row.used,
        max_uses: row.max_uses,
        enabled: row.enabled,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn use_row(used: &RedemptionUse) -> uses::Model {
    uses::Model {
        user_id: used.user.as_uuid(),
        id: used.id.as_uuid(),
        code_id: used.code.as_uuid(),
        batch_id: used.batch.as_uuid(),
        account_id: used.account.as_uuid(),
        redeemed_at: used.redeemed_at,
    }
}

fn use_of(row: &uses::Model) -> RedemptionUse {
    RedemptionUse {
        user: UserId::from_uuid(row.user_id),
        id: RedemptionUseId::from_uuid(row.id),
        code: RedemptionCodeId::from_uuid(row.code_id),
        batch: RedemptionBatchId::from_uuid(row.batch_id),
        account: AccountId::from_uuid(row.account_id),
        redeemed_at: row.redeemed_at,
    }
}
