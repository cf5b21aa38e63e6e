//! Products in `products`.

use super::columns::{corrupt, currency, from_json, meter, to_json};
use super::entity::product::{ActiveModel, Column, Entity, Model};
use super::error::store_error;
use super::newest::newest;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::ProductId;
use domain::money::Money;
use domain::orders::{Pack, Product, ProductRepository};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

const TABLE: &str = "products";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ProductRepository for Repos<C> {
    async fn find(&self, id: ProductId) -> StoreResult<Option<Product>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        found.map(product).transpose()
    }

    async fn find_by_code(&self, code: &str) -> StoreResult<Option<Product>> {
        let query = Entity::find().filter(Column::Code.eq(code));
        query.one(&self.conn).await.map_err(store_error)?.map(product).transpose()
    }

    async fn insert(&self, product: &Product) -> StoreResult<()> {
        let insert = Entity::insert(row(product)?).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn save(&self, product: &Product) -> StoreResult<()> {
        let update = Entity::update_many().set(row(product)?).filter(Column::Id.eq(product.id.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn on_sale(&self, limit: u32) -> StoreResult<Vec<Product>> {
        let query = Entity::find()
            .filter(Column::Enabled.eq(true))
            .order_by_asc(Column::Sort)
            .order_by_asc(Column::Code)
            .limit(u64::from(limit));
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(product).collect()
    }

    async fn list(&self, page: PageRequest) -> StoreResult<Page<Product>> {
        newest(&self.conn, (Entity::find(), Column::Id), page, product, |product| product.id.as_uuid()).await
    }
}

fn row(product: &Product) -> StoreResult<ActiveModel> {
    let models = product.pack.models.as_ref().map(|models| to_json(models, TABLE, "models")).transpose()?;
    let model = Model {
        id: product.id.as_uuid(),
        code: product.code.clone(),
        name: product.name.clone(),
        description: product.description.clone(),
        meter: product.pack.meter.to_string(),
        quantity: product.pack.quantity.as_atoms(),
        models,
        valid_days: product.pack.valid_days.map(i64::from),
        price: product.price.nanos(),
        currency: product.price.currency().code().to_owned(),
        sort: product.sort,
        enabled: product.enabled,
        created_at: product.created_at,
        updated_at: product.updated_at,
    };
    Ok(model.into_active_model().reset_all())
}

fn product(row: Model) -> StoreResult<Product> {
    let valid_days = row.valid_days.map(u32::try_from).transpose().map_err(|_| corrupt(TABLE, "valid_days"))?;
    let pack = Pack {
        meter: meter(&row.meter, TABLE)?,
        quantity: Quantity::atoms(row.quantity),
        models: row.models.map(|models| from_json(&models, TABLE, "models")).transpose()?,
        valid_days,
    };
    Ok(Product {
        id: ProductId::from_uuid(row.id),
        code: row.code,
        name: row.name,
        description: row.description,
        pack,
        price: Money::from_nanos(row.price, currency(&row.currency, TABLE)?),
        sort: row.sort,
        enabled: row.enabled,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
