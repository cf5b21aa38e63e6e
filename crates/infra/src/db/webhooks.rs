//! Webhook endpoints in `webhook_endpoints`.

use super::columns::{corrupt, from_json, padded, to_json};
use super::entity::webhook_endpoint::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::{AccountId, WebhookEndpointId};
use domain::notices::{EndpointState, OldSecret, SealedSecret, Topics, WebhookEndpoint, WebhookRepository};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

const TABLE: &str = "webhook_endpoints";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> WebhookRepository for Repos<C> {
    async fn find(&self, id: WebhookEndpointId) -> StoreResult<Option<WebhookEndpoint>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        found.map(endpoint).transpose()
    }

    async fn insert(&self, endpoint: &WebhookEndpoint) -> StoreResult<()> {
        let insert = Entity::insert(row(endpoint)?.into_active_model()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, endpoint: &WebhookEndpoint) -> StoreResult<()> {
        let update = Entity::update_many()
            .set(row(endpoint)?.into_active_model().reset_all())
            .filter(Column::AccountId.eq(endpoint.account.as_uuid()))
            .filter(Column::Id.eq(endpoint.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn delete(&self, account: AccountId, id: WebhookEndpointId) -> StoreResult<()> {
        let delete =
            Entity::delete_many().filter(Column::AccountId.eq(account.as_uuid())).filter(Column::Id.eq(id.as_uuid()));
        delete.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, account: AccountId, page: PageRequest) -> StoreResult<Page<WebhookEndpoint>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(Column::Id)
            .limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let endpoints = rows.into_iter().map(endpoint).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(endpoints, page.limit, |endpoint| endpoint.id.as_uuid()))
    }

    async fn count(&self, account: AccountId) -> StoreResult<usize> {
        let query = Entity::find().filter(Column::AccountId.eq(account.as_uuid()));
        let count = query.count(&self.conn).await.map_err(store_error)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    async fn of_accounts(&self, accounts: &[AccountId]) -> StoreResult<Vec<WebhookEndpoint>> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let ids = padded(accounts.iter().map(|account| account.as_uuid()).collect());
        let rows = Entity::find().filter(Column::AccountId.is_in(ids)).all(&self.conn).await.map_err(store_error)?;
        rows.into_iter().map(endpoint).collect()
    }
}

fn row(endpoint: &WebhookEndpoint) -> StoreResult<Model> {
    Ok(Model {
        id: endpoint.id.as_uuid(),
        account_id: endpoint.account.as_uuid(),
        url: endpoint.url.clone(),
        description: endpoint.description.clone(),
        events: endpoint.topics.patterns().map(|patterns| to_json(&patterns, TABLE, "events")).transpose()?,
        state: endpoint.state.as_str().to_owned(),
        secret: endpoint.secret.0.clone(),
        old_secret: endpoint.old_secret.as_ref().map(|old| old.sealed.0.clone()),
        old_secret_until: endpoint.old_secret.as_ref().map(|old| old.until),
        created_at: endpoint.created_at,
        updated_at: endpoint.updated_at,
    })
}

fn endpoint(row: Model) -> StoreResult<WebhookEndpoint> {
    let old = row.old_secret.zip(row.old_secret_until);
    let topics = match row.events {
        Some(patterns) => Topics::read(from_json(&patterns, TABLE, "events")?).map_err(|_| corrupt(TABLE, "events"))?,
        None => Topics::all(),
    };
    Ok(WebhookEndpoint {
        account: AccountId::from_uuid(row.account_id),
        id: WebhookEndpointId::from_uuid(row.id),
        url: row.url,
        description: row.description,
        topics,
        state: EndpointState::parse(&row.state).ok_or(corrupt(TABLE, "state"))?,
        secret: SealedSecret(row.secret),
        old_secret: old.map(|(sealed, until)| OldSecret { sealed: SealedSecret(sealed), until }),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
