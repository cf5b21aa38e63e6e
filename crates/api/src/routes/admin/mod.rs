//! `/admin`: what only operators may do.

mod debts;
mod grants;
mod log;
mod test_clock;

use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(grants::give_grant)
        .service(grants::list_grants)
        .service(grants::revoke_grant)
        .service(debts::list_all_debts)
        .service(log::list_audit_log)
        .service(test_clock::advance_test_clock);
}
