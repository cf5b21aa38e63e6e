//! `GET /wallet`.

use super::views::BalanceView;
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::routes::quota::AccountParams;
use crate::services::Services;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What an account has prepaid.
#[derive(Debug, Serialize, ToSchema)]
pub struct WalletView {
    account: String,
    /// By currency; that of prices comes first.
    balances: Vec<BalanceView>,
}

/// Show what is prepaid, held and available, by currency. Of a team, its owner sees it.
#[utoipa::path(
    tag = "wallet",
    params(AccountParams),
    responses((status = 200, description = "Every currency that ever had money.", body = WalletView), ReadErrors)
)]
#[get("/wallet")]
pub async fn get_wallet(
    caller: Caller,
    params: Params<AccountParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let (actor, which) = (caller.actor().clone(), params.0.which());
    let (account, wallets) =
        services.run(|services| async move { services.ledger.wallets(&actor, &which).await }).await?;
    let balances = wallets.iter().map(BalanceView::of).collect();
    Ok(HttpResponse::Ok().json(WalletView { account: account.to_string(), balances }))
}
