//! A team's members with what each has used in the open period: what lists of members show.

use super::service::MeteringService;
use crate::accounts::{Account, Act, Standing};
use crate::actor::{Actor, Scope};
use crate::error::{Error, Result};
use crate::id::{TeamId, UserId};
use crate::page::{Page, PageRequest};
use crate::plans::{self, Meter, Percent};
use crate::quantity::Quantity;
use crate::quota::{Counter, Subject};
use crate::store::Repositories;
use crate::teams::{self, Membership, MembershipStatus};
use std::collections::BTreeMap;

/// A member as others of the team see one: by name, without an address.
#[derive(Clone, Debug)]
pub struct MemberQuota {
    pub membership: Membership,
    pub username: Option<String>,
    pub display_name: String,
    /// `None` when the caller may not see this member's use.
    pub meters: Option<Vec<MemberMeter>>,
}

/// One meter of a member in the open period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMeter {
    pub meter: Meter,
    pub used: Quantity,
    pub reserved: Quantity,
    /// `None` is as much as the pool has.
    pub allocation: Option<Quantity>,
    pub warnings_fired: Vec<Percent>,
}

impl MemberMeter {
    /// What the allocation still lets through.
    pub fn remaining(&self) -> Option<Quantity> {
        Some(self.allocation?.left_after(self.used.saturating_add(self.reserved)))
    }
}

impl MeteringService {
    /// Members by user, newest first. Plain members see who is active, and their own use.
    pub async fn list_members(
        &self,
        actor: &Actor,
        team: TeamId,
        status: Option<MembershipStatus>,
        page: PageRequest,
    ) -> Result<Page<MemberQuota>> {
        actor.require_scope(&Scope::UsageRead)?;
        let (_, account, standing) = teams::enter(&*self.store, actor, team, Act::ReadMembers).await?;
        let sees_all = standing.may(Act::ReadAllUsage);
        let status = if sees_all { status } else { Some(MembershipStatus::Active) };
        let page = self.store.members().list(account.id, status, page).await?;
        let rows = self.measured(actor, (&account, standing), page.rows).await?;
        Ok(Page { rows, next: page.next })
    }

    /// One member, or somebody who was one or asked to be.
    pub async fn member(&self, actor: &Actor, team: TeamId, user: UserId) -> Result<MemberQuota> {
        let (_, account, standing) = teams::enter(&*self.store, actor, team, Act::ReadMembers).await?;
        let found = self.store.members().find(account.id, user).await?;
        let mut measured = self.measured(actor, (&account, standing), found.into_iter().collect()).await?;
        measured.pop().ok_or(Error::NotFound("member"))
    }

    async fn measured(
        &self,
        actor: &Actor,
        (account, standing): (&Account, Standing),
        members: Vec<Membership>,
    ) -> Result<Vec<MemberQuota>> {
        let store: &dyn Repositories = &*self.store;
        let subscription = plans::current(store, &self.catalogue, account, self.clock.now()).await?;
        let counters = store.counters().load(&[(account.id, subscription.period.start)]).await?;
        let users: Vec<_> = members.iter().map(|member| member.user).collect();
        let users = store.users().find_many(&users).await?;
        let users: BTreeMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
        let sees_all = standing.may(Act::ReadAllUsage);
        let measure = |membership: Membership| {
            let user = users.get(&membership.user);
            let visible = sees_all || membership.user == actor.user;
            MemberQuota {
                username: user.and_then(|user| user.username.as_ref().map(ToString::to_string)),
                display_name: user.map(|user| user.profile.display_name.clone()).unwrap_or_default(),
                meters: visible.then(|| self.meters_of(&membership, &counters)),
                membership,
            }
        };
        Ok(members.into_iter().map(measure).collect())
    }

    fn meters_of(&self, member: &Membership, counters: &[Counter]) -> Vec<MemberMeter> {
        let of_meter = |meter: &Meter| {
            let own =
                |counter: &&Counter| counter.subject == Subject::Member(member.user) && counter.meter == meter.code;
            let counter = counters.iter().find(own);
            MemberMeter {
                meter: meter.clone(),
                used: counter.map_or(Quantity::ZERO, |counter| counter.used),
                reserved: counter.map_or(Quantity::ZERO, |counter| counter.reserved),
                allocation: member.allocation(meter.code.as_str()),
                warnings_fired: counter.map(|counter| counter.warnings.fired.clone()).unwrap_or_default(),
            }
        };
        self.catalogue.meters.values().map(of_meter).collect()
    }
}
