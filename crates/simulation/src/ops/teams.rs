//! Teams: found, joined, managed and deleted.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use domain::accounts::{AccountRef, MemberRole};
use domain::actor::Actor;
use domain::error::Result;
use domain::id::{AccountId, TeamId, UserId};
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::teams::{InvitationWish, JoinPolicy, MemberChange, MembershipStatus, Team, TeamChange};
use std::collections::BTreeMap;

impl Doing {
    pub(super) async fn found_team(&mut self) {
        let customer = self.customer();
        let answer = until_answered!(self.services().teams.found(&customer, "A team"));
        self.count("team", "no team", &answer);
        if let Ok(view) = &answer {
            self.seat(&customer, view.team.account).await;
        }
        if let Ok(view) = &answer
            && self.rng.one_in(2)
        {
            let change = TeamChange { join_policy: Some(JoinPolicy::Open), ..TeamChange::default() };
            let opened = until_answered!(self.services().teams.update(&customer, view.team.id, change.clone()));
            self.count("team opened", "team not opened", &opened);
        }
        self.tell("founds a team", &answer.map(|view| view.team.id));
    }

    /// Mostly a new team buys seats at once: without, nobody can join.
    async fn seat(&mut self, owner: &Actor, account: AccountId) {
        let (is_seated, seats, operator) = (!self.rng.one_in(4), self.rng.between(2, 3), self.operator());
        if !is_seated {
            return;
        }
        let wish = PlanWish {
            plan: PlanCode::parse("team").unwrap_or_else(|| unreachable!("a plan of the catalogue")),
            interval: Some(Interval::Month),
            seats: u32::try_from(seats).ok(),
        };
        let billing = self.services().billing.clone();
        let bought = until_answered!(billing.subscribe(owner, &AccountRef::Id(account), &wish, None));
        self.count("seats", "no seats", &bought);
        let Some(issued) = bought.ok().and_then(|bought| bought.bill) else { return };
        self.world.book().bills.insert(issued.bill.id, issued.bill.totals.total);
        let request = self.request(&operator, "POST /bills/pay");
        let paid = until_answered!(billing.pay_outside(&operator, issued.bill.id, Some("a transfer"), &request));
        self.count("bill paid", "bill not paid", &paid);
        if let Ok(paid) = &paid {
            self.world.book().paid.insert(paid.value.bill, paid.value.id);
        }
    }

    /// A team that is not deleted, and its owner.
    fn a_team(&mut self) -> Option<(Team, Actor)> {
        let chosen = self.choose_id("team", |tables| {
            tables.teams.values(OUTSIDE).filter(|team| team.exists()).map(|team| team.id.as_uuid()).collect()
        });
        let id = TeamId::from_uuid(chosen);
        let team = self.world.eyes.lock().tables.teams.get(OUTSIDE, &id).cloned()?;
        let owner = self.owner_of(team.account)?;
        Some((team, owner))
    }

    pub(super) async fn join(&mut self) {
        let (customer, by_invitation) = (self.customer(), self.rng.one_in(2));
        let Some((team, _)) = self.a_team() else { return };
        let invitation = self.choose_id("invitation", |tables| {
            // The newest, so that several want the same.
            let mut mine = tables.invitations.values(OUTSIDE).filter(|row| row.account == team.account);
            mine.next_back().map(|row| row.id.as_uuid()).into_iter().collect()
        });
        let code = if by_invitation {
            let core = self.world.eyes.lock();
            core.tables
                .invitations
                .values(OUTSIDE)
                .find(|row| row.id.as_uuid() == invitation)
                .map(|row| row.code.clone())
        } else {
            team.invite_code.clone()
        };
        let code = code.unwrap_or_else(|| "000000".to_owned());
        let answer = until_answered!(self.services().teams.join(&customer, &code));
        self.count("joined", "not joined", &answer);
        self.tell(&format!("{} joins {}", customer.user, team.id), &answer.map(|joined| joined.membership.status));
    }

    pub(super) async fn invite(&mut self) {
        let Some((team, owner)) = self.a_team() else { return };
        let wish = InvitationWish { email: None, role: MemberRole::Member };
        let answer = until_answered!(self.services().teams.invite(&owner, team.id, wish.clone()));
        self.count("invitation", "no invitation", &answer);
        self.tell(&format!("invites to {}", team.id), &answer.map(|invitation| invitation.id));
    }

    pub(super) async fn manage(&mut self) {
        let Some((team, owner)) = self.a_team() else { return };
        let how = self.rng.below(20);
        let wanted = if how < 11 { MembershipStatus::Active } else { MembershipStatus::Pending };
        let member = self.choose_id("member", |tables| {
            let members = tables.members.values(OUTSIDE).filter(|row| row.account == team.account);
            members.filter(|row| row.status == wanted).map(|row| row.user.as_uuid()).collect()
        });
        let member = UserId::from_uuid(member);
        let cap = Some(self.rng.between(0, 15).to_string());
        let teams = &self.services().teams;
        let answer: Result<()> = match how {
            0 => until_answered!(teams.delete(&owner, team.id)),
            1..3 => until_answered!(teams.transfer_ownership(&owner, team.id, member)).map(drop),
            3..5 => until_answered!(teams.remove_member(&owner, team.id, member)),
            5..11 => {
                let allocations = BTreeMap::from([("words".to_owned(), cap)]);
                let change = MemberChange { role: None, allocations };
                until_answered!(teams.change_member(&owner, team.id, member, change.clone()))
            }
            _ => until_answered!(teams.approve(&owner, team.id, member)),
        };
        self.count("managed", "not managed", &answer);
        self.tell(&format!("manages {} ({how}) {member}", team.id), &answer);
    }
}
