//! `/admin/products`: what is on sale.

use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::orders::ProductView;
use crate::services::Services;
use actix_web::{HttpResponse, get, patch, post, web};
use domain::change::Change;
use domain::id::ProductId;
use domain::orders::{ProductChange, ProductWish};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A new product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "words-50k", "name": "50 000 words", "meter": "words", "quantity": 50000, "price": "9.90"}))]
pub struct ProductBody {
    /// Yours to choose and never changed: 1 to 64 of a-z, 0-9, _ and -.
    code: String,
    name: String,
    description: Option<String>,
    meter: String,
    /// Above zero, in the meter's unit.
    quantity: DecimalText,
    /// Models the quota may be used for; any when left out.
    models: Option<Vec<String>>,
    /// Days after the delivery; never expires when left out.
    #[schema(minimum = 1, maximum = 36500)]
    valid_days: Option<u32>,
    /// Above zero, in the billing currency.
    price: DecimalText,
    /// Lower is shown first; 0 when left out.
    #[serde(default)]
    sort: i32,
    /// Whether it can be ordered; true when left out.
    enabled: Option<bool>,
}

/// What changes; what was ordered stays as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"price": "8.80", "enabled": true}))]
pub struct ProductPatch {
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Change<String>,
    quantity: Option<DecimalText>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    models: Change<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    valid_days: Change<u32>,
    price: Option<DecimalText>,
    sort: Option<i32>,
    enabled: Option<bool>,
}

/// Put a product on sale.
#[utoipa::path(
    tag = "operators",
    request_body = ProductBody,
    responses((status = 201, description = "On sale.", body = ProductView), WriteErrors)
)]
#[post("/admin/products")]
pub async fn create_product(caller: Caller, body: Body<ProductBody>, services: web::Data<Arc<Services>>) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let body = body.0;
    let wish = ProductWish {
        code: body.code,
        name: body.name,
        description: body.description,
        meter: body.meter,
        quantity: body.quantity.0,
        models: body.models,
        valid_days: body.valid_days,
        price: body.price.0,
        sort: body.sort,
        enabled: body.enabled.unwrap_or(true),
    };
    let made = services.run(move |all| async move { all.shop.create(&actor, &wish).await }).await?;
    Ok(HttpResponse::Created().json(ProductView::of(&made, &services.catalogue)))
}

/// List all products, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<ProductView>), ReadErrors)
)]
#[get("/admin/products")]
pub async fn list_all_products(
    caller: Caller,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let page = page.0.request()?;
    let found = services.run(move |all| async move { all.shop.list(&actor, page).await }).await?;
    Ok(HttpResponse::Ok().json(Listed::of(found, |product| ProductView::of(&product, &services.catalogue))))
}

/// Change a product for those who order it from now on.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = ProductPatch,
    responses((status = 200, description = "As it is now.", body = ProductView), WriteErrors)
)]
#[patch("/admin/products/{id}")]
pub async fn update_product(
    caller: Caller,
    id: web::Path<String>,
    body: Body<ProductPatch>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let actor = caller.actor().clone();
    actor.require_admin()?;
    let id: ProductId = path_id(&id, "product")?;
    let patch = body.0;
    let change = ProductChange {
        name: patch.name,
        description: patch.description,
        quantity: patch.quantity.map(|quantity| quantity.0),
        models: patch.models,
        valid_days: patch.valid_days,
        price: patch.price.map(|price| price.0),
        sort: patch.sort,
        enabled: patch.enabled,
    };
    let changed = services.run(move |all| async move { all.shop.update(&actor, id, &change).await }).await?;
    Ok(HttpResponse::Ok().json(ProductView::of(&changed, &services.catalogue)))
}
