//! `/me/verification`: who one is by law; and what operators may read and take back of it.

use crate::caller::Caller;
use crate::http::answers::{ConflictErrors, ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::params::{Params, path_id};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::time;
use crate::routes::listing::Listing;
use crate::services::Services;
use actix_web::{HttpResponse, get, post, put, web};
use domain::accounts::VerificationView;
use domain::id::UserId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

pub fn configure(config: &mut impl Listing) {
    config.service(put_verification).service(get_verification).service(open_verification).service(reset_verification);
}

/// A text that no error and no log repeats.
#[derive(Clone)]
struct Hidden(String);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("must be a text")),
        }
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(…)")
    }
}

/// Name and number as they stand on the card.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationBody {
    #[schema(value_type = String, example = "张小三", min_length = 2, max_length = 50)]
    real_name: Hidden,
    /// 18 characters; a small `x` is taken for `X`.
    #[schema(value_type = String, example = "11010519491231002X")]
    id_number: Hidden,
}

/// What the owner is shown of it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"verified": true, "real_name": "张**", "id_number": "1****************X", "verified_at": "2026-11-21T08:00:00Z"}))]
pub struct VerificationAnswer {
    verified: bool,
    real_name: Option<String>,
    id_number: Option<String>,
    verified_at: Option<String>,
}

impl From<Option<VerificationView>> for VerificationAnswer {
    fn from(view: Option<VerificationView>) -> Self {
        let verified_at = view.as_ref().map(|view| time::text(view.verified_at));
        let (real_name, id_number) = view.map(|view| (view.masked.real_name, view.masked.id_number)).unzip();
        Self { verified: verified_at.is_some(), real_name, id_number, verified_at }
    }
}

/// Say who you are, once.
///
/// The number's check character, province and day of birth must be right. 409 `already_verified` once it was said,
/// `id_number_taken` for a number of somebody else, `verification_closed` on servers that do not ask.
#[utoipa::path(
    tag = "me",
    request_body = VerificationBody,
    responses((status = 200, body = VerificationAnswer), WriteErrors, ConflictErrors)
)]
#[put("/me/verification")]
pub async fn put_verification(
    caller: Caller,
    body: Body<VerificationBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<VerificationAnswer>> {
    let body = body.0;
    let claim = move |all: Arc<Services>| async move {
        all.verifications.claim(caller.actor(), &body.real_name.0, &body.id_number.0).await
    };
    Ok(web::Json(Some(services.run(claim).await?).into()))
}

/// Whether you are verified, and as whom, masked.
#[utoipa::path(tag = "me", responses((status = 200, body = VerificationAnswer), ReadErrors))]
#[get("/me/verification")]
pub async fn get_verification(
    caller: Caller,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<VerificationAnswer>> {
    Ok(web::Json(services.verifications.view(caller.actor()).await?.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReasonParams {
    /// Why; one line of up to 255 characters for the audit log.
    reason: Option<String>,
}

/// Who somebody is by law.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"user": "usr_0198c0ffee007000800000000000abcd", "real_name": "张小三", "id_number": "11010519491231002X", "verified_at": "2026-11-21T08:00:00Z"}))]
pub struct OpenedVerification {
    user: String,
    real_name: String,
    id_number: String,
    verified_at: String,
}

/// Read a user's name and number in clear; the reason is written down.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path), ReasonParams),
    responses((status = 200, body = OpenedVerification), ReadErrors)
)]
#[get("/admin/users/{id}/verification")]
pub async fn open_verification(
    caller: Caller,
    id: web::Path<String>,
    query: Params<ReasonParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<OpenedVerification>> {
    caller.actor().require_admin()?;
    let user: UserId = path_id(&id, "user")?;
    let reason = query.0.reason.ok_or_else(|| ApiError::invalid("reason", "is missing"))?;
    let open = move |all: Arc<Services>| async move { all.verifications.open(caller.actor(), user, &reason).await };
    let (identity, verified_at) = services.run(open).await?;
    Ok(web::Json(OpenedVerification {
        user: user.to_string(),
        real_name: identity.real_name.expose().to_owned(),
        id_number: identity.id_number.expose().to_owned(),
        verified_at: time::text(verified_at),
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBody {
    /// For the audit log; one line of up to 255 characters.
    #[schema(example = "the name was misspelt")]
    reason: String,
}

/// Forget a user's verification, so that it can be claimed anew.
#[utoipa::path(
    tag = "operators",
    params(("id" = String, Path)),
    request_body = ResetBody,
    responses((status = 204), WriteErrors)
)]
#[post("/admin/users/{id}/verification/reset")]
pub async fn reset_verification(
    caller: Caller,
    id: web::Path<String>,
    body: Body<ResetBody>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<HttpResponse> {
    caller.actor().require_admin()?;
    let user: UserId = path_id(&id, "user")?;
    let reason = body.0.reason;
    services.run(move |all| async move { all.verifications.reset(caller.actor(), user, &reason).await }).await?;
    Ok(HttpResponse::NoContent().finish())
}
