//! Coupons in `coupons`.

use super::columns::{corrupt, currency};
use super::entity::coupon::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{Coupon, CouponRepository, Reduction};
use domain::id::CouponId;
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::plans::PlanCode;
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

const TABLE: &str = "coupons";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> CouponRepository for Repos<C> {
    async fn insert(&self, coupon: &Coupon) -> StoreResult<()> {
        let insert = Entity::insert(ActiveModel::from(row(coupon))).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find(&self, id: CouponId) -> StoreResult<Option<Coupon>> {
        Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?.map(coupon).transpose()
    }

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Coupon>> {
        let query = Entity::find().filter(Column::Code.eq(code));
        query.one(&self.conn).await.map_err(store_error)?.map(coupon).transpose()
    }

    async fn use_once(&self, id: CouponId, now: DateTime<Utc>) -> StoreResult<bool> {
        let left =
            Condition::any().add(Column::MaxUses.is_null()).add(Expr::col(Column::Uses).lt(Expr::col(Column::MaxUses)));
        let update = Entity::update_many()
            .col_expr(Column::Uses, Expr::col(Column::Uses).add(1))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::Disabled.eq(false))
            .filter(left);
        Ok(update.exec(&self.conn).await.map_err(store_error)?.rows_affected == 1)
    }

    async fn give_back(&self, code: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::Uses, Expr::col(Column::Uses).sub(1))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Code.eq(code))
            .filter(Column::Uses.gt(0));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn disable(&self, id: CouponId, now: DateTime<Utc>) -> StoreResult<()> {
        let update = Entity::update_many()
            .col_expr(Column::Disabled, Expr::value(true))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, page: PageRequest) -> StoreResult<Page<Coupon>> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let coupons = rows.into_iter().map(coupon).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(coupons, page.limit, |coupon| coupon.id.as_uuid()))
    }
}

fn row(coupon: &Coupon) -> Model {
    let (kind, value, currency) = match coupon.reduction {
        Reduction::Percent(percent) => ("percent", i64::from(percent), None),
        Reduction::Fixed(amount) => ("fixed", amount.nanos(), Some(amount.currency().code().to_owned())),
    };
    Model {
        id: coupon.id.as_uuid(),
        code: coupon.code.clone(),
        kind: kind.to_owned(),
        value,
        currency,
        max_uses: coupon.max_uses.map(i64::from),
        uses: i64::from(coupon.uses),
        valid_from: coupon.valid_from,
        valid_until: coupon.valid_until,
        plan_code: coupon.plan.as_ref().map(ToString::to_string),
        disabled: coupon.disabled,
        created_at: coupon.created_at,
        updated_at: coupon.updated_at,
    }
}

fn coupon(row: Model) -> StoreResult<Coupon> {
    let count = |number: i64, column| u32::try_from(number).map_err(|_| corrupt(TABLE, column));
    let reduction = match (row.kind.as_str(), &row.currency) {
        ("percent", None) => Reduction::Percent(u8::try_from(row.value).map_err(|_| corrupt(TABLE, "value"))?),
        ("fixed", Some(code)) => Reduction::Fixed(Money::from_nanos(row.value, currency(code, TABLE)?)),
        _ => return Err(corrupt(TABLE, "kind")),
    };
    Ok(Coupon {
        id: CouponId::from_uuid(row.id),
        code: row.code,
        reduction,
        max_uses: row.max_uses.map(|most| count(most, "max_uses")).transpose()?,
        uses: count(row.uses, "uses")?,
        valid_from: row.valid_from,
        valid_until: row.valid_until,
        plan: match row.plan_code {
            Some(code) => Some(PlanCode::parse(&code).ok_or(corrupt(TABLE, "plan_code"))?),
            None => None,
        },
        disabled: row.disabled,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
