//! `/wallet`: an account's prepaid balances and their statements.

mod balances;
mod entries;
mod export;
pub mod views;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config.service(balances::get_wallet).service(entries::list_entries).service(export::export_entries);
}
