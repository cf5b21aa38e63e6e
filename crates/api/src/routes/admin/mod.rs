//! `/admin`: what only operators may do.

mod bills;
mod coupons;
mod debts;
mod grants;
mod invoices;
mod ledger;
mod log;
mod options;
mod outbox;
mod payments;
mod products;
mod report_views;
mod reports;
mod suspense;
mod test_clock;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config
        .service(grants::give_grant)
        .service(grants::list_grants)
        .service(grants::revoke_grant)
        .service(bills::list_all_bills)
        .service(bills::record_bill_payment)
        .service(bills::refund_bill)
        .service(bills::void_bill)
        .service(bills::close_periods)
        .service(invoices::list_invoices)
        .service(invoices::issue_invoice)
        .service(invoices::reject_invoice)
        .service(invoices::reverse_invoice)
        .service(coupons::make_coupon)
        .service(coupons::list_coupons)
        .service(coupons::disable_coupon)
        .service(debts::list_all_debts)
        .service(ledger::get_ledger)
        .service(ledger::adjust)
        .service(ledger::list_adjustments)
        .service(ledger::approve_adjustment)
        .service(ledger::reject_adjustment)
        .service(ledger::reverse_transfer)
        .service(log::list_audit_log)
        .service(options::list_options)
        .service(options::change_options)
        .service(outbox::list_dead_letters)
        .service(outbox::replay_dead_letter)
        .service(products::create_product)
        .service(products::list_all_products)
        .service(products::update_product)
        .service(payments::list_all_orders)
        .service(payments::show_order)
        .service(payments::list_payments)
        .service(payments::list_refunds)
        .service(payments::refund_payment)
        .service(payments::confirm_payment)
        .service(reports::report_revenue)
        .service(reports::report_overage)
        .service(reports::report_receivables)
        .service(reports::report_refunds)
        .service(suspense::list_suspense)
        .service(suspense::resolve_suspense)
        .service(suspense::list_differences)
        .service(suspense::resolve_difference)
        .service(test_clock::advance_test_clock);
}
