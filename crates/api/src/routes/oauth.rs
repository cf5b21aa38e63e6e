//! Logging in through another provider: which there are, going there, coming back, and the one-time code.

use super::auth::LoggedInView;
use super::identities::IdentityView;
use super::oauth_browser;
use crate::caller::client_ip;
use crate::http::answers::{OAuthErrors, PublicErrors};
use crate::http::body::Body;
use crate::http::paging::Listed;
use crate::http::params::Params;
use crate::http::problem::{ApiResult, Problem};
use crate::services::Services;
use crate::settings::{OAuth, Settings};
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::accounts::{Ended, Returned};
use domain::error::{Error, Result};
use domain::identity::{CODE_LASTS, ExchangeChallenge, Proof, ProviderName, ProviderSummary};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Longer ones no provider sends.
const MAX_FIELD_BYTES: usize = 4096;

/// A provider that people may come through.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "github", "kind": "github", "label": "GitHub"}))]
pub struct ProviderView {
    name: String,
    kind: &'static str,
    /// What a button says.
    label: String,
}

impl From<ProviderSummary> for ProviderView {
    fn from(summary: ProviderSummary) -> Self {
        Self { name: summary.name.to_string(), kind: summary.kind, label: summary.label }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StartParams {
    /// The SHA-256 of a secret of your own, in 64 hexadecimal digits: the log-in ends in a one-time code for whoever
    /// knows the secret, instead of a session token.
    challenge: Option<String>,
}

/// What a provider sends back: `state`, and `code` or the fields that it signed.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct CallbackRequest(BTreeMap<String, Value>);

/// A session that waits.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"code": "oac-…", "expires_in": 60}))]
pub struct CodeView {
    /// Good once, with the secret behind the challenge.
    code: String,
    /// Seconds.
    expires_in: i64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRequest {
    #[schema(example = "oac-…")]
    pub code: String,
    /// What the challenge is the SHA-256 of.
    #[schema(example = "a secret of the client")]
    pub secret: String,
}

/// The providers that people may come through.
#[utoipa::path(tag = "auth", security(()), responses((status = 200, body = Listed<ProviderView>)))]
#[get("/auth/oauth")]
pub async fn list_providers(services: web::Data<Arc<Services>>) -> web::Json<Listed<ProviderView>> {
    let providers = services.oauth.providers.list();
    web::Json(Listed::whole(providers.into_iter().map(ProviderView::from).collect()))
}

/// Send the browser to a provider.
#[utoipa::path(
    tag = "auth",
    security(()),
    params(("provider" = String, Path), StartParams),
    responses((status = 303, description = "To the provider, with a cookie to come back with."), OAuthErrors)
)]
#[get("/auth/oauth/{provider}/start")]
pub async fn start(
    request: HttpRequest,
    provider: web::Path<String>,
    query: Params<StartParams>,
    services: web::Data<Arc<Services>>,
    settings: web::Data<Arc<Settings>>,
) -> ApiResult<HttpResponse> {
    let provider = provider_name(&provider)?;
    let challenge = query.0.challenge.map(|text| {
        ExchangeChallenge::parse(&text)
            .ok_or_else(|| Error::invalid("challenge", "must be 64 lower-case hexadecimal digits"))
    });
    let (challenge, ip) = (challenge.transpose()?, client_ip(&request));
    let begin = move |all: Arc<Services>| async move { all.oauth.begin_log_in(&provider, challenge, ip).await };
    let started = services.run(begin).await?;
    let cookie = oauth_browser::keeping(&started.browser, &settings.oauth);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, started.url)).insert_header((SET_COOKIE, cookie)).finish())
}

/// Come back from a provider.
#[utoipa::path(
    tag = "auth",
    security(()),
    params(("provider" = String, Path), ("state" = Option<String>, Query), ("code" = Option<String>, Query)),
    responses(
        (status = 200, description = "Logged in; or a one-time code, or the linked identity.", body = LoggedInView),
        (status = 303, description = "To the configured page, with `code`, `linked` or `error`."),
        OAuthErrors,
    )
)]
#[get("/auth/oauth/{provider}/callback")]
pub async fn callback(
    request: HttpRequest,
    provider: web::Path<String>,
    services: web::Data<Arc<Services>>,
    settings: web::Data<Arc<Settings>>,
) -> ApiResult<HttpResponse> {
    let fields = web::Query::<BTreeMap<String, String>>::from_query(request.query_string());
    let fields = fields.map(web::Query::into_inner).unwrap_or_default();
    let ended = match provider_name(&provider) {
        Ok(provider) => finish(&request, provider, fields, &services).await,
        Err(error) => Err(error),
    };
    let page = settings.oauth.return_url.as_deref();
    let answer = match (ended, page) {
        (Ok(Ended::Code(code)), Some(page)) => sent_to(page, "code", code.expose()),
        (Ok(Ended::Linked(identity)), Some(page)) => sent_to(page, "linked", identity.provider.as_str()),
        (Ok(ended), _) => shown(ended),
        (Err(error), Some(page)) => sent_to(page, "error", error_word(&error)),
        (Err(error), None) => return Err(error.into()),
    };
    Ok(without_cookie(answer, &settings.oauth))
}

