//! The OpenAPI 3.1 document: made from the routes themselves, so that it cannot miss one.

use crate::routes;
use actix_web::App;
use actix_web::web::Bytes;
use std::sync::OnceLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, SecurityRequirement};
use utoipa_actix_web::AppExt;

/// Where the API lives.
pub const BASE: &str = "/api/v1";

/// The document with every route.
pub fn document() -> OpenApi {
    let scope = utoipa_actix_web::scope(BASE).configure(|config| routes::configure(config));
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

/// The document as it is answered, and which methods each path takes, for answering 405 rather than 404.
///
/// Made once for all workers, when it is first asked for: building it costs more memory than an idle server needs.
#[derive(Default)]
pub struct Document(OnceLock<Made>);

struct Made {
    json: Bytes,
    paths: Vec<(Vec<String>, Vec<&'static str>)>,
}

impl Made {
    fn new() -> Self {
        let document = document();
        let paths = document.paths.paths.iter().map(|(path, item)| {
            let methods = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let segments = path.split('/').map(str::to_owned).collect();
            (segments, methods.into_iter().filter(|(_, has)| *has).map(|(method, _)| method).collect())
        });
        let paths = paths.collect();
        let json = document.to_json().map(Bytes::from).unwrap_or_default();
        Self { json, paths }
    }
}

impl Document {
    fn made(&self) -> &Made {
        self.0.get_or_init(Made::new)
    }

    /// The document; a copy shares the bytes.
    pub fn json(&self) -> Bytes {
        self.made().json.clone()
    }

    /// What the path takes, or nothing when no route has it.
    pub fn methods(&self, path: &str) -> Option<Vec<&'static str>> {
        let asked: Vec<&str> = path.split('/').collect();
        let mut methods: Vec<&str> = Vec::new();
        for (segments, allowed) in &self.made().paths {
            let fits = |(segment, asked): (&String, &&str)| segment.starts_with('{') || segment == asked;
            if segments.len() == asked.len() && segments.iter().zip(&asked).all(fits) {
                methods.extend(allowed);
            }
        }
        (!methods.is_empty()).then_some(methods)
    }
}
