//! Use cases of products: what is on sale, and operators who change that.

use super::product::{MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_VALID_DAYS, Pack, Product};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::id::ProductId;
use crate::identity::KeyDraft;
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::plans::{Catalogue, MeterCode};
use crate::quantity::Quantity;
use crate::store::{Store, StoreError, retrying};
use crate::text::visible_line;
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

/// Most products on sale at a time.
pub const MAX_ON_SALE: u32 = 500;
const SORT: std::ops::RangeInclusive<i32> = -1_000_000..=1_000_000;

/// A new product as an operator describes it.
#[derive(Clone, Debug)]
pub struct ProductWish {
    pub code: String,
    pub name: String,
    pub description: Option<String>,
    pub meter: String,
    /// A decimal in the meter's unit, above zero.
    pub quantity: String,
    pub models: Option<Vec<String>>,
    pub valid_days: Option<u32>,
    /// A decimal of this server's currency, above zero.
    pub price: String,
    pub sort: i32,
    pub enabled: bool,
}

/// What an operator changes; what was sold stays as it was.
#[derive(Clone, Debug, Default)]
pub struct ProductChange {
    pub name: Option<String>,
    pub description: Change<String>,
    pub quantity: Option<String>,
    pub models: Change<Vec<String>>,
    pub valid_days: Change<u32>,
    pub price: Option<String>,
    pub sort: Option<i32>,
    pub enabled: Option<bool>,
}

/// Use cases of products.
pub struct ShopService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
}

impl ShopService {
    /// What can be ordered, in the order in which it is shown.
    pub async fn on_sale(&self) -> Result<Vec<Product>> {
        Ok(self.store.products().on_sale(MAX_ON_SALE).await?)
    }

    /// For operators: all products, newest first.
    pub async fn list(&self, actor: &Actor, page: PageRequest) -> Result<Page<Product>> {
        actor.require_admin()?;
        Ok(self.store.products().list(page).await?)
    }

    /// Adds a product.
    pub async fn create(&self, actor: &Actor, wish: &ProductWish) -> Result<Product> {
        actor.require_admin()?;
        match self.insert(actor, wish).await {
            Err(Error::Store(StoreError::Duplicate)) => {
                Err(Error::conflict("conflict", "Another product has this code."))
            }
            made => made,
        }
    }

    async fn insert(&self, actor: &Actor, wish: &ProductWish) -> Result<Product> {
        let now = self.clock.now();
        let product = self.read(wish, now)?;
        let work = self.store.begin().await?;
        work.products().insert(&product).await?;
        let event = AuditEvent::by(actor, "product.create", product.id, now).with(detail(&product));
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(product)
    }

    /// Changes a product for those who order it from now on.
    pub async fn update(&self, actor: &Actor, id: ProductId, change: &ProductChange) -> Result<Product> {
        actor.require_admin()?;
        retrying!(self.store, self.try_update(actor, id, change))
    }

    async fn try_update(&self, actor: &Actor, id: ProductId, change: &ProductChange) -> Result<Product> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let before = work.products().find(id).await?.ok_or(Error::NotFound("product"))?;
        let after = self.changed(&before, change, now)?;
        work.products().save(&after).await?;
        let detail = json!({"before": detail(&before), "after": detail(&after)});
        work.audit().append(&AuditEvent::by(actor, "product.update", id, now).with(detail)).await?;
        work.commit().await?;
        Ok(after)
    }

    fn changed(&self, before: &Product, change: &ProductChange, now: DateTime<Utc>) -> Result<Product> {
        let quantity = change.quantity.as_ref();
        let pack = Pack {
            meter: before.pack.meter.clone(),
            quantity: quantity.map_or(Ok(before.pack.quantity), |text| self.quantity(&before.pack.meter, text))?,
            models: change.models.clone().try_map(KeyDraft::read_models)?.apply(before.pack.models.clone()),
            valid_days: change.valid_days.try_map(days)?.apply(before.pack.valid_days),
        };
        Ok(Product {
            name: change.name.as_ref().map_or(Ok(before.name.clone()), |name| read_name(name))?,
            description: change
                .description
                .clone()
                .try_map(|text| description(&text))?
                .apply(before.description.clone()),
            pack,
            price: change.price.as_ref().map_or(Ok(before.price), |price| self.price(price))?,
            sort: change.sort.map_or(Ok(before.sort), sort)?,
            enabled: change.enabled.unwrap_or(before.enabled),
            updated_at: now,
            ..before.clone()
        })
    }

    fn read(&self, wish: &ProductWish, now: DateTime<Utc>) -> Result<Product> {
        if !Product::is_code(&wish.code) {
            return Err(Error::invalid("code", "must be 1 to 64 of a-z, 0-9, _ and -"));
        }
        let meter = MeterCode::parse(&wish.meter).filter(|code| self.catalogue.meters.contains_key(code));
        let meter = meter.ok_or_else(|| Error::invalid("meter", "is not a meter of this server"))?;
        let pack = Pack {
            quantity: self.quantity(&meter, &wish.quantity)?,
            meter,
            models: wish.models.clone().map(KeyDraft::read_models).transpose()?,
            valid_days: wish.valid_days.map(days).transpose()?,
        };
        Ok(Product {
            id: ProductId::new(now),
            code: wish.code.clone(),
            name: read_name(&wish.name)?,
            description: wish.description.as_deref().map(description).transpose()?,
            pack,
            price: self.price(&wish.price)?,
            sort: sort(wish.sort)?,
            enabled: wish.enabled,
            created_at: now,
            updated_at: now,
        })
    }

    fn quantity(&self, meter: &MeterCode, text: &str) -> Result<Quantity> {
        let scale = self.catalogue.meters.get(meter).map_or(0, |meter| meter.scale);
        let quantity = Quantity::parse(text, scale).map_err(|error| Error::invalid("quantity", error.to_string()))?;
        if quantity.is_positive() { Ok(quantity) } else { Err(Error::invalid("quantity", "must be above zero")) }
    }

    fn price(&self, text: &str) -> Result<Money> {
        let price = Money::parse_minor(text, self.catalogue.currency);
        let price = price.map_err(|error| Error::invalid("price", error.to_string()))?;
        if price.is_positive() { Ok(price) } else { Err(Error::invalid("price", "must be above zero")) }
    }
}

fn read_name(text: &str) -> Result<String> {
    visible_line(text, MAX_NAME_LENGTH).map_err(|problem| Error::invalid("name", problem))
}

fn description(text: &str) -> Result<String> {
    visible_line(text, MAX_DESCRIPTION_LENGTH).map_err(|problem| Error::invalid("description", problem))
}

fn days(days: u32) -> Result<u32> {
    if (1..=MAX_VALID_DAYS).contains(&days) {
        Ok(days)
    } else {
        Err(Error::invalid("valid_days", format!("must be 1 to {MAX_VALID_DAYS}")))
    }
}

fn sort(place: i32) -> Result<i32> {
    if SORT.contains(&place) { Ok(place) } else { Err(Error::invalid("sort", "must be within a million of zero")) }
}

fn detail(product: &Product) -> Value {
    json!({
        "code": product.code, "name": product.name, "meter": product.pack.meter,
        "quantity": product.pack.quantity.as_atoms(), "models": product.pack.models,
        "valid_days": product.pack.valid_days, "price": product.price.to_decimal(), "enabled": product.enabled,
    })
}
