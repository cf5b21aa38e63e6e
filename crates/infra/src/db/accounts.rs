//! Accounts in the database.

use super::columns::{corrupt, one_of};
use super::entity::account::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use super::search::{Walk, walk};
use async_trait::async_trait;
use domain::accounts::{Account, AccountKind, AccountRepository, AccountSearch, AccountStatus};
use domain::id::{AccountId, UserId};
use domain::money::{Currency, Money};
use domain::page::{Page, PageRequest};
use domain::search::TextPrefix;
use domain::store::StoreResult;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

const TABLE: &str = "accounts";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> AccountRepository for Repos<C> {
    async fn find(&self, id: AccountId) -> StoreResult<Option<Account>> {
        let query = Entity::find_by_id(id.as_uuid());
        query.one(&self.conn).await.map_err(store_error)?.map(account).transpose()
    }

    async fn lock(&self, id: AccountId) -> StoreResult<Option<Account>> {
        let query = Entity::find_by_id(id.as_uuid()).lock_exclusive();
        query.one(&self.conn).await.map_err(store_error)?.map(account).transpose()
    }

    async fn lock_many(&self, ids: &[AccountId]) -> StoreResult<Vec<Account>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = Entity::find()
            .filter(one_of(self.conn.get_database_backend(), Column::Id, ids.iter().map(|id| id.as_uuid()).collect()))
            .order_by_asc(Column::Id)
            .lock_exclusive();
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(account).collect()
    }

    async fn find_by_external_id(&self, external_id: &str) -> StoreResult<Option<Account>> {
        let query = Entity::find().filter(Column::ExternalId.eq(external_id));
        query.one(&self.conn).await.map_err(store_error)?.map(account).transpose()
    }

    async fn find_many(&self, ids: &[AccountId]) -> StoreResult<Vec<Account>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = ids.iter().map(|id| id.as_uuid()).collect();
        let query = Entity::find().filter(one_of(self.conn.get_database_backend(), Column::Id, wanted));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(account).collect()
    }

    async fn insert(&self, account: &Account) -> StoreResult<()> {
        let insert = Entity::insert(row(account)).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, account: &Account) -> StoreResult<()> {
        let update = Entity::update_many().set(row(account)).filter(Column::Id.eq(account.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn list(&self, page: PageRequest) -> StoreResult<Page<Account>> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        cut(rows, page)
    }

    async fn search(&self, search: &AccountSearch, page: PageRequest) -> StoreResult<Page<Account>> {
        let newest = |condition: SimpleExpr| {
            let before = page.before.map(|before| Column::Id.lt(before));
            let query = Entity::find().filter(Condition::all().add(condition).add_option(before));
            query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1)
        };
        let rows = match search {
            AccountSearch::Name(prefix) => self.walk_accounts(Column::Name, prefix, page).await?,
            AccountSearch::ExternalId(prefix) => self.walk_accounts(Column::ExternalId, prefix, page).await?,
            AccountSearch::Id(range) => {
                newest(Column::Id.between(range.least, range.most)).all(&self.conn).await.map_err(store_error)?
            }
            AccountSearch::Owner(owner) => {
                newest(Column::OwnerId.eq(owner.as_uuid())).all(&self.conn).await.map_err(store_error)?
            }
        };
        cut(rows, page)
    }
}

impl<C: ConnectionTrait + Send + Sync> Repos<C> {
    async fn walk_accounts(&self, text: Column, prefix: &TextPrefix, page: PageRequest) -> StoreResult<Vec<Model>> {
        walk::<Entity, _, _>(&self.conn, Walk { text, id: Column::Id }, prefix, page).await
    }
}

fn cut(rows: Vec<Model>, page: PageRequest) -> StoreResult<Page<Account>> {
    let accounts = rows.into_iter().map(account).collect::<StoreResult<Vec<_>>>()?;
    Ok(Page::cut(accounts, page.limit, |account| account.id.as_uuid()))
}

fn row(account: &Account) -> ActiveModel {
    let model = Model {
        id: account.id.as_uuid(),
        kind: account.kind.as_str().to_owned(),
        owner_id: account.owner.as_uuid(),
        name: account.name.clone(),
        status: account.status.as_str().to_owned(),
        external_id: account.external_id.clone(),
        spend_cap_nanos: account.spend_cap.map(Money::nanos),
        spend_cap_currency: account.spend_cap.map(|cap| cap.currency().code().to_owned()),
        created_at: account.created_at,
        updated_at: account.updated_at,
    };
    model.into_active_model().reset_all()
}

fn account(row: Model) -> StoreResult<Account> {
    let spend_cap = match (row.spend_cap_nanos, row.spend_cap_currency) {
        (None, None) => None,
        (Some(nanos), Some(code)) => {
            let currency = Currency::parse(&code).ok_or_else(|| corrupt(TABLE, "spend_cap_currency"))?;
            Some(Money::from_nanos(nanos, currency))
        }
        _ => return Err(corrupt(TABLE, "spend_cap_nanos")),
    };
    Ok(Account {
        id: AccountId::from_uuid(row.id),
        kind: AccountKind::parse(&row.kind).ok_or_else(|| corrupt(TABLE, "kind"))?,
        owner: UserId::from_uuid(row.owner_id),
        name: row.name,
        status: AccountStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?,
        external_id: row.external_id,
        spend_cap,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
