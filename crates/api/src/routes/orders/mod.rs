//! `/products`, `/orders`, the way back from a payment, and providers' notifications.

mod back;
mod buy;
mod list;
mod products;
pub mod views;

pub use buy::{method_named, provider_named};
pub use products::ProductView;
pub use views::AttemptBody;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
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
