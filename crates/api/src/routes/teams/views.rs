//! Teams, members and invitations as the API shows them. Members are shown by name, never by address.

use crate::http::time;
use chrono::{DateTime, Utc};
use domain::accounts::{Account, Act, Standing};
use domain::id::{AccountId, InvitationId, TeamId, UserId};
use domain::metering::{MemberMeter, MemberQuota};
use domain::teams::{Invitation, Membership, Team, TeamSummary, TeamView};
use serde::Serialize;
use utoipa::ToSchema;

/// A team.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "team_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11", "name": "Writers",
    "team_code": "writers", "status": "active", "owner": "usr_0198a6f0c1d27d3e8b3f6a5c4d3e2f12", "role": "owner",
    "seats": 3, "members": 2, "join_policy": "approval", "invite_code": "042917", "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct TeamBody {
    #[schema(value_type = String)]
    id: TeamId,
    /// What the members draw from; name it as `account` in other calls.
    #[schema(value_type = String)]
    account: AccountId,
    name: String,
    /// Of the team's own choice.
    team_code: Option<String>,
    /// `suspended` until the first bill is paid, then `active`.
    status: &'static str,
    #[schema(value_type = String)]
    owner: UserId,
    /// The caller's; null for an operator.
    role: Option<&'static str>,
    /// How many members the subscription pays for.
    seats: u32,
    /// How many there are.
    members: u64,
    /// `approval` or `open`.
    join_policy: &'static str,
    /// Six digits, for admins.
    invite_code: Option<String>,
    created_at: String,
}

impl From<TeamView> for TeamBody {
    fn from(view: TeamView) -> Self {
        let TeamView { team, account, standing, seats, members } = view;
        let role = match standing {
            Standing::Operator => None,
            Standing::Role(role) => Some(role.as_str()),
        };
        Self {
            id: team.id,
            account: account.id,
            name: account.name,
            team_code: team.team_code,
            status: team.status.as_str(),
            owner: account.owner,
            role,
            seats,
            members,
            join_policy: team.join_policy.as_str(),
            invite_code: team.invite_code.filter(|_| standing.may(Act::ReadInviteCode)),
            created_at: time::text(team.created_at),
        }
    }
}

/// A team in the list of one's own.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "team_0198a6f0c1d27d3e8b3f6a5c4d3e2f10", "account": "acc_0198a6f0c1d27d3e8b3f6a5c4d3e2f11",
    "name": "Writers", "status": "active", "role": "member", "membership": "pending"
}))]
pub struct TeamItem {
    #[schema(value_type = String)]
    id: TeamId,
    #[schema(value_type = String)]
    account: AccountId,
    name: String,
    status: &'static str,
    role: &'static str,
    /// `active`, or `pending` until an admin approves.
    membership: &'static str,
}

impl From<TeamSummary> for TeamItem {
    fn from(summary: TeamSummary) -> Self {
        let (Team { id, status, .. }, Account { id: account, name, .. }) = (summary.team, summary.account);
        let Membership { role, status: membership, .. } = summary.membership;
        let (status, role, membership) = (status.as_str(), role.as_str(), membership.as_str());
        Self { id, account, name, status, role, membership }
    }
}

/// A member, and what the member has used in the open period.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "user": "usr_0198a6f0c1d27d3e8b3f6a5c4d3e2f12", "username": "li", "display_name": "李", "role": "member",
    "status": "active", "invited_by": null, "joined_at": "2026-11-21T08:00:00Z", "removed_at": null,
    "meters": [{"meter": "words", "unit": "word", "used": "80000", "reserved": "0", "allocation": "100000",
        "remaining": "20000", "warnings_fired": [80]}]
}))]
pub struct MemberBody {
    #[schema(value_type = String)]
    user: UserId,
    username: Option<String>,
    display_name: String,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    /// `pending`, `active` or `removed`.
    status: &'static str,
    #[schema(value_type = Option<String>)]
    invited_by: Option<UserId>,
    joined_at: Option<String>,
    removed_at: Option<String>,
    /// Null when the caller may not see this member's use.
    meters: Option<Vec<MemberMeterBody>>,
}

/// A member's part of one meter.
#[derive(Serialize, ToSchema)]
pub struct MemberMeterBody {
    meter: String,
    unit: String,
    used: String,
    reserved: String,
    /// Null is as much as the team has.
    allocation: Option<String>,
    /// What the allocation still lets through.
    remaining: Option<String>,
    /// Percent of the allocation.
    warnings_fired: Vec<u16>,
}

impl From<MemberQuota> for MemberBody {
    fn from(quota: MemberQuota) -> Self {
        let text = |at: Option<DateTime<Utc>>| at.map(time::text);
        let Membership { user, role, status, invited_by, joined_at, removed_at, .. } = quota.membership;
        Self {
            user,
            username: quota.username,
            display_name: quota.display_name,
            role: role.as_str(),
            status: status.as_str(),
            invited_by,
            joined_at: text(joined_at),
            removed_at: text(removed_at),
            meters: quota.meters.map(|meters| meters.into_iter().map(Into::into).collect()),
        }
    }
}

impl From<MemberMeter> for MemberMeterBody {
    fn from(quota: MemberMeter) -> Self {
        let scale = quota.meter.scale;
        Self {
            used: quota.used.to_decimal(scale),
            reserved: quota.reserved.to_decimal(scale),
            allocation: quota.allocation.map(|allocation| allocation.to_decimal(scale)),
            remaining: quota.remaining().map(|remaining| remaining.to_decimal(scale)),
            warnings_fired: quota.warnings_fired.iter().map(|percent| percent.get()).collect(),
            unit: quota.meter.unit,
            meter: quota.meter.code.to_string(),
        }
    }
}

/// An invitation for one person.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "inv_0198a6f0c1d27d3e8b3f6a5c4d3e2f13", "invite_code": "7d3e8b3f6a5c4d3e2f130198a6f0c1d2",
    "email": "li@example.cn", "role": "member", "status": "open", "invited_by": "usr_0198a6f0c1d27d3e8b3f6a5c4d3e2f12",
    "accepted_by": null, "expires_at": "2026-11-28T08:00:00Z", "created_at": "2026-11-21T08:00:00Z"
}))]
pub struct InvitationBody {
    #[schema(value_type = String)]
    id: InvitationId,
    /// What the invited person sends to `POST /teams/join`.
    invite_code: String,
    /// Forgotten once the invitation has ended.
    email: Option<String>,
    role: &'static str,
    /// `open`, `accepted`, `revoked` or `expired`.
    status: &'static str,
    #[schema(value_type = String)]
    invited_by: UserId,
    #[schema(value_type = Option<String>)]
    accepted_by: Option<UserId>,
    expires_at: String,
    created_at: String,
}

impl InvitationBody {
    pub fn new(invitation: Invitation, now: DateTime<Utc>) -> Self {
        Self {
            id: invitation.id,
            status: invitation.status(now),
            email: invitation.email.map(|email| email.to_string()),
            invite_code: invitation.code,
            role: invitation.role.as_str(),
            invited_by: invitation.invited_by,
            accepted_by: invitation.accepted_by,
            expires_at: time::text(invitation.expires_at),
            created_at: time::text(invitation.created_at),
        }
    }
}