/// Come back from a provider, for pages that got its fields in a script.
#[utoipa::path(
    tag = "auth",
    security(()),
    params(("provider" = String, Path)),
    request_body(content = CallbackRequest, example = json!({"state": "ost…", "code": "…"})),
    responses(
        (status = 200, description = "Logged in; or a one-time code, or the linked identity.", body = LoggedInView),
        (status = 403, description = "Not proved.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such provider.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another's.", body = Problem, content_type = "application/problem+json"),
        PublicErrors,
    )
)]
#[post("/auth/oauth/{provider}/callback")]
pub async fn post_callback(
    request: HttpRequest,
    provider: web::Path<String>,
    body: Body<CallbackRequest>,
    services: web::Data<Arc<Services>>,
    settings: web::Data<Arc<Settings>>,
) -> ApiResult<HttpResponse> {
    let text = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        _ => Err(Error::invalid(name, "must be a text or a number")),
    };
    let fields = body.0.0.into_iter().map(text).collect::<Result<_>>()?;
    let ended = finish(&request, provider_name(&provider)?, fields, &services).await?;
    Ok(without_cookie(shown(ended), &settings.oauth))
}

/// Exchange a one-time code for a session.
#[utoipa::path(
    tag = "auth",
    security(()),
    request_body = ExchangeRequest,
    responses(
        (status = 200, body = LoggedInView),
        (status = 403, description = "Wrong, used or expired.", body = Problem, content_type = "application/problem+json"),
        PublicErrors,
    )
)]
#[post("/auth/oauth/exchange")]
pub async fn exchange(
    request: HttpRequest,
    body: Body<ExchangeRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<LoggedInView>> {
    let (ExchangeRequest { code, secret }, ip) = (body.0, client_ip(&request));
    let opened = services.run(move |all| async move { all.oauth.exchange(&code, &secret, ip).await }).await?;
    Ok(web::Json(opened.into()))
}

/// A provider that is not configured does not exist.
pub fn provider_name(text: &str) -> Result<ProviderName> {
    ProviderName::parse(text).ok_or(Error::NotFound("identity provider"))
}

async fn finish(
    request: &HttpRequest,
    provider: ProviderName,
    mut fields: BTreeMap<String, String>,
    services: &Arc<Services>,
) -> Result<Ended> {
    if fields.values().any(|value| value.len() > MAX_FIELD_BYTES) {
        return Err(Error::invalid("query", "is too long"));
    }
    let (state, browser, ip) =
        (fields.remove("state").unwrap_or_default(), oauth_browser::kept(request), client_ip(request));
    let proof = proof(fields);
    let finish = move |all: Arc<Services>| async move {
        let returned = Returned { state: &state, browser: &browser };
        all.oauth.finish(&provider, returned, proof.as_ref(), ip).await
    };
    services.run(finish).await
}

/// A code, or fields with a signature; nothing when the person said no.
fn proof(mut fields: BTreeMap<String, String>) -> Option<Proof> {
    match fields.remove("code") {
        Some(code) => Some(Proof::Code(code)),
        None if fields.contains_key("hash") => Some(Proof::Signed(fields)),
        None => None,
    }
}

fn shown(ended: Ended) -> HttpResponse {
    match ended {
        Ended::LoggedIn(opened) => HttpResponse::Ok().json(LoggedInView::from(*opened)),
        Ended::Code(code) => {
            HttpResponse::Ok().json(CodeView { code: code.expose().to_owned(), expires_in: CODE_LASTS.num_seconds() })
        }
        Ended::Linked(identity) => HttpResponse::Ok().json(IdentityView::from(*identity)),
    }
}

/// To the configured page; the values are words that need no escaping.
fn sent_to(page: &str, name: &str, value: &str) -> HttpResponse {
    let mark = if page.contains('?') { '&' } else { '?' };
    HttpResponse::SeeOther().insert_header((LOCATION, format!("{page}{mark}{name}={value}"))).finish()
}

fn error_word(error: &Error) -> &'static str {
    match error {
        Error::Forbidden(_) | Error::Unauthenticated => "forbidden",
        Error::Conflict { .. } => "conflict",
        Error::NotFound(_) => "not_found",
        Error::Invalid(_) => "invalid",
        _ => "unavailable",
    }
}

fn without_cookie(mut answer: HttpResponse, oauth: &OAuth) -> HttpResponse {
    if let Ok(cookie) = oauth_browser::forgetting(oauth).parse() {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}
