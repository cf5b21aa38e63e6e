//! Stripe's interface, as the merchant and the customer's browser see it.

mod bill;
mod desk;
mod door;
mod events;
mod invoices;
mod refunds;
mod sessions;
mod subscriptions;

pub use desk::{Desk, Invoice};
pub use events::{notification, tell_paid, tell_refunded};
pub use subscriptions::{fail_renewal, renew, start};

use actix_web::web::{ServiceConfig, delete, get, post};

pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/v1/checkout/sessions", post().to(sessions::create))
        .route("/v1/checkout/sessions", get().to(sessions::list))
        .route("/v1/checkout/sessions/{id}", get().to(sessions::retrieve))
        .route("/v1/checkout/sessions/{id}/expire", post().to(sessions::expire))
        .route("/v1/refunds", post().to(refunds::create))
        .route("/v1/refunds", get().to(refunds::list))
        .route("/v1/refunds/{id}", get().to(refunds::retrieve))
        .route("/v1/balance_transactions", get().to(bill::list))
        .route("/v1/invoices/{id}", get().to(invoices::retrieve))
        .route("/v1/invoice_payments", get().to(invoices::payments))
        .route("/v1/billing_portal/sessions", post().to(subscriptions::portal))
        .route("/v1/subscriptions/{id}", get().to(subscriptions::retrieve))
        .route("/v1/subscriptions/{id}", post().to(subscriptions::update))
        .route("/v1/subscriptions/{id}", delete().to(subscriptions::cancel));
}
