//! The HTTP server: the app with its middleware, listeners, and a drain on SIGTERM.

use crate::caller::{Doorkeeper, rate_limit_headers};
use crate::http::problem::ApiError;
use crate::http::request_id;
use crate::metrics;
use crate::openapi::{BASE, Document};
use crate::routes::{self, health};
use crate::services::Services;
use crate::settings::Settings;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, ContentType};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, ResponseError, web};
use std::sync::Arc;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// What the app needs besides the services.
#[derive(Clone)]
pub struct AppState {
    pub services: Arc<Services>,
    pub settings: Arc<Settings>,
    pub document: Arc<Document>,
    pub door: Arc<Doorkeeper>,
}

impl AppState {
    pub fn new(services: Arc<Services>, settings: Settings) -> Self {
        let door = Arc::new(Doorkeeper::new(settings.server.trusted_proxies.clone()));
        Self { services, settings: Arc::new(settings), document: Arc::default(), door }
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
    let scope = web::scope(BASE).configure(routes::configure);
    let location = format!("{BASE}/openapi.json");
    let ui = SwaggerUi::new("/docs/{_:.*}").config(Config::from(location.clone()));
    // Before the scope, which answers everything else under its path.
    let app = App::new().service(ui).route(&location, web::get().to(document)).service(scope);
    app.app_data(web::Data::new(state.services))
        .app_data(web::Data::new(state.settings))
        .app_data(web::Data::from(state.document))
        .app_data(web::Data::from(state.door))
        .service(web::redirect("/docs", "/docs/"))
        .configure(health::configure)
        .default_service(web::to(nothing_here))
        .wrap(from_fn(forget_quota_answers))
        .wrap(from_fn(rate_limit_headers))
        .wrap(DefaultHeaders::new().add(("X-Content-Type-Options", "nosniff")).add(("Cache-Control", "no-store")))
        .wrap(from_fn(metrics::middleware))
        .wrap(from_fn(request_id::middleware))
}

/// Whatever is changed by a request may change a quota. Use and reservations say themselves whose.
async fn forget_quota_answers<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let own = ["/usage", "/reservations"]
        .iter()
        .any(|path| request.path().strip_prefix(BASE).is_some_and(|rest| rest.starts_with(path)));
    let changes = !own && !matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.call(request).await?;
    if changes && let Some(services) = response.request().app_data::<web::Data<Arc<Services>>>() {
        services.quota_answers.forget_all();
    }
    Ok(response)
}

async fn document(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(document.json())
}

async fn nothing_here(request: HttpRequest, document: web::Data<Document>) -> HttpResponse {
    match document.methods(request.path()) {
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
