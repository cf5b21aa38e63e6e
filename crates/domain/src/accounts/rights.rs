//! What each role may do on an account: the one table that services ask, and that `docs/roles.md` is made from.

use crate::error::{Error, Result};

/// What a user is to an account. A personal account has an owner and nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberRole {
    Member,
    Admin,
    Owner,
}

impl MemberRole {
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::Owner];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether the role allows the act.
    pub fn may(self, act: Act) -> bool {
        RIGHTS.iter().any(|right| right.act == act && right.roles.contains(&self))
    }

    /// Whether somebody of this role decides about somebody of the other: an admin about members, an owner about all.
    pub fn manages(self, other: Self) -> bool {
        self == Self::Owner || self > other
    }
}

/// Something that is done on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    ReadAccount,
    ReadQuota,
    ReadOwnUsage,
    Consume,
    CreateKey,
    ReadMembers,
    Leave,
    ReadAllUsage,
    ReadNotices,
    ManageWebhooks,
    ReadInviteCode,
    Invite,
    RotateInviteCode,
    ApproveMember,
    RemoveMember,
    Allocate,
    UpdateTeam,
    ChangeRole,
    TransferOwnership,
    DeleteTeam,
    ChangeSubscription,
    SetSpendCap,
    Buy,
    ReadOrders,
}

/// An act, in words, and who may do it.
#[derive(Clone, Copy, Debug)]
pub struct Right {
    pub act: Act,
    pub words: &'static str,
    pub roles: &'static [MemberRole],
}

const EVERYBODY: &[MemberRole] = &[MemberRole::Member, MemberRole::Admin, MemberRole::Owner];
const ALL_BUT_THE_OWNER: &[MemberRole] = &[MemberRole::Member, MemberRole::Admin];
const ADMINS: &[MemberRole] = &[MemberRole::Admin, MemberRole::Owner];
const THE_OWNER: &[MemberRole] = &[MemberRole::Owner];

/// Role × act: what is not listed is not allowed. People are the admins' business, money is the owner's.
pub const RIGHTS: [Right; 24] = [
    right(Act::ReadAccount, "see the account and the team", EVERYBODY),
    right(Act::ReadQuota, "see plan and quota", EVERYBODY),
    right(Act::ReadOwnUsage, "see own usage and warnings", EVERYBODY),
    right(Act::Consume, "use the pool", EVERYBODY),
    right(Act::CreateKey, "create API keys that draw from the account", EVERYBODY),
    right(Act::ReadMembers, "see who is a member", EVERYBODY),
    right(Act::Leave, "leave the team", ALL_BUT_THE_OWNER),
    right(Act::ReadAllUsage, "see everybody's usage, allocations and warnings", ADMINS),
    right(Act::ReadNotices, "see the account's notices and mark them as read", ADMINS),
    right(Act::ManageWebhooks, "manage webhook endpoints and see their deliveries", ADMINS),
    right(Act::ReadInviteCode, "see the invite code and invitations", ADMINS),
    right(Act::Invite, "invite, and revoke invitations", ADMINS),
    right(Act::RotateInviteCode, "replace the invite code", ADMINS),
    right(Act::ApproveMember, "approve who asked to join", ADMINS),
    right(Act::RemoveMember, "remove members (admins: only the owner)", ADMINS),
    right(Act::Allocate, "set members' allocations (admins': only the owner)", ADMINS),
    right(Act::UpdateTeam, "rename the team, set its code and how it is joined", ADMINS),
    right(Act::ChangeRole, "make members admins and back", THE_OWNER),
    right(Act::TransferOwnership, "hand the team over", THE_OWNER),
    right(Act::DeleteTeam, "delete the team", THE_OWNER),
    right(Act::ChangeSubscription, "choose plan, seats and preferred model", THE_OWNER),
    right(Act::SetSpendCap, "cap the overage fees", THE_OWNER),
    right(Act::Buy, "order, pay and close orders", THE_OWNER),
    right(Act::ReadOrders, "see orders and payments", THE_OWNER),
];

const fn right(act: Act, words: &'static str, roles: &'static [MemberRole]) -> Right {
    Right { act, words, roles }
}

/// With which rights somebody uses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An operator in a session, or a service key: every act.
    Operator,
    Role(MemberRole),
}

impl Standing {
    pub fn may(self, act: Act) -> bool {
        match self {
            Self::Operator => true,
            Self::Role(role) => role.may(act),
        }
    }

    /// Refuses what the role does not allow. Whoever gets this far may know that the account exists.
    pub fn require(self, act: Act) -> Result<()> {
        if self.may(act) { Ok(()) } else { Err(Error::Forbidden("Your role in the team does not allow this.")) }
    }

    /// Whether somebody of this standing decides about a member of that role.
    pub fn manages(self, other: MemberRole) -> bool {
        match self {
            Self::Operator => true,
            Self::Role(role) => role.manages(other),
        }
    }
}

#[cfg(test)]
#[path = "rights_tests.rs"]
mod tests;
