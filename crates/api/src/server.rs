//! The HTTP server: the app with its middleware, listeners, and a drain on SIGTERM.

use crate::caller::{Doorkeeper, rate_limit_headers};
use crate::http::problem::ApiError;
use crate::http::request_id;
use crate::metrics;
use crate::openapi::{self, BASE};
use crate::routes::{self, health};
use crate::services::Services;
use crate::settings::Settings;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::ALLOW;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, ResponseError, web};
use std::sync::Arc;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

/// What the app needs besides the services.
#[derive(Clone)]
pub struct AppState {
    pub services: Arc<Services>,
    pub settings: Arc<Settings>,
    pub routes: Arc<RouteTable>,
    pub door: Arc<Doorkeeper>,
}

impl AppState {
    pub fn new(services: Arc<Services>, settings: Settings) -> Self {
        let door = Arc::new(Doorkeeper::new(settings.server.trusted_proxies.clone()));
        Self { services, settings: Arc::new(settings), routes: Arc::new(RouteTable::new()), door }
    }
}

/// The app, as the server and the tests run it.
pub fn app(
    state: AppState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    let scope = utoipa_actix_web::scope(BASE).configure(routes::configure);
    // Before the scope, which answers everything else under its path.
    let document = SwaggerUi::new("/docs/{_:.*}").url(format!("{BASE}/openapi.json"), openapi::document());
    let (app, _) = App::new().service(document).into_utoipa_app().service(scope).split_for_parts();
    app.app_data(web::Data::new(state.services))
        .app_data(web::Data::new(state.settings))
        .app_data(web::Data::new(state.routes))
        .app_data(web::Data::from(state.door))
        .service(web::redirect("/docs", "/docs/"))
        .configure(health::configure)
        .default_service(web::to(nothing_here))
        .wrap(from_fn(rate_limit_headers))
        .wrap(DefaultHeaders::new().add(("X-Content-Type-Options", "nosniff")).add(("Cache-Control", "no-store")))
        .wrap(from_fn(metrics::middleware))
        .wrap(from_fn(request_id::middleware))
}

/// Which methods each path takes, for answering 405 rather than 404.
pub struct RouteTable {
    paths: Vec<(Vec<String>, Vec<&'static str>)>,
}

impl RouteTable {
    fn new() -> Self {
        let document = openapi::document();
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
        Self { paths: paths.collect() }
    }

    fn methods(&self, path: &str) -> Option<Vec<&'static str>> {
        let asked: Vec<&str> = path.split('/').collect();
        let mut methods: Vec<&str> = Vec::new();
        for (segments, allowed) in &self.paths {
            let fits = |(segment, asked): (&String, &&str)| segment.starts_with('{') || segment == asked;
            if segments.len() == asked.len() && segments.iter().zip(&asked).all(fits) {
                methods.extend(allowed);
            }
        }
        (!methods.is_empty()).then_some(methods)
    }
}

async fn nothing_here(request: HttpRequest, routes: web::Data<Arc<RouteTable>>) -> HttpResponse {
    match routes.methods(request.path()) {
        Some(methods) if !methods.contains(&request.method().as_str()) => {
            let detail = format!("This path takes {}.", methods.join(", "));
            let error = ApiError::plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
            let mut response = error.error_response();
            if let Ok(allow) = methods.join(", ").parse() {
                response.headers_mut().insert(ALLOW, allow);
            }
            response
        }
        _ => ApiError::not_found("this path").error_response(),
    }
}
