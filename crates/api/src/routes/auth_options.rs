//! `GET /auth/options`: what a page needs to know before anybody has logged in.

use crate::services::Services;
use actix_web::{get, web};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What operators let everybody know.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"registration_open": true, "login_notice": "", "time_zone_label": "Asia/Shanghai"}))]
pub struct AuthOptionsView {
    registration_open: bool,
    /// Shown where people log in; empty shows nothing.
    login_notice: String,
    /// The time zone for times until a user chose another.
    time_zone_label: String,
}

/// Whether one may register, and what to show before a log-in.
#[utoipa::path(tag = "auth", security(()), responses((status = 200, body = AuthOptionsView)))]
#[get("/auth/options")]
pub async fn auth_options(services: web::Data<Arc<Services>>) -> web::Json<AuthOptionsView> {
    let options = services.options.live.get();
    web::Json(AuthOptionsView {
        registration_open: options.registration_open,
        login_notice: options.login_notice.clone(),
        time_zone_label: options.time_zone_label.clone(),
    })
}
