//! `/notices` and `/webhook-endpoints`: what an account hears of its events.

mod in_app;
mod log;
pub mod views;
mod webhook_endpoints;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config
        .service(in_app::list_notices)
        .service(in_app::read_all_notices)
        .service(in_app::read_notice)
        .service(webhook_endpoints::create_webhook_endpoint)
        .service(webhook_endpoints::list_webhook_endpoints)
        .service(webhook_endpoints::get_webhook_endpoint)
        .service(webhook_endpoints::update_webhook_endpoint)
        .service(webhook_endpoints::delete_webhook_endpoint)
        .service(webhook_endpoints::rotate_webhook_secret)
        .service(log::test_webhook_endpoint)
        .service(log::list_deliveries)
        .service(log::replay_delivery);
}
