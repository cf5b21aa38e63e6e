//! `/me/identities`: one's identities at other providers.

use super::oauth::provider_name;
use super::oauth_browser;
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::Listed;
use crate::http::params::path_id;
use crate::http::problem::{ApiResult, Problem};
use crate::services::Services;
use crate::settings::Settings;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use domain::id::IdentityId;
use domain::identity::OAuthIdentity;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An identity that opens this user.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "idn_0198a6f0c1d27d3e8b3f6a5c4d3e2f16", "provider": "github", "subject": "583231", "name": "Zhang",
    "email": "zhang@example.cn", "email_verified": true,
    "created_at": "2026-11-21T08:00:00Z", "last_login_at": null
}))]
pub struct IdentityView {
    #[schema(value_type = String)]
    id: IdentityId,
    provider: String,
    /// The provider's own id of the person.
    subject: String,
    name: Option<String>,
    email: Option<String>,
    email_verified: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login_at: Option<DateTime<Utc>>,
}

impl From<OAuthIdentity> for IdentityView {
    fn from(identity: OAuthIdentity) -> Self {
        Self {
            id: identity.id,
            provider: identity.provider.to_string(),
            subject: identity.subject,
            name: identity.name,
            email: identity.email.map(|email| email.to_string()),
            email_verified: identity.email_verified,
            created_at: identity.created_at,
            last_login_at: identity.last_login_at,
        }
    }
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"url": "https://github.com/login/oauth/authorize?…"}))]
pub struct LinkView {
    url: String,
}

/// The caller's identities, oldest first.
#[utoipa::path(tag = "me", responses((status = 200, body = Listed<IdentityView>), ReadErrors))]
#[get("/me/identities")]
pub async fn list_identities(
    caller: Caller,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<IdentityView>>> {
    let identities = services.oauth.identities(caller.actor()).await?;
    Ok(web::Json(Listed::whole(identities.into_iter().map(IdentityView::from).collect())))
}

/// Begin to link an identity: send the browser to the address in the answer, with the cookie that comes along.
#[utoipa::path(
    tag = "me",
    params(("provider" = String, Path)),
    responses((status = 200, body = LinkView), ReadErrors)
)]
#[post("/me/identities/{provider}/start")]
pub async fn start_link(
    caller: Caller,
    provider: web::Path<String>,
    services: web::Data<Arc<Services>>,
    settings: web::Data<Arc<Settings>>,
) -> ApiResult<HttpResponse> {
    let provider = provider_name(&provider)?;
    let begin = move |all: Arc<Services>| async move { all.oauth.begin_link(&caller.authenticated, &provider).await };
    let started = services.run(begin).await?;
    let cookie = oauth_browser::keeping(&started.browser, &settings.oauth);
    Ok(HttpResponse::Ok().insert_header((SET_COOKIE, cookie)).json(LinkView { url: started.url }))
}

/// Unlink an identity, unless it is the last way to log in.
#[utoipa::path(
    tag = "me",
    params(("id" = String, Path)),
    responses(
        (status = 204),
        (status = 409, description = "The last way to log in.", body = Problem, content_type = "application/problem+json"),
        ReadErrors,
    )
)]
#[delete("/me/identities/{id}")]
pub async fn unlink(
    caller: Caller,
    id: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    let id = path_id(&id, "identity")?;
    services.run(move |all| async move { all.oauth.unlink(caller.actor(), id).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}
