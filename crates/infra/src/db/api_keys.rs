//! API keys in the database.

use super::bulk::Update;
use super::columns::{corrupt, from_json, one_of, to_json};
use super::entity::api_key::{ActiveModel, Column, Entity, Model};
use super::entity::{account, team_member};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::actor::Scope;
use domain::id::{AccountId, ApiKeyId, UserId};
use domain::identity::{ApiKey, ApiKeyRepository, IpAllowList, KeyAllowance, KeyDraft, KeyStatus, TokenHash};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::{StoreError, StoreResult};
use domain::teams::MembershipStatus;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, UpdateMany,
};

const TABLE: &str = "api_keys";
/// What uses change of a key.
const SPENDING: Update<Entity> =
    Update { key: &[Column::Id], set: &[Column::AllowanceUsed, Column::AllowanceHeld, Column::LastUsedAt], only: None };

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ApiKeyRepository for Repos<C> {
    async fn insert(&self, key: &ApiKey) -> StoreResult<()> {
        let insert = Entity::insert(row(key)?).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find_by_hash(&self, hash: TokenHash) -> StoreResult<Option<ApiKey>> {
        let query = Entity::find().filter(Column::TokenHash.eq(hash.to_hex()));
        query.one(&self.conn).await.map_err(store_error)?.map(key).transpose()
    }

    async fn find(&self, owner: UserId, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        let query = live(owner).filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(key).transpose()
    }

    async fn lock(&self, owner: UserId, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        let query = live(owner).filter(Column::Id.eq(id.as_uuid())).lock_exclusive();
        query.one(&self.conn).await.map_err(store_error)?.map(key).transpose()
    }

    async fn lock_allowances(&self, ids: &[ApiKeyId]) -> StoreResult<Vec<(ApiKeyId, KeyAllowance)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let backend = self.conn.get_database_backend();
        let query = Entity::find()
            .filter(one_of(backend, Column::Id, ids.iter().map(|id| id.as_uuid()).collect()))
            .filter(Column::AllowanceMeter.is_not_null())
            .order_by_asc(Column::Id)
            .lock_exclusive();
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        Ok(rows.into_iter().filter_map(|row| Some((ApiKeyId::from_uuid(row.id), allowance(&row)?))).collect())
    }

    async fn save(&self, key: &ApiKey) -> StoreResult<()> {
        let row = ActiveModel { last_used_at: NotSet, ..row(key)? };
        let update = Entity::update_many().set(row).filter(one(key.user, key.id));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn save_allowances(&self, used: &[(ApiKeyId, KeyAllowance)], now: DateTime<Utc>) -> StoreResult<()> {
        let row = |(id, allowance): &(ApiKeyId, KeyAllowance)| {
            let (used, held) = (allowance.used.as_atoms(), allowance.held.as_atoms());
            vec![id.as_uuid().into(), used.into(), held.into(), now.into()]
        };
        let rows: Vec<_> = used.iter().map(row).collect();
        let saved = self.update_all(&SPENDING, &rows).await?;
        if saved == rows.len() as u64 { Ok(()) } else { Err(StoreError::Contended) }
    }

    async fn touch(&self, owner: UserId, id: ApiKeyId, now: DateTime<Utc>) -> StoreResult<()> {
        let older = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(now));
        let update =
            Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now)).filter(one(owner, id)).filter(older);
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, owner: UserId, page: PageRequest) -> StoreResult<Page<ApiKey>> {
        let mut query = live(owner).order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let keys = rows.into_iter().map(key).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(keys, page.limit, |key| key.id.as_uuid()))
    }

    async fn count(&self, owner: UserId) -> StoreResult<usize> {
        let count = live(owner).count(&self.conn).await.map_err(store_error)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    async fn revoke_all(&self, owner: UserId, account: Option<AccountId>, now: DateTime<Utc>) -> StoreResult<u64> {
        let mut update = revoking(owner, now);
        if let Some(account) = account {
            update = update.filter(Column::AccountId.eq(account.as_uuid()));
        }
        update.exec(&self.conn).await.map(|done| done.rows_affected).map_err(store_error)
    }

    async fn revoke_of_account(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64> {
        let update = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(now))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::RevokedAt.is_null());
        update.exec(&self.conn).await.map(|done| done.rows_affected).map_err(store_error)
    }

    async fn revoke_operating(&self, owner: UserId, now: DateTime<Utc>) -> StoreResult<u64> {
        let own = account::Entity::find().select_only().column(account::Column::Id);
        let own = own.filter(account::Column::OwnerId.eq(owner.as_uuid())).into_query();
        let shared = team_member::Entity::find().select_only().column(team_member::Column::AccountId);
        let shared = shared
            .filter(team_member::Column::UserId.eq(owner.as_uuid()))
            .filter(team_member::Column::Status.eq(MembershipStatus::Active.as_str()))
            .into_query();
        // Scopes are stored as a JSON list of words without quotes in them.
        let holds = |scope: &Scope| Column::Scopes.contains(format!("\"{}\"", scope.as_str()));
        let strange =
            Condition::all().add(Column::AccountId.not_in_subquery(own)).add(Column::AccountId.not_in_subquery(shared));
        let operating = Condition::any().add(holds(&Scope::Service)).add(holds(&Scope::Admin)).add(strange);
        let update = revoking(owner, now).filter(operating);
        update.exec(&self.conn).await.map(|done| done.rows_affected).map_err(store_error)
    }
}

