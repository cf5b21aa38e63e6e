//! The routes under `/api/v1`, one file per resource.

pub mod accounts;
pub mod admin;
pub mod admin_users;
pub mod api_keys;
pub mod auth;
pub mod auth_options;
pub mod bills;
pub mod health;
pub mod identities;
mod identity_views;
pub mod incentives;
pub mod listing;
pub mod me;
pub mod notices;
pub mod oauth;
mod oauth_browser;
pub mod orders;
mod plan_views;
pub mod plans;
pub mod quota;
pub mod reservations;
pub mod setup;
pub mod subscription;
mod subscription_views;
pub mod teams;
pub mod usage;
pub mod verification;
pub mod wallet;

use listing::Listing;

/// Every route of the API; the OpenAPI document is made from the same list.
///
/// A request is compared with one after the other, so the busiest come first.
pub fn configure(config: &mut impl Listing) {
    usage::configure(config);
    quota::configure(config);
    reservations::configure(config);
    identity(config);
    oauth(config);
    plans::configure(config);
    subscription::configure(config);
    wallet::configure(config);
    bills::configure(config);
    notices::configure(config);
    teams::configure(config);
    incentives::configure(config);
    verification::configure(config);
    orders::configure(config);
    admin::configure(config);
}

fn oauth(config: &mut impl Listing) {
    config
        .service(oauth::list_providers)
        .service(oauth::exchange)
        .service(oauth::start)
        .service(oauth::callback)
        .service(oauth::post_callback)
        .service(identities::list_identities)
        .service(identities::start_link)
        .service(identities::unlink);
}

fn identity(config: &mut impl Listing) {
    config
        .service(auth::register)
        .service(auth::login)
        .service(auth::logout)
        .service(auth_options::auth_options)
        .service(setup::set_up)
        .service(me::get_me)
        .service(me::update_me)
        .service(api_keys::create_key)
        .service(api_keys::list_keys)
        .service(api_keys::get_key)
        .service(api_keys::update_key)
        .service(api_keys::delete_key)
        .service(api_keys::rotate_key)
        .service(accounts::get_account)
        .service(accounts::update_account)
        .service(admin_users::list_users)
        .service(admin_users::update_user)
        .service(admin_users::list_accounts)
        .service(admin_users::order_account);
}
