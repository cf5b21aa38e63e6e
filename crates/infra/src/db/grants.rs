//! Grants in `quota_grants`.

use super::bulk::Existing;
use super::columns::{corrupt, from_json, meter, one_of, rows_per_statement, to_json};
use super::entity::quota_grant::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::pairs;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, GrantId};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::quota::{Grant, GrantOrigin, GrantRepository};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

const TABLE: &str = "quota_grants";
const CHANGING: Existing =
    Existing::Replace(&["account_id", "id"], &["remaining", "held", "revoked", "revoked_at", "updated_at"]);

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> GrantRepository for Repos<C> {
    async fn load_live(&self, accounts: &[AccountId], now: DateTime<Utc>) -> StoreResult<Vec<Grant>> {
        let mut grants = Vec::new();
        for chunk in accounts.chunks(rows_per_statement(1)) {
            let unexpired = Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(now));
            let rows = Entity::find()
                .filter(one_of(
                    self.conn.get_database_backend(),
                    Column::AccountId,
                    chunk.iter().map(|account| account.as_uuid()).collect(),
                ))
                .filter(Column::Remaining.gt(0))
                .filter(unexpired)
                .all(&self.conn)
                .await
                .map_err(store_error)?;
            grants.extend(rows.into_iter().map(grant).collect::<StoreResult<Vec<_>>>()?);
        }
        grants.sort_by(Grant::drawing_order);
        Ok(grants)
    }

    async fn find_many(&self, ids: &[(AccountId, GrantId)]) -> StoreResult<Vec<Grant>> {
        let pairs = ids.iter().map(|(account, id)| (account.as_uuid(), id.as_uuid())).collect();
        let rows = pairs::find::<Entity, _>(self, pairs, (Column::AccountId, Column::Id)).await?;
        rows.into_iter().map(grant).collect()
    }

    async fn find(&self, account: AccountId, id: GrantId) -> StoreResult<Option<Grant>> {
        let found = Entity::find_by_id((account.as_uuid(), id.as_uuid())).one(&self.conn).await.map_err(store_error)?;
        found.map(grant).transpose()
    }

    async fn insert(&self, grant: &Grant) -> StoreResult<()> {
        let insert = Entity::insert(ActiveModel::from(row(grant, grant.created_at)?));
        insert.exec_without_returning(&self.conn).await.map_err(store_error)?;
        Ok(())
    }

    async fn save(&self, grants: &[Grant], now: DateTime<Utc>) -> StoreResult<()> {
        let rows = grants.iter().map(|grant| row(grant, now)).collect::<StoreResult<Vec<_>>>()?;
        self.insert_all::<Entity>(&rows, CHANGING).await
    }

    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<Grant>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(Column::Id)
            .limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let grants = rows.into_iter().map(grant).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(grants, page.limit, |grant| grant.id.as_uuid()))
    }
}

fn row(grant: &Grant, now: DateTime<Utc>) -> StoreResult<Model> {
    let models = grant.models.as_ref().map(|models| to_json(models, TABLE, "models")).transpose()?;
    Ok(Model {
        account_id: grant.account.as_uuid(),
        id: grant.id.as_uuid(),
        meter: grant.meter.to_string(),
        origin: grant.origin.name().to_owned(),
        reference: grant.reference.clone(),
        priority: grant.priority,
        quantity: grant.quantity.as_atoms(),
        remaining: grant.remaining.as_atoms(),
        held: grant.held.as_atoms(),
        revoked: grant.revoked.as_atoms(),
        revoked_at: grant.revoked_at,
        models,
        expires_at: grant.expires_at,
        created_at: grant.created_at,
        updated_at: now,
    })
}

fn grant(row: Model) -> StoreResult<Grant> {
    Ok(Grant {
        id: GrantId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        meter: meter(&row.meter, TABLE)?,
        origin: GrantOrigin::parse(&row.origin).ok_or(corrupt(TABLE, "origin"))?,
        reference: row.reference,
        priority: row.priority,
        quantity: Quantity::atoms(row.quantity),
        remaining: Quantity::atoms(row.remaining),
        held: Quantity::atoms(row.held),
        revoked: Quantity::atoms(row.revoked),
        revoked_at: row.revoked_at,
        models: row.models.map(|models| from_json(&models, TABLE, "models")).transpose()?,
        expires_at: row.expires_at,
        created_at: row.created_at,
    })
}
