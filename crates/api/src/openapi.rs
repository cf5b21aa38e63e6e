//! The OpenAPI 3.1 document: made from the routes themselves, so that it cannot miss one.

use crate::routes;
use actix_web::App;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, SecurityRequirement};
use utoipa_actix_web::AppExt;

/// Where the API lives.
pub const BASE: &str = "/api/v1";

/// The document with every route.
pub fn document() -> OpenApi {
    let scope = utoipa_actix_web::scope(BASE).configure(routes::configure);
    App::new().into_utoipa_app().openapi(base()).service(scope).split_for_parts().1
}

/// Title, version and how callers prove who they are.
pub fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Suanpan")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Meters, limits and prices what customers of an AI product use."))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session token from POST /auth/login, or an API key."))
        .build();
    let mut document =
        OpenApiBuilder::new().info(info).security(Some([SecurityRequirement::new::<_, _, &str>("bearer", [])])).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    document
}
