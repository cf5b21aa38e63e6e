//! `GET /quota` and `GET /warnings`.

use super::usage::{meter_code, scale_of};
use crate::caller::Caller;
use crate::http::answers::ReadErrors;
use crate::http::paging::{Listed, page_request};
use crate::http::params::Params;
use crate::http::problem::ApiResult;
use crate::http::time;
use crate::routes::listing::Listing;
use crate::services::Services;
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, web};
use domain::accounts::{AccountRef, Act, resolve, resolve_reader};
use domain::actor::Scope;
use domain::error::Error;
use domain::metering::{MeterQuota, QuotaView};
use domain::plans::{Allowance, Catalogue, OnExhausted};
use domain::quota::{FiredWarning, WarningFilter};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

pub fn configure(config: &mut impl Listing) {
    config.service(get_quota).service(list_warnings);
}

/// Which account.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountParams {
    /// An account id, or for service keys also your own id of the account; the caller's own when left out.
    pub account: Option<String>,
}

impl AccountParams {
    pub fn which(&self) -> AccountRef {
        self.account.as_deref().map(AccountRef::parse).unwrap_or_default()
    }
}

/// What an account can still use in its open period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "plan": "professional", "status": "active",
    "period": {"start": "2026-11-20T16:00:00Z", "end": "2026-12-20T16:00:00Z"}, "quota_reset_date": "2026-12-21",
    "meters": [{"meter": "words", "unit": "word", "included": "300000", "granted": "0", "used": "240000", "reserved": "0",
        "remaining": "60000", "on_exhausted": "overage", "overage": {"quantity": "0", "fee": "0.00"}, "warnings_fired": [80]}],
    "total_overage_fee": "0.00", "currency": "CNY"
}))]
pub struct QuotaBody {
    account: String,
    plan: String,
    /// `frozen`; `suspended` for a team whose first bill is not paid; or the subscription's status.
    status: &'static str,
    period: QuotaPeriodView,
    quota_reset_date: String,
    meters: Vec<QuotaMeterView>,
    total_overage_fee: String,
    currency: String,
}

/// A half-open interval.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuotaPeriodView {
    pub start: String,
    pub end: String,
}

impl From<domain::time::Period> for QuotaPeriodView {
    fn from(period: domain::time::Period) -> Self {
        Self { start: time::text(period.start), end: time::text(period.end) }
    }
}

/// One meter.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuotaMeterView {
    meter: String,
    unit: String,
    /// Null is unlimited.
    included: Option<String>,
    granted: String,
    used: String,
    reserved: String,
    /// Null is unlimited.
    remaining: Option<String>,
    on_exhausted: &'static str,
    overage: OverageView,
    /// What was paid from the wallet; left out where the plan takes nothing from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wallet: Option<WalletPartView>,
    warnings_fired: Vec<u16>,
}

/// What was used beyond allowance and grants, and what it costs.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverageView {
    quantity: String,
    fee: String,
}

/// What was used beyond allowance and grants and paid from the wallet.
#[derive(Debug, Serialize, ToSchema)]
pub struct WalletPartView {
    quantity: String,
    amount: String,
    /// What open reservations hold of the wallet.
    held: String,
}

/// Show what can still be used.
///
/// What was reported to this server shows at once, what was reported to another replica within a second.
#[utoipa::path(
    tag = "quota",
    params(AccountParams),
    responses(
        (status = 200, description = "Every meter in the open period.", body = QuotaBody),
        ReadErrors,
    )
)]
#[get("/quota")]
pub async fn get_quota(caller: Caller, params: Params<AccountParams>, services: web::Data<Arc<Services>>) -> ApiResult {
    let (question, now) = ((caller.token.hash(), params.0.which()), Instant::now());
    caller.actor().require_scope(&Scope::UsageRead)?;
    if let Some(body) = services.quota_answers.get(&question, now) {
        return Ok(answer(body));
    }
    let (actor, which) = (caller.actor().clone(), question.1.clone());
    let (changes, view) = services
        .run(|services| async move {
            let account = resolve(&*services.store, &actor, &which, Act::ReadQuota).await?;
            let changes = services.quota_answers.changes(account.id);
            Ok((changes, services.metering.quota(account.id).await?))
        })
        .await?;
    let body = serde_json::to_vec(&body_of(&view)).map(Bytes::from).map_err(|_| Error::Unavailable)?;
    services.quota_answers.put(question, (view.account.id, changes), now, body.clone());
    Ok(answer(body))
}

