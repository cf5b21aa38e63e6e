//! `GET /products`: packs of quota on sale.

use crate::http::paging::Listed;
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::routes::usage::scale_of;
use crate::services::Services;
use actix_web::{get, web};
use domain::orders::Product;
use domain::plans::Catalogue;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A pack of quota, and its price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "prd_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "code": "words-50k", "name": "50 000 words", "description": null, "meter": "words",
    "quantity": "50000", "models": null, "valid_days": 365, "price": "9.90", "currency": "CNY", "sort": 0, "enabled": true,
    "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct ProductView {
    id: String,
    code: String,
    name: String,
    description: Option<String>,
    meter: String,
    quantity: String,
    /// Models that the quota may be used for; any when null.
    models: Option<Vec<String>>,
    /// Days after the delivery; never expires when null.
    valid_days: Option<u32>,
    price: String,
    currency: String,
    sort: i32,
    enabled: bool,
    created_at: String,
}

impl ProductView {
    pub fn of(product: &Product, catalogue: &Catalogue) -> Self {
        let pack = &product.pack;
        Self {
            id: product.id.to_string(),
            code: product.code.clone(),
            name: product.name.clone(),
            description: product.description.clone(),
            meter: pack.meter.to_string(),
            quantity: pack.quantity.to_decimal(scale_of(catalogue, &pack.meter)),
            models: pack.models.clone(),
            valid_days: pack.valid_days,
            price: product.price.to_decimal(),
            currency: product.price.currency().code().to_owned(),
            sort: product.sort,
            enabled: product.enabled,
            created_at: time::text(product.created_at),
        }
    }
}

/// List what is on sale, in the order in which it is shown.
#[utoipa::path(
    tag = "orders",
    security(()),
    responses((status = 200, description = "All of it.", body = Listed<ProductView>))
)]
#[get("/products")]
pub async fn list_products(services: web::Data<Arc<Services>>) -> ApiResult<web::Json<Listed<ProductView>>> {
    let products = services.run(|all| async move { all.shop.on_sale().await }).await?;
    let shown = products.iter().map(|product| ProductView::of(product, &services.catalogue)).collect();
    Ok(web::Json(Listed::whole(shown)))
}
