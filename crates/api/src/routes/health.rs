//! `GET /healthz`: the process lives. `GET /readyz`: the database answers and is migrated.

use crate::http::problem::ApiError;
use crate::services::Services;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError, web};
use std::sync::Arc;

pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/healthz", web::get().to(healthz)).route("/readyz", web::get().to(readyz));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

async fn readyz(services: web::Data<Arc<Services>>) -> HttpResponse {
    let ready = services.run(|services| async move { Ok(services.store.ready().await?) }).await;
    match ready {
        Ok(()) => HttpResponse::Ok().json(serde_json::json!({"status": "ready"})),
        Err(error) => {
            tracing::warn!(error = ?error, "not ready");
            let detail = "The database is not reachable or not migrated.";
            ApiError::plain(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).error_response()
        }
    }
}
