//! Who shares an account: teams, their members and what each may draw, and how one becomes a member.

mod code;
mod invitation;
mod invitations;
mod joining;
mod member;
mod members;
mod ownership;
mod ports;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod service;
mod steps;
mod team;
#[cfg(test)]
mod tests;

pub use code::{INVITE_CODE_DIGITS, InviteCode};
pub use invitation::Invitation;
pub use invitations::InvitationWish;
pub use member::{Membership, MembershipStatus};
pub use members::MemberChange;
pub use ports::{InvitationRepository, MemberRepository, TeamPlans, TeamRepository};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockInvitationRepository, MockMemberRepository, MockTeamRepository};
pub use service::{TeamService, TeamSummary, TeamView};
pub use steps::{activate, active_members, enter};
pub use team::{JoinPolicy, Team, TeamChange, TeamStatus};
