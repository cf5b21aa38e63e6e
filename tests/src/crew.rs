//! Teams for tests: people without passwords, and a team of them on its plan.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test whose team cannot be set up fails")]

use crate::scene::{Scene, command};
use domain::accounts::Account;
use domain::actor::Actor;
use domain::id::{AccountId, TeamId, UserId};
use domain::identity::samples;
use domain::metering::{Consume, MemberQuota};
use domain::page::PageRequest;
use domain::plans::{PlanCode, PlanWish};
use domain::teams::{JoinPolicy, TeamChange};
use uuid::Uuid;

/// A team and its owner.
#[derive(Clone)]
pub struct Crew {
    pub team: TeamId,
    pub account: AccountId,
    pub code: String,
    pub owner: Actor,
}

impl Scene {
    /// Users in sessions, made without the cost of hashing passwords.
    pub async fn people(&self, count: usize) -> Vec<Actor> {
        let work = self.services.store.begin().await.unwrap();
        let mut people = Vec::with_capacity(count);
        for _ in 0..count {
            let user = samples::user(&format!("p{}", Uuid::now_v7().simple()));
            let account = Account::personal(user.personal_account, user.id, "somebody".to_owned(), self.now());
            work.accounts().insert(&account).await.unwrap();
            work.users().insert(&user).await.unwrap();
            people.push(user.as_actor());
        }
        work.commit().await.unwrap();
        people
    }

    /// An active team with that many seats.
    pub async fn crew(&self, owner: &Actor, seats: u32, policy: JoinPolicy) -> Crew {
        let founded = self.services.teams.found(owner, "Crew").await.unwrap();
        let (team, account) = (founded.team.id, founded.account.id);
        let wish = PlanWish { plan: PlanCode::parse("team").unwrap(), interval: None, seats: Some(seats) };
        self.services.subscriptions.set(&self.operator(), account, &wish).await.unwrap();
        let change = TeamChange { join_policy: Some(policy), ..TeamChange::default() };
        let changed = self.services.teams.update(owner, team, change).await.unwrap();
        Crew { team, account, code: changed.team.invite_code.unwrap(), owner: owner.clone() }
    }

    /// Everybody who ever was in the team, with what each used.
    pub async fn members(&self, crew: &Crew) -> Vec<MemberQuota> {
        let page = PageRequest { limit: 200, before: None };
        self.services.metering.list_members(&self.operator(), crew.team, None, page).await.unwrap().rows
    }

    /// The sum of what the members used, which must be the pool's.
    pub async fn sum_of_members(&self, crew: &Crew, meter: &str) -> i64 {
        let members = self.members(crew).await;
        let meters = members.iter().flat_map(|member| member.meters.as_ref().unwrap());
        meters.filter(|quota| quota.meter.code.as_str() == meter).map(|quota| quota.used.as_atoms()).sum()
    }
}

impl Crew {
    /// A use by one of the crew.
    pub fn command(&self, user: UserId, meter: &str, atoms: i64, key: &str) -> Consume {
        Consume { user: Some(user), ..command(self.account, meter, atoms, key) }
    }
}
