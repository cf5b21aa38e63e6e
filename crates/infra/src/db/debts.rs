//! Debts in `account_debts`.

use super::bulk::Existing;
use super::columns::{corrupt, meter};
use super::entity::account_debt::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::error::LimitKind;
use domain::id::{AccountId, ApiKeyId, DebtId, ReservationId, UsageId, UserId};
use domain::metering::{Debt, DebtRepository};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

const TABLE: &str = "account_debts";
/// What was refused by no limit, but for its size.
const BY_SIZE: &str = "size";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> DebtRepository for Repos<C> {
    async fn insert(&self, debts: &[Debt]) -> StoreResult<()> {
        let rows: Vec<_> = debts.iter().map(row).collect();
        self.together().insert::<Entity>(&rows, Existing::Fail).execute(&self.conn).await
    }

    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<Debt>> {
        listed(self, Entity::find().filter(Column::AccountId.eq(account.as_uuid())), page).await
    }

    async fn list_all(&self, page: PageRequest) -> StoreResult<Page<Debt>> {
        listed(self, Entity::find(), page).await
    }
}

async fn listed<C: ConnectionTrait>(
    repos: &Repos<C>,
    query: Select<Entity>,
    page: PageRequest,
) -> StoreResult<Page<Debt>> {
    let mut query = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
    if let Some(before) = page.before {
        query = query.filter(Column::Id.lt(before));
    }
    let rows = query.all(&repos.conn).await.map_err(store_error)?;
    let debts = rows.iter().map(debt).collect::<StoreResult<Vec<_>>>()?;
    Ok(Page::cut(debts, page.limit, |debt| debt.id.as_uuid()))
}

fn row(debt: &Debt) -> Model {
    Model {
        account_id: debt.account.as_uuid(),
        id: debt.id.as_uuid(),
        reservation_id: debt.reservation.as_uuid(),
        usage_id: debt.usage.as_uuid(),
        meter: debt.meter.to_string(),
        quantity: debt.quantity.as_atoms(),
        refused_by: debt.refused_by.map_or(BY_SIZE, LimitKind::name).to_owned(),
        user_id: debt.user.map(UserId::as_uuid),
        api_key_id: debt.api_key.map(ApiKeyId::as_uuid),
        period_start: debt.period_start,
        created_at: debt.created_at,
    }
}

fn debt(row: &Model) -> StoreResult<Debt> {
    let refused_by = match row.refused_by.as_str() {
        BY_SIZE => None,
        name => Some(LimitKind::parse(name).ok_or_else(|| corrupt(TABLE, "refused_by"))?),
    };
    Ok(Debt {
        id: DebtId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        reservation: ReservationId::from_uuid(row.reservation_id),
        usage: UsageId::from_uuid(row.usage_id),
        meter: meter(&row.meter, TABLE)?,
        quantity: Quantity::atoms(row.quantity),
        refused_by,
        user: row.user_id.map(UserId::from_uuid),
        api_key: row.api_key_id.map(ApiKeyId::from_uuid),
        period_start: row.period_start,
        created_at: row.created_at,
    })
}
