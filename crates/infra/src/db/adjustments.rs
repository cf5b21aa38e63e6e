//! Operators' adjustments in `ledger_adjustments`. A decision is one conditional UPDATE and its count of rows.

use super::columns::{corrupt, currency};
use super::entity::ledger_adjustment::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, AdjustmentId, TransferId, UserId};
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};
use domain::wallet::{Adjustment, AdjustmentRepository, AdjustmentStatus};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

const TABLE: &str = "ledger_adjustments";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> AdjustmentRepository for Repos<C> {
    async fn insert(&self, adjustment: &Adjustment) -> StoreResult<()> {
        let insert = Entity::insert(ActiveModel::from(row(adjustment))).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find(&self, id: AdjustmentId) -> StoreResult<Option<Adjustment>> {
        let row = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        row.as_ref().map(adjustment).transpose()
    }

    async fn decide(&self, adjustment: &Adjustment) -> StoreResult<()> {
        let row = row(adjustment);
        let decided = Entity::update_many()
            .col_expr(Column::Status, Expr::value(row.status))
            .col_expr(Column::DecidedBy, Expr::value(row.decided_by))
            .col_expr(Column::DecidedAt, Expr::value(row.decided_at))
            .col_expr(Column::TransferId, Expr::value(row.transfer_id))
            .filter(Column::Id.eq(row.id))
            .filter(Column::Status.eq(AdjustmentStatus::Pending.name()))
            .exec(&self.conn)
            .await
            .map_err(store_error)?;
        if decided.rows_affected == 1 { Ok(()) } else { Err(StoreError::Contended) }
    }

    async fn list(&self, status: Option<AdjustmentStatus>, page: PageRequest) -> StoreResult<Page<Adjustment>> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        if let Some(status) = status {
            query = query.filter(Column::Status.eq(status.name()));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let rows = rows.iter().map(adjustment).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(rows, page.limit, |adjustment| adjustment.id.as_uuid()))
    }
}

fn row(adjustment: &Adjustment) -> Model {
    Model {
        id: adjustment.id.as_uuid(),
        account_id: adjustment.account.as_uuid(),
        amount: adjustment.amount.nanos(),
        currency: adjustment.currency().code().to_owned(),
        reason: adjustment.reason.clone(),
        status: adjustment.status.name().to_owned(),
        requested_by: adjustment.requested_by.as_uuid(),
        requested_at: adjustment.requested_at,
        decided_by: adjustment.decided_by.map(UserId::as_uuid),
        decided_at: adjustment.decided_at,
        transfer_id: adjustment.transfer.map(TransferId::as_uuid),
    }
}

fn adjustment(row: &Model) -> StoreResult<Adjustment> {
    Ok(Adjustment {
        id: AdjustmentId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        amount: Money::from_nanos(row.amount, currency(&row.currency, TABLE)?),
        reason: row.reason.clone(),
        status: AdjustmentStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        requested_by: UserId::from_uuid(row.requested_by),
        requested_at: row.requested_at,
        decided_by: row.decided_by.map(UserId::from_uuid),
        decided_at: row.decided_at,
        transfer: row.transfer_id.map(TransferId::from_uuid),
    })
}
