//! `/wallet`: an account's prepaid balances and their statements.

mod balances;
mod entries;
mod export;
pub mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(balances::get_wallet).service(entries::list_entries).service(export::export_entries);
}
