//! `/reservations`: holding a quantity for a use that is under way; and `/debts`, what captures could not fund.

mod debts;
mod end;
mod list;
mod make;
mod views;

pub use debts::DebtView;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config
        .service(make::make_reservation)
        .service(end::capture_reservation)
        .service(end::release_reservation)
        .service(list::get_reservation)
        .service(list::list_reservations)
        .service(debts::list_debts);
}
