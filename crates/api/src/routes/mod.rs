//! The routes under `/api/v1`, one file per resource.

pub mod health;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the API; the OpenAPI document is made from the same list.
pub fn configure(_config: &mut ServiceConfig) {}
