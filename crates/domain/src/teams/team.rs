//! A team: people who draw from one account. Its name and owner are the account's.

use crate::change::Change;
use crate::error::{Error, Result};
use crate::id::{AccountId, TeamId};
use crate::text::visible_line;
use chrono::{DateTime, Utc};

/// Longest name, in characters. Source: kg-recharge `team_name`.
const MAX_NAME_LENGTH: usize = 100;
/// Longest code of a team's own choice. Source: kg-recharge `team_code`.
const MAX_TEAM_CODE_LENGTH: usize = 50;
const MIN_TEAM_CODE_LENGTH: usize = 3;

/// Source: kg-recharge `team_status_enum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TeamStatus {
    /// Nothing has been paid yet: people may join, nothing is consumed.
    Suspended,
    Active,
    /// Gone for its members; the account's history stays.
    Deleted,
}

impl TeamStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Suspended, Self::Active, Self::Deleted].into_iter().find(|status| status.as_str() == text)
    }
}

/// What becomes of somebody who comes with the team's invite code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinPolicy {
    /// Waits for an admin.
    Approval,
    /// Is a member at once.
    Open,
}

impl JoinPolicy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Open => "open",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Approval, Self::Open].into_iter().find(|policy| policy.as_str() == text)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Team {
    pub id: TeamId,
    /// What its members draw from; one team an account.
    pub account: AccountId,
    /// A code that the team chose for itself; unique.
    pub team_code: Option<String>,
    /// Six digits, unique; `None` once the team is deleted.
    pub invite_code: Option<String>,
    pub join_policy: JoinPolicy,
    pub status: TeamStatus,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// The invite code lets people in and stays out of logs.
impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, account, status, .. } = self;
        write!(f, "Team({id}, {account}, {})", status.as_str())
    }
}

/// What an admin changes about a team.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    pub name: Option<String>,
    pub team_code: Change<String>,
    pub join_policy: Option<JoinPolicy>,
}

impl Team {
    /// A team before anything was paid.
    pub fn founded(account: AccountId, invite_code: String, now: DateTime<Utc>) -> Self {
        Self {
            id: TeamId::new(now),
            account,
            team_code: None,
            invite_code: Some(invite_code),
            join_policy: JoinPolicy::Approval,
            status: TeamStatus::Suspended,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// Reads a name: one visible line of up to 100 characters.
    pub fn read_name(text: &str) -> Result<String> {
        visible_line(text, MAX_NAME_LENGTH).map_err(|reason| Error::invalid("name", reason))
    }

    /// Reads a team's own code: 3 to 50 of `a-z 0-9 -`, in any case.
    pub fn read_team_code(text: &str) -> Result<String> {
        let code = text.trim().to_ascii_lowercase();
        let plain = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if plain && (MIN_TEAM_CODE_LENGTH..=MAX_TEAM_CODE_LENGTH).contains(&code.len()) {
            Ok(code)
        } else {
            Err(Error::invalid("team_code", "must be 3 to 50 of a-z, 0-9 and -"))
        }
    }

    pub fn exists(&self) -> bool {
        self.status != TeamStatus::Deleted
    }

    /// The team once its first bill is paid; `None` when that changes nothing.
    pub fn activated(&self, now: DateTime<Utc>) -> Option<Self> {
        (self.status == TeamStatus::Suspended).then(|| Self {
            status: TeamStatus::Active,
            updated_at: now,
            ..self.clone()
        })
    }

    /// The team with another invite code; the old one is worth nothing any more.
    #[must_use]
    pub fn with_invite_code(&self, code: String, now: DateTime<Utc>) -> Self {
        Self { invite_code: Some(code), updated_at: now, ..self.clone() }
    }

    /// The team's end. Its codes are free for others.
    #[must_use]
    pub fn deleted(&self, now: DateTime<Utc>) -> Self {
        Self {
            status: TeamStatus::Deleted,
            invite_code: None,
            team_code: None,
            updated_at: now,
            deleted_at: Some(now),
            ..self.clone()
        }
    }
}
