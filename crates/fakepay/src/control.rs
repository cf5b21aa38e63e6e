//! Commands to misbehave, over HTTP under `/_fake`; tests in the process call `actions` themselves.

use crate::actions::{self, PayError};
use crate::book::{Kind, RefundStanding};
use crate::faults::Fault;
use crate::postman::Twist;
use crate::shared::{Manners, Shared};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query, ServiceConfig, delete, get, post, put, scope};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

pub fn configure(config: &mut ServiceConfig) {
    let control = scope("/_fake")
        .route("/manners", get().to(manners))
        .route("/manners", put().to(set_manners))
        .route("/faults", post().to(add_fault))
        .route("/faults", delete().to(clear_faults))
        .route("/pay", post().to(pay))
        .route("/fail", post().to(fail))
        .route("/scan", post().to(scan))
        .route("/refund", post().to(decide_refund))
        .route("/notify", post().to(notify))
        .route("/term", post().to(next_term))
        .route("/rotate", post().to(rotate))
        .route("/trades", get().to(trades))
        .route("/messages", get().to(messages))
        .route("/merchant", get().to(merchant));
    config.service(control);
}

#[derive(Deserialize)]
struct About {
    kind: Kind,
    number: String,
    /// Paid instead of what was asked for.
    #[serde(default)]
    amount: Option<i64>,
    /// Also when it is closed.
    #[serde(default)]
    closed: bool,
}

#[derive(Deserialize)]
struct Decision {
    kind: Kind,
    number: String,
    standing: RefundStanding,
}

#[derive(Deserialize)]
struct Notify {
    kind: Kind,
    #[serde(default)]
    number: Option<String>,
    #[serde(default)]
    twist: Twist,
}

#[derive(Deserialize)]
struct Term {
    subscription: String,
    paid: bool,
}

#[derive(Deserialize)]
struct Of {
    kind: Kind,
}

fn done(result: Result<(), PayError>) -> HttpResponse {
    match result {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(PayError::NotFound) => HttpResponse::NotFound().finish(),
        Err(PayError::Over) => HttpResponse::Conflict().finish(),
    }
}

async fn manners(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(&*shared.manners())
}

async fn set_manners(shared: Data<Shared>, manners: Json<Manners>) -> HttpResponse {
    *shared.manners() = manners.into_inner();
    HttpResponse::NoContent().finish()
}

async fn add_fault(shared: Data<Shared>, fault: Json<Fault>) -> HttpResponse {
    shared.add_fault(fault.into_inner());
    HttpResponse::NoContent().finish()
}

async fn clear_faults(shared: Data<Shared>) -> HttpResponse {
    shared.clear_faults();
    HttpResponse::NoContent().finish()
}

async fn pay(shared: Data<Shared>, about: Json<About>) -> HttpResponse {
    let shared = shared.into_inner();
    let About { kind, number, amount, closed } = about.into_inner();
    let paid = match amount {
        _ if closed => actions::pay_closed(&shared, kind, &number),
        Some(amount) => actions::pay_amount(&shared, kind, &number, amount),
        None => actions::pay(&shared, kind, &number),
    };
    done(paid.map(|_| ()))
}

async fn fail(shared: Data<Shared>, about: Json<About>) -> HttpResponse {
    done(actions::fail(&shared, about.kind, &about.number))
}

async fn scan(shared: Data<Shared>, about: Json<About>) -> HttpResponse {
    done(actions::scan(&shared, about.kind, &about.number))
}

async fn decide_refund(shared: Data<Shared>, decision: Json<Decision>) -> HttpResponse {
    let Decision { kind, number, standing } = decision.into_inner();
    done(actions::decide_refund(&shared.into_inner(), kind, &number, standing).map(|_| ()))
}

/// Delivers again what was told before, with something wrong if so wished.
async fn notify(shared: Data<Shared>, notify: Json<Notify>) -> HttpResponse {
    let Notify { kind, number, twist } = notify.into_inner();
    let taken = actions::redeliver(&shared.into_inner(), kind, number.as_deref(), twist).await;
    HttpResponse::Ok().json(json!({ "taken": taken }))
}

async fn next_term(shared: Data<Shared>, term: Json<Term>) -> HttpResponse {
    let begun = actions::next_term(&shared.into_inner(), &term.subscription, term.paid);
    done(if begun { Ok(()) } else { Err(PayError::NotFound) })
}

async fn rotate(shared: Data<Shared>, of: Json<Of>) -> HttpResponse {
    match actions::rotate_keys(&shared, of.kind) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Everything that a merchant of the fake must be told; it is worth nothing elsewhere.
async fn merchant(shared: Data<Shared>) -> HttpResponse {
    let keys = shared.keys();
    let merchant = &keys.merchant;
    let platform = keys.wechat_platform.iter().map(|(serial, key)| (serial.as_str(), key.public_pem.as_str()));
    HttpResponse::Ok().json(json!({
        "wechat": {
            "base_url": shared.base, "app_id": merchant.wechat_app_id, "merchant_id": merchant.wechat_merchant_id,
            "merchant_serial": merchant.wechat_merchant_serial, "merchant_key": keys.wechat_merchant.private_pem,
            "api_v3_key": merchant.wechat_api_v3_key, "platform_keys": platform.collect::<BTreeMap<_, _>>(),
        },
        "alipay": {
            "base_url": format!("{}/gateway.do", shared.base), "app_id": merchant.alipay_app_id,
            "seller_id": merchant.alipay_seller_id, "app_key": keys.alipay_app.private_pem,
            "alipay_key": keys.alipay.public_pem,
        },
        "stripe": {
            "base_url": shared.base, "secret_key": merchant.stripe_secret_key,
            "webhook_secrets": keys.stripe_webhook_secrets,
        },
    }))
}

async fn trades(shared: Data<Shared>, of: Query<Of>) -> HttpResponse {
    let trades: Vec<_> = shared.book().trades(of.kind).cloned().collect();
    let refunds: Vec<_> = shared.book().refunds(of.kind).cloned().collect();
    HttpResponse::Ok().json(json!({ "trades": trades, "refunds": refunds }))
}

async fn messages(shared: Data<Shared>, of: Query<Of>) -> HttpResponse {
    HttpResponse::Ok().json(actions::messages(&shared, of.kind, None))
}
