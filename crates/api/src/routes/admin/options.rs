//! `/admin/options`: what operators change while the server runs.

use crate::caller::Caller;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::paging::Listed;
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{get, put, web};
use domain::site_options::{SPECS, SiteOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Options by name; those left out stay, and null goes back to the default.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct OptionsRequest(BTreeMap<String, Value>);

/// One option.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "name": "registration_open", "value": false, "default": true, "kind": "boolean",
    "about": "Whether strangers may become users, with a password or through an identity provider."
}))]
pub struct OptionView {
    name: &'static str,
    #[schema(value_type = Object)]
    value: Value,
    #[schema(value_type = Object)]
    default: Value,
    kind: &'static str,
    about: &'static str,
}

fn listed(options: &SiteOptions) -> web::Json<Listed<OptionView>> {
    let view = |spec: &'static domain::site_options::OptionSpec| OptionView {
        name: spec.name,
        value: spec.value(options),
        default: spec.default_value(),
        kind: spec.kind,
        about: spec.about,
    };
    web::Json(Listed::whole(SPECS.iter().map(view).collect()))
}

/// Every option with its value, its default and what it may be.
#[utoipa::path(tag = "operators", responses((status = 200, body = Listed<OptionView>), ReadErrors))]
#[get("/admin/options")]
pub async fn list_options(
    caller: Caller,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<OptionView>>> {
    Ok(listed(&services.options.view(caller.actor()).await?))
}

/// Change options; for roots. All replicas follow within five seconds.
#[utoipa::path(
    tag = "operators",
    request_body(content = OptionsRequest, example = json!({"registration_open": false, "login_notice": "维护中"})),
    responses((status = 200, body = Listed<OptionView>), WriteErrors)
)]
#[put("/admin/options")]
pub async fn change_options(
    caller: Caller,
    body: Body<OptionsRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<Listed<OptionView>>> {
    let wishes = body.0.0;
    let change = move |all: Arc<Services>| async move { all.options.change(caller.actor(), &wishes).await };
    Ok(listed(&services.run(change).await?))
}
