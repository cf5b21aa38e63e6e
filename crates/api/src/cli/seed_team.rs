//! The demo's team of three: founded, put on its plan, joined and approved as people would.

use super::admin::said;
use super::seed_people::{Person, Seeding};
use domain::actor::Actor;
use domain::id::TeamId;
use domain::page::PageRequest;
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::teams::{Membership, MembershipStatus, TeamStatus, TeamSummary};
use serde_json::{Value, json};

/// The owner first.
pub(super) const TEAM: [&str; 3] = ["owner", "member1", "member2"];
const TEAM_NAME: &str = "Demo team";
const TEAM_PLAN: &str = "team";
const TEAM_SEATS: u32 = 3;

impl Seeding {
    /// Makes what is missing of the team; none when the configuration has no plan for it.
    pub(super) async fn complete_team(
        &self,
        operator: &Actor,
        people: &[(&str, Person)],
    ) -> anyhow::Result<Option<TeamSummary>> {
        let plan = PlanCode::parse(TEAM_PLAN).filter(|code| self.past.catalogue.plans.contains_key(code));
        let Some(plan) = plan else { return Ok(None) };
        let of =
            |wanted: &str| people.iter().find(|(name, _)| *name == wanted).map(|(_, person)| person.user.as_actor());
        let Some(owner) = of(TEAM[0]) else { return Ok(None) };
        if self.demo_team().await?.is_none() {
            self.past.teams.found(&owner, TEAM_NAME).await.map_err(said)?;
        }
        let Some(team) = self.demo_team().await? else { return Ok(None) };
        if team.team.status == TeamStatus::Suspended {
            let wish = PlanWish { plan, interval: Some(Interval::Month), seats: Some(TEAM_SEATS) };
            self.past.subscriptions.set(operator, team.account.id, &wish).await.map_err(said)?;
        }
        for member in TEAM[1..].iter().filter_map(|name| of(name)) {
            self.complete_member(&owner, &team, &member).await?;
        }
        self.demo_team().await
    }

    async fn complete_member(&self, owner: &Actor, team: &TeamSummary, member: &Actor) -> anyhow::Result<()> {
        if self.membership(team, member).await?.is_none() {
            let code = team.team.invite_code.clone().unwrap_or_default();
            self.past.teams.join(member, &code).await.map_err(said)?;
        }
        let asked = self.membership(team, member).await?;
        if asked.is_some_and(|asked| asked.status == MembershipStatus::Pending) {
            self.past.teams.approve(owner, team.team.id, member.user).await.map_err(said)?;
        }
        Ok(())
    }

    async fn membership(&self, team: &TeamSummary, member: &Actor) -> anyhow::Result<Option<Membership>> {
        let found = self.past.store.members().find(team.account.id, member.user).await;
        found.map_err(|error| said(error.into()))
    }

    /// The first team of the demo's owner.
    pub(super) async fn demo_team(&self) -> anyhow::Result<Option<TeamSummary>> {
        let Some(owner) = self.find(TEAM[0]).await? else { return Ok(None) };
        let teams = self.today.teams.list(&owner.as_actor(), PageRequest::default()).await.map_err(said)?;
        Ok(teams.rows.into_iter().rfind(|summary| summary.account.owner == owner.id))
    }

    /// The team as `seed --json` prints it; null when there is none.
    pub(super) async fn team_object(&self) -> anyhow::Result<Value> {
        let Some(summary) = self.demo_team().await? else { return Ok(Value::Null) };
        let mut members = Vec::new();
        for name in TEAM {
            let Some(user) = self.find(name).await? else { continue };
            let membership = self.membership(&summary, &user.as_actor()).await?;
            members.extend(membership.map(|membership| {
                let (role, status) = (membership.role.as_str(), membership.status.as_str());
                json!({"username": name, "id": user.id, "role": role, "status": status})
            }));
        }
        let id: TeamId = summary.team.id;
        let invite_code = summary.team.invite_code;
        Ok(json!({"id": id, "account": summary.account.id, "invite_code": invite_code, "members": members}))
    }
}
