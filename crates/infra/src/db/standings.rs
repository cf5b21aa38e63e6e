//! Subscriptions with their current counters, read by one statement: what every batch of usage begins with.

use super::cells::{Cells, InOrder};
use super::columns::{one_of, rows_per_statement};
use super::entity::{quota_counter, quota_grant, user_subscription};
use super::error::store_error;
use super::repos::Repos;
use super::{counters, subscriptions};
use async_trait::async_trait;
use domain::id::AccountId;
use domain::metering::{Standing, StandingRepository};
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{
    Condition, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryResult, QuerySelect, QueryTrait,
};

const HAS_GRANTS: &str = "has_grants";

/// A subscription beside one of its counters, if it has any.
struct Row {
    subscription: user_subscription::Model,
    counter: Option<quota_counter::Model>,
    has_grants: bool,
}

impl Row {
    /// Both entities' columns in order, then whether there are grants.
    fn of(row: &QueryResult) -> Result<Self, DbErr> {
        let mut cells = Cells::of(row);
        Ok(Self {
            subscription: InOrder::read(&mut cells)?,
            counter: InOrder::read_optional(&mut cells)?,
            has_grants: cells.read()?,
        })
    }
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> StandingRepository for Repos<C> {
    async fn load(&self, accounts: &[AccountId]) -> StoreResult<Vec<Standing>> {
        let mut standings: Vec<Standing> = Vec::with_capacity(accounts.len());
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let ids = chunk.iter().map(|account| account.as_uuid()).collect();
            let mine = one_of(self.conn.get_database_backend(), user_subscription::Column::AccountId, ids);
            let mut query = user_subscription::Entity::find().filter(mine).select_also(quota_counter::Entity);
            QuerySelect::query(&mut query)
                .join(JoinType::LeftJoin, quota_counter::Entity, of_the_pool_now())
                .expr_as(has_grants(), HAS_GRANTS)
                .order_by((user_subscription::Entity, user_subscription::Column::AccountId), Order::Asc);
            let rows = self.conn.query_all(&query.into_query()).await.map_err(store_error)?;
            for row in rows {
                add(&mut standings, Row::of(&row).map_err(store_error)?)?;
            }
        }
        Ok(standings)
    }
}

/// The counters of an account's pool in the subscription's period.
fn of_the_pool_now() -> Condition {
    use quota_counter::Column as C;
    use user_subscription::Column as S;
    let equal = |counter: C, other: Expr| Expr::col((quota_counter::Entity, counter)).eq(other);
    Condition::all()
        .add(equal(C::AccountId, Expr::col((user_subscription::Entity, S::AccountId))))
        .add(equal(C::PeriodStart, Expr::col((user_subscription::Entity, S::PeriodStart))))
        .add(equal(C::SubjectId, Expr::col((user_subscription::Entity, S::AccountId))))
}

fn has_grants() -> Expr {
    use quota_grant::Column as G;
    let account = Expr::col((user_subscription::Entity, user_subscription::Column::AccountId));
    let left = Query::select()
        .expr(Expr::val(1))
        .from(quota_grant::Entity)
        .and_where(Expr::col((quota_grant::Entity, G::AccountId)).eq(account))
        .and_where(Expr::col((quota_grant::Entity, G::Remaining)).gt(0))
        .take();
    Expr::exists(left)
}

fn add(standings: &mut Vec<Standing>, row: Row) -> StoreResult<()> {
    let counter = row.counter.as_ref().map(counters::counter).transpose()?;
    match standings.last_mut() {
        Some(last) if last.subscription.account.as_uuid() == row.subscription.account_id => {
            last.counters.extend(counter);
        }
        _ => {
            let subscription = subscriptions::subscription(row.subscription)?;
            let counters = counter.into_iter().collect();
            standings.push(Standing { subscription, counters, has_grants: row.has_grants });
        }
    }
    Ok(())
}