fn answer(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(body)
}

fn body_of(view: &QuotaView) -> QuotaBody {
    QuotaBody {
        account: view.account.id.to_string(),
        plan: view.subscription.chosen.plan.to_string(),
        status: view.status(),
        period: view.subscription.period.into(),
        quota_reset_date: view.reset_date.to_string(),
        meters: view.meters.iter().map(meter_view).collect(),
        total_overage_fee: view.total_overage_fee.to_decimal(),
        currency: view.total_overage_fee.currency().to_string(),
    }
}

fn meter_view(quota: &MeterQuota) -> QuotaMeterView {
    let scale = quota.meter.scale;
    QuotaMeterView {
        meter: quota.meter.code.to_string(),
        unit: quota.meter.unit.clone(),
        included: match quota.included {
            Allowance::Unlimited => None,
            Allowance::Limited(included) => Some(included.to_decimal(scale)),
        },
        granted: quota.granted.to_decimal(scale),
        used: quota.used.to_decimal(scale),
        reserved: quota.reserved.to_decimal(scale),
        remaining: quota.remaining.map(|remaining| remaining.to_decimal(scale)),
        on_exhausted: quota.on_exhausted.name(),
        overage: OverageView { quantity: quota.overage.to_decimal(scale), fee: quota.overage_fee.to_decimal() },
        wallet: wallet_part(quota),
        warnings_fired: quota.warnings_fired.iter().map(|percent| percent.get()).collect(),
    }
}

fn wallet_part(quota: &MeterQuota) -> Option<WalletPartView> {
    let pays = matches!(quota.on_exhausted, OnExhausted::Wallet(_)) || quota.wallet.is_positive();
    pays.then(|| WalletPartView {
        quantity: quota.wallet.to_decimal(quota.meter.scale),
        amount: quota.wallet_paid.to_decimal(),
        held: quota.wallet_held.to_decimal(),
    })
}

/// Which warnings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WarningParams {
    account: Option<String>,
    meter: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A threshold that was crossed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "wrn_0198a6f0c1d27d3e8b3f6a5c4d3e2f12", "scope": "account", "user": null, "meter": "words", "threshold": 80, "limit": "300000",
    "used": "240000", "period_start": "2026-11-20T16:00:00Z", "usage": "use_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "fired_at": "2026-11-21T08:00:00Z"
}))]
pub struct WarningView {
    id: String,
    /// `account` for the pool, `member` for a member's allocation.
    scope: &'static str,
    /// The member.
    user: Option<String>,
    meter: String,
    threshold: u16,
    limit: String,
    used: String,
    period_start: String,
    /// The use that crossed it.
    usage: String,
    fired_at: String,
}

/// List warnings, newest first; a plain member of a team sees the pool's and the own.
#[utoipa::path(
    tag = "quota",
    params(WarningParams),
    responses(
        (status = 200, description = "A page.", body = Listed<WarningView>),
        ReadErrors,
    )
)]
#[get("/warnings")]
pub async fn list_warnings(
    caller: Caller,
    params: Params<WarningParams>,
    services: web::Data<Arc<Services>>,
) -> ApiResult {
    let WarningParams { account, meter, limit, cursor } = params.0;
    let meter = meter.as_deref().map(meter_code).transpose()?;
    let page = page_request(limit, cursor.as_deref())?;
    let which = account.as_deref().map(AccountRef::parse).unwrap_or_default();
    let actor = caller.actor().clone();
    let fired = services
        .run(|services| async move {
            actor.require_scope(&Scope::UsageRead)?;
            let (account, member) = resolve_reader(&*services.store, &actor, &which).await?;
            services.metering.list_warnings(account.id, &WarningFilter { meter, member }, page).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(Listed::of(fired, |warning| warning_view(&warning, &services.catalogue))))
}

fn warning_view(warning: &FiredWarning, catalogue: &Catalogue) -> WarningView {
    let scale = scale_of(catalogue, &warning.meter);
    WarningView {
        id: warning.id.to_string(),
        scope: warning.scope(),
        user: warning.member().map(|user| user.to_string()),
        meter: warning.meter.to_string(),
        threshold: warning.threshold.get(),
        limit: warning.limit.to_decimal(scale),
        used: warning.used.to_decimal(scale),
        period_start: time::text(warning.period_start),
        usage: warning.usage.to_string(),
        fired_at: time::text(warning.fired_at),
    }
}
