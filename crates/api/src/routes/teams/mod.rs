//! Teams: people who draw from one account.

mod invitations;
mod joining;
mod members;
mod team;
mod views;

use crate::routes::listing::Listing;

pub fn configure(config: &mut impl Listing) {
    config
        .service(team::found_team)
        .service(team::list_teams)
        // Before the routes that take any id in its place.
        .service(joining::join_team)
        .service(team::get_team)
        .service(team::update_team)
        .service(team::delete_team)
        .service(team::transfer_ownership)
        .service(members::list_members)
        .service(members::change_member)
        .service(members::remove_member)
        .service(joining::approve_member)
        .service(joining::leave_team)
        .service(invitations::invite)
        .service(invitations::list_invitations)
        .service(invitations::revoke_invitation)
        .service(invitations::rotate_invite_code);
}
