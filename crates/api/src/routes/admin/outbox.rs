//! `/admin/outbox`: dead letters of all accounts.

use crate::caller::Caller;
use crate::http::answers::{ConflictErrors, ReadErrors};
use crate::http::paging::{Listed, PageParams};
use crate::http::params::{Params, path_id};
use crate::http::problem::ApiResult;
use crate::routes::notices::views::DeliveryView;
use crate::services::Services;
use actix_web::{HttpResponse, get, post, web};
use domain::id::DeliveryId;
use std::sync::Arc;

/// List deliveries that were given up, newest first.
#[utoipa::path(
    tag = "operators",
    params(PageParams),
    responses((status = 200, description = "A page.", body = Listed<DeliveryView>), ReadErrors)
)]
#[get("/admin/outbox/dead")]
pub async fn list_dead_letters(
    caller: Caller,
    page: Params<PageParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<DeliveryView>>> {
    caller.actor().require_admin()?;
    let found = services.dead_letters.list(caller.actor(), page.0.request()?).await?;
    Ok(web::Json(Listed::of(found, |delivery| DeliveryView::of(delivery, None))))
}

/// Put a delivery back into its lane, with all attempts before it.
#[utoipa::path(
    tag = "operators",
    params(("delivery" = String, Path)),
    responses((status = 202, description = "Waiting again.", body = DeliveryView), ReadErrors, ConflictErrors)
)]
#[post("/admin/outbox/{delivery}/replay")]
pub async fn replay_dead_letter(
    caller: Caller,
    delivery: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    caller.actor().require_admin()?;
    let id: DeliveryId = path_id(&delivery, "delivery")?;
    let replayed = services.run(move |all| async move { all.dead_letters.replay(caller.actor(), id).await }).await?;
    Ok(HttpResponse::Accepted().json(DeliveryView::of(replayed, None)))
}
