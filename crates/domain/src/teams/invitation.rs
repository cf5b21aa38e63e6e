//! An invitation: lets one person become a member at once, for a week.

use crate::accounts::MemberRole;
use crate::id::{AccountId, InvitationId, UserId};
use crate::identity::Email;
use chrono::{DateTime, TimeDelta, Utc};

/// How long an invitation can be accepted.
pub(super) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// Invitations of one team that are open at once.
pub(super) const MAX_OPEN_INVITATIONS: u64 = 200;

#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    /// The team's account.
    pub account: AccountId,
    /// 32 hexadecimal digits; unique.
    pub code: String,
    /// Where it is mailed to; forgotten as soon as the invitation has ended.
    pub email: Option<Email>,
    pub role: MemberRole,
    pub invited_by: UserId,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub accepted_by: Option<UserId>,
    /// When it was accepted or revoked.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The code is a secret.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invitation({}, {})", self.id, self.role.as_str())
    }
}

impl Invitation {
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// `open`, `accepted`, `revoked` or `expired`.
    pub fn status(&self, now: DateTime<Utc>) -> &'static str {
        match (self.accepted_by, self.ended_at) {
            (Some(_), _) => "accepted",
            (None, Some(_)) => "revoked",
            (None, None) if now < self.expires_at => "open",
            (None, None) => "expired",
        }
    }

    /// Used by somebody; nobody else can use it.
    #[must_use]
    pub fn accepted(&self, by: UserId, now: DateTime<Utc>) -> Self {
        Self { accepted_by: Some(by), ..self.revoked(now) }
    }

    #[must_use]
    pub fn revoked(&self, now: DateTime<Utc>) -> Self {
        Self { ended_at: Some(now), email: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teams::samples;

    #[test]
    fn an_invitation_is_good_once_and_until_its_last_moment() {
        let open = samples::invitation(AccountId::new(samples::founded_at()), UserId::new(samples::founded_at()));
        let end = open.expires_at;
        assert!(open.is_open(end - TimeDelta::microseconds(1)) && !open.is_open(end));
        assert_eq!((open.status(samples::founded_at()), open.status(end)), ("open", "expired"));
        let accepted = open.accepted(open.invited_by, samples::founded_at());
        assert!(!accepted.is_open(samples::founded_at()));
        assert_eq!(accepted.status(end), "accepted");
        assert_eq!(open.revoked(samples::founded_at()).status(end), "revoked");
    }

    #[test]
    fn the_address_is_forgotten_when_the_invitation_ends_and_the_code_is_not_printed() {
        let open = samples::invitation(AccountId::new(samples::founded_at()), UserId::new(samples::founded_at()));
        assert!(open.email.is_some());
        assert_eq!(open.accepted(open.invited_by, samples::founded_at()).email, None);
        assert_eq!(open.revoked(samples::founded_at()).email, None);
        assert!(!format!("{open:?}").contains(&open.code));
    }
}
