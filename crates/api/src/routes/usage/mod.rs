//! `/usage`: reporting use, one event, many, or as CloudEvents; listing and summing it.

mod batch;
mod cloud_events;
mod list;
mod single;
mod views;

pub use list::meter_code;
pub use single::key_missing;
pub use views::{PartView, UsageView, part_view, scale_of};

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config
        .service(single::report_usage)
        .service(batch::report_batch)
        .service(cloud_events::report_cloud_events)
        .service(list::list_usage)
        .service(list::summarise_usage);
}
