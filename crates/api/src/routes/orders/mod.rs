//! `/products`, `/orders`, the way back from a payment, and providers' notifications.

mod back;
mod buy;
mod list;
mod products;
pub mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub use buy::{method_named, provider_named};
pub use products::ProductView;
pub use views::AttemptBody;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(products::list_products)
        .service(buy::make_order)
        .service(buy::pay_order)
        .service(buy::close_order)
        .service(list::list_orders)
        .service(list::get_order)
        .service(back::came_back)
        .service(back::take_notification);
}
