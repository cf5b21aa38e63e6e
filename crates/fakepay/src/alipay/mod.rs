//! Alipay's gateway, as the merchant and the customer's browser see it.

mod bill;
mod calls;
mod door;
mod notification;

pub use notification::{notification, tell_paid, tell_refunded};

use actix_web::web::{ServiceConfig, get, post};

pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/gateway.do", post().to(calls::gateway))
        .route("/gateway.do", get().to(calls::browser))
        .route("/alipay/bill", get().to(bill::download));
}
