//! A membership: what somebody is in a team, since when, and how much of each meter is theirs.

use crate::accounts::MemberRole;
use crate::error::Error;
use crate::id::{AccountId, InvitationId, UserId};
use crate::quantity::Quantity;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Source: kg-recharge `status_enum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MembershipStatus {
    /// Asked to join; has no right yet and takes no seat.
    Pending,
    Active,
    /// Left, was removed, or was turned down. The history stays.
    Removed,
}

impl MembershipStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Removed => "removed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Removed].into_iter().find(|status| status.as_str() == text)
    }
}

/// One user in one team; a user who comes back gets the same row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The team's account.
    pub account: AccountId,
    pub user: UserId,
    pub role: MemberRole,
    pub status: MembershipStatus,
    pub invited_by: Option<UserId>,
    pub invitation: Option<InvitationId>,
    /// Most of each meter per quota period, in atoms, by the meter's code; what is not listed has no cap.
    pub allocations: BTreeMap<String, Quantity>,
    /// When the user last became a member.
    pub joined_at: Option<DateTime<Utc>>,
    /// When the user last ceased to be one.
    pub removed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Membership {
    /// Somebody who asked to join.
    pub fn asked(account: AccountId, user: UserId, now: DateTime<Utc>) -> Self {
        Self {
            account,
            user,
            role: MemberRole::Member,
            status: MembershipStatus::Pending,
            invited_by: None,
            invitation: None,
            allocations: BTreeMap::new(),
            joined_at: None,
            removed_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    pub fn is_active(&self) -> bool {
        self.status == MembershipStatus::Active
    }

    /// Whether the user was a member at that time, as far as is remembered: of the last membership.
    pub fn covers(&self, time: DateTime<Utc>) -> bool {
        let was = self.joined_at.is_some() && self.removed_at.is_some_and(|end| time < end);
        self.is_active() || was
    }

    /// Asks again after leaving. Whoever is in or waiting already is told so.
    pub fn asking_again(&self, now: DateTime<Utc>) -> Result<Self, Error> {
        match self.status {
            MembershipStatus::Active => Err(Error::conflict("conflict", "You are a member of this team already.")),
            MembershipStatus::Pending => Ok(self.clone()),
            MembershipStatus::Removed => {
                let (role, status) = (MemberRole::Member, MembershipStatus::Pending);
                Ok(Self { role, status, invited_by: None, invitation: None, updated_at: now, ..self.clone() })
            }
        }
    }

    /// A member from now on, in that role. The caller has counted the seats.
    #[must_use]
    pub fn admitted(&self, role: MemberRole, now: DateTime<Utc>) -> Self {
        let status = MembershipStatus::Active;
        Self { role, status, joined_at: Some(now), removed_at: None, updated_at: now, ..self.clone() }
    }

    /// No longer a member. Allocations stay, for history and for a return.
    #[must_use]
    pub fn ended(&self, now: DateTime<Utc>) -> Self {
        let status = MembershipStatus::Removed;
        // Turning down somebody who asked again does not move the end of the membership before.
        let removed_at = if self.is_active() { Some(now) } else { self.removed_at.or(Some(now)) };
        Self { role: MemberRole::Member, status, removed_at, updated_at: now, ..self.clone() }
    }

    #[must_use]
    pub fn with_role(&self, role: MemberRole, now: DateTime<Utc>) -> Self {
        Self { role, updated_at: now, ..self.clone() }
    }

    /// What the member may use of the meter in a period; `None` is as much as the pool has.
    pub fn allocation(&self, meter: &str) -> Option<Quantity> {
        self.allocations.get(meter).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn asked() -> Membership {
        Membership::asked(AccountId::new(at(0)), UserId::new(at(0)), at(0))
    }

    #[test]
    fn who_asked_is_nothing_yet_and_who_was_admitted_is_a_member() {
        let member = asked().admitted(MemberRole::Admin, at(5));
        assert!(!asked().is_active() && !asked().covers(at(9)));
        assert_eq!((member.role, member.joined_at, member.is_active()), (MemberRole::Admin, Some(at(5)), true));
    }

    #[test]
    fn use_before_the_end_of_a_membership_still_belongs_to_it() {
        let ended = asked().admitted(MemberRole::Member, at(0)).ended(at(10));
        assert!(ended.covers(at(10) - TimeDelta::microseconds(1)));
        assert!(!ended.covers(at(10)));
        assert!(!asked().ended(at(10)).covers(at(5)), "turned down: never a member");
        let turned_down = ended.asking_again(at(20)).unwrap().ended(at(30));
        assert!(turned_down.covers(at(9)) && !turned_down.covers(at(25)));
    }

    #[test]
    fn an_admin_who_left_comes_back_as_somebody_who_asks() {
        let back = asked().admitted(MemberRole::Admin, at(0)).ended(at(10)).asking_again(at(20)).unwrap();
        assert_eq!((back.role, back.status), (MemberRole::Member, MembershipStatus::Pending));
        assert_eq!(back.asking_again(at(30)).unwrap(), back, "asking twice changes nothing");
        assert!(back.admitted(MemberRole::Member, at(30)).asking_again(at(31)).is_err());
    }
}
