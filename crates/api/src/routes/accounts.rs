//! Accounts as their owners see them.

use super::identity_views::AccountView;
use crate::caller::Caller;
use crate::http::amount::DecimalText;
use crate::http::answers::{ReadErrors, WriteErrors};
use crate::http::body::Body;
use crate::http::problem::ApiResult;
use crate::services::Services;
use actix_web::{get, patch, web};
use domain::accounts::AccountRef;
use domain::change::Change;
use domain::error::Error;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"spend_cap": "100.00"}))]
pub struct AccountRequest {
    /// Most overage fees in a period, in the billing currency; null is what the server is configured with.
    #[serde(default)]
    #[schema(value_type = Option<DecimalText>)]
    pub spend_cap: Change<DecimalText>,
}

/// An account, by its id or external id.
#[utoipa::path(tag = "accounts", responses((status = 200, body = AccountView), ReadErrors))]
#[get("/accounts/{account}")]
pub async fn get_account(
    caller: Caller,
    account: web::Path<String>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<AccountView>> {
    let found = services.accounts.view(caller.actor(), &AccountRef::parse(&account)).await?;
    Ok(web::Json(AccountView::new(found, services.accounts.currency)))
}

/// Cap the overage fees of an account.
#[utoipa::path(
    tag = "accounts",
    request_body = AccountRequest,
    responses((status = 200, body = AccountView), WriteErrors),
)]
#[patch("/accounts/{account}")]
pub async fn update_account(
    caller: Caller,
    account: web::Path<String>,
    body: Body<AccountRequest>,
    services: web::Data<Arc<Services>>,
) -> ApiResult<web::Json<AccountView>> {
    let cap = body.0.spend_cap.try_map(|text| Ok::<_, Error>(text.0))?;
    let which = AccountRef::parse(&account);
    let saved =
        services.run(move |all| async move { all.accounts.set_spend_cap(caller.actor(), &which, cap).await }).await?;
    Ok(web::Json(AccountView::new(saved, services.accounts.currency)))
}