fn revoking(owner: UserId, now: DateTime<Utc>) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::UserId.eq(owner.as_uuid()))
        .filter(Column::RevokedAt.is_null())
}

fn live(owner: UserId) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(owner.as_uuid())).filter(Column::RevokedAt.is_null())
}

fn one(owner: UserId, id: ApiKeyId) -> Condition {
    Condition::all().add(Column::UserId.eq(owner.as_uuid())).add(Column::Id.eq(id.as_uuid()))
}

fn row(key: &ApiKey) -> StoreResult<ActiveModel> {
    let draft = &key.draft;
    let scopes: Vec<&str> = draft.scopes.iter().map(Scope::as_str).collect();
    let model = Model {
        user_id: key.user.as_uuid(),
        id: key.id.as_uuid(),
        account_id: key.account.as_uuid(),
        token_hash: key.token_hash.to_hex(),
        prefix: key.prefix.clone(),
        name: draft.name.clone(),
        scopes: to_json(&scopes, TABLE, "scopes")?,
        expires_at: draft.expires_at,
        allowance_meter: draft.allowance.as_ref().map(|allowance| allowance.meter.clone()),
        allowance_quantity: draft.allowance.as_ref().map(|allowance| allowance.quantity.as_atoms()),
        allowance_used: draft.allowance.as_ref().map_or(0, |allowance| allowance.used.as_atoms()),
        allowance_held: draft.allowance.as_ref().map_or(0, |allowance| allowance.held.as_atoms()),
        models: draft.models.as_ref().map(|models| to_json(models, TABLE, "models")).transpose()?,
        allowed_ips: draft
            .allowed_ips
            .as_ref()
            .map(|list| to_json(&list.to_texts(), TABLE, "allowed_ips"))
            .transpose()?,
        requests_per_minute: draft.requests_per_minute.map(i64::from),
        status: key.status.as_str().to_owned(),
        group_name: key.group_name.clone(),
        created_at: key.created_at,
        updated_at: key.updated_at,
        last_used_at: key.last_used_at,
        revoked_at: key.revoked_at,
    };
    Ok(model.into_active_model().reset_all())
}

fn key(row: Model) -> StoreResult<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        account: AccountId::from_uuid(row.account_id),
        token_hash: TokenHash::from_hex(&row.token_hash).ok_or_else(|| corrupt(TABLE, "token_hash"))?,
        prefix: row.prefix.clone(),
        status: KeyStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        group_name: row.group_name.clone(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        draft: draft(row)?,
    })
}

fn draft(row: Model) -> StoreResult<KeyDraft> {
    let scopes = from_json::<Vec<String>>(&row.scopes, TABLE, "scopes")?;
    let scopes = scopes.iter().map(|scope| Scope::parse(scope)).collect::<Option<Vec<_>>>();
    let allowance = allowance(&row);
    let texts = row.allowed_ips.map(|text| from_json::<Vec<String>>(&text, TABLE, "allowed_ips")).transpose()?;
    let allowed_ips =
        texts.map(|texts| IpAllowList::parse(&texts)).transpose().map_err(|_| corrupt(TABLE, "allowed_ips"))?;
    let requests = row.requests_per_minute.map(u32::try_from).transpose();
    Ok(KeyDraft {
        name: row.name,
        scopes: scopes.ok_or_else(|| corrupt(TABLE, "scopes"))?,
        expires_at: row.expires_at,
        allowance,
        models: row.models.map(|text| from_json(&text, TABLE, "models")).transpose()?,
        allowed_ips,
        requests_per_minute: requests.map_err(|_| corrupt(TABLE, "requests_per_minute"))?,
    })
}

fn allowance(row: &Model) -> Option<KeyAllowance> {
    row.allowance_meter.clone().zip(row.allowance_quantity).map(|(meter, quantity)| KeyAllowance {
        meter,
        quantity: Quantity::atoms(quantity),
        used: Quantity::atoms(row.allowance_used),
        held: Quantity::atoms(row.allowance_held),
    })
}
