//! WeChat Pay, API v3, as the merchant sees it.

mod bill;
mod calls;
mod door;
mod notification;

pub use notification::{notification, tell_paid, tell_refunded};

use actix_web::web::{ServiceConfig, get, post};

pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/v3/pay/transactions/native", post().to(calls::native))
        .route("/v3/pay/transactions/out-trade-no/{number}", get().to(calls::query))
        .route("/v3/pay/transactions/id/{transaction}", get().to(calls::query_by_transaction))
        .route("/v3/pay/transactions/out-trade-no/{number}/close", post().to(calls::close))
        .route("/v3/refund/domestic/refunds", post().to(calls::refund))
        .route("/v3/refund/domestic/refunds/{number}", get().to(calls::query_refund))
        .route("/v3/bill/tradebill", get().to(bill::trade_bill))
        .route("/v3/billdownload/file", get().to(bill::download));
}
