//! What is given away: `/redemptions`, `/check-in`, `/referral`, and `/admin/redemption-batches`.

mod batches;
mod check_in;
mod codes;
mod redeem;
mod referral;
mod views;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config
        .service(redeem::redeem)
        .service(redeem::list_redemptions)
        .service(check_in::check_in_today)
        .service(check_in::get_check_in)
        .service(referral::get_referral)
        .service(referral::transfer_referral)
        .service(batches::create_redemption_batch)
        .service(batches::list_redemption_batches)
        .service(batches::get_redemption_batch)
        .service(batches::update_redemption_batch)
        .service(batches::list_redemption_uses)
        .service(codes::list_redemption_codes)
        .service(codes::update_redemption_code)
        .service(codes::export_redemption_codes);
}
