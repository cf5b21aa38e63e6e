//! Teams, codes, check-ins, referrals and API keys: nothing is given twice, and nobody has more than there is.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::{OUTSIDE, hash};
use domain::accounts::MemberRole;
use domain::id::{AccountId, UserId};
use domain::incentives::Reward;
use domain::quota::{Counter, GrantOrigin, Subject};
use domain::teams::{MembershipStatus, TeamStatus};
use domain::wallet::TransferKind;
use std::collections::BTreeMap;

pub fn teams_have_one_owner_and_seats(core: &Core) -> Found {
    for team in core.tables.teams.values(OUTSIDE).filter(|team| team.exists()) {
        let members = core.tables.members.values(OUTSIDE).filter(|member| member.account == team.account);
        let active: Vec<_> = members.filter(|member| member.status == MembershipStatus::Active).collect();
        let owners = active.iter().filter(|member| member.role == MemberRole::Owner).count();
        same(&owners, &1, || format!("the owners of {}", team.id))?;
        let Some(subscription) = core.tables.subscriptions.get(OUTSIDE, &team.account) else { continue };
        let (seats, plan) = (subscription.chosen.seats as usize, subscription.chosen.plan.as_str());
        if team.status == TeamStatus::Active && plan == "team" {
            hold(active.len() <= seats, || format!("{} has {} members on {seats} seats", team.id, active.len()))?;
        }
    }
    for invitation in core.tables.invitations.values(OUTSIDE) {
        let users = core.tables.members.values(OUTSIDE).filter(|member| member.invitation == Some(invitation.id));
        hold(users.count() <= 1, || format!("{} was accepted by several", invitation.id))?;
    }
    Ok(())
}

/// What members used adds up to what their team used.
pub fn members_add_up_to_their_team(core: &Core) -> Found {
    let mut shares: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    let key = |row: &Counter| (row.account, row.period.start, row.meter.clone());
    let counters = || core.tables.counters.values(OUTSIDE);
    for counter in counters().filter(|row| row.subject != Subject::Account) {
        let sum = shares.entry(key(counter)).or_default();
        sum.0 += counter.used.as_atoms();
        sum.1 += counter.reserved.as_atoms();
    }
    let teams: Vec<AccountId> = core.tables.teams.values(OUTSIDE).map(|team| team.account).collect();
    for pool in counters().filter(|row| row.subject == Subject::Account && teams.contains(&row.account)) {
        let found = shares.remove(&key(pool)).unwrap_or_default();
        let wanted = (pool.used.as_atoms(), pool.reserved.as_atoms());
        same(&found, &wanted, || format!("the members' parts of {:?}", key(pool)))?;
    }
    hold(shares.is_empty(), || format!("parts of no team: {shares:?}"))
}

/// A credit of this reference, as money or as a grant.
fn credits(core: &Core, account: AccountId, reward: &Reward, reference: &str) -> usize {
    match reward {
        Reward::Money(_) => {
            let key = hash(&(TransferKind::Promotion, reference));
            usize::from(core.tables.transfers.by_unique(OUTSIDE, 0, key).is_some())
        }
        Reward::Quota(_) => {
            let grants = core.tables.grants.values(OUTSIDE).filter(|grant| grant.account == account);
            let given = grants.filter(|grant| grant.origin != GrantOrigin::Manual && grant.reference == reference);
            given.count()
        }
    }
}

pub fn rewards_are_given_once(core: &Core) -> Found {
    let mut uses: BTreeMap<_, i64> = BTreeMap::new();
    for used in core.tables.redemption_uses.values(OUTSIDE) {
        *uses.entry(used.code).or_default() += 1;
        let Some(batch) = core.tables.redemption_batches.get(OUTSIDE, &used.batch) else {
            return Err(format!("{} is of no batch", used.id));
        };
        let found = credits(core, used.account, &batch.reward, &used.reference());
        same(&found, &1, || format!("the credits of {}", used.id))?;
    }
    for code in core.tables.redemption_codes.values(OUTSIDE) {
        let wanted = uses.remove(&code.id).unwrap_or(0);
        same(&code.used, &wanted, || format!("the uses of {}", code.id))?;
        hold(code.used <= code.max_uses, || format!("{} was used too often", code.id))?;
    }
    for check_in in core.tables.check_ins.values(OUTSIDE) {
        let account = core.tables.users.get(OUTSIDE, &check_in.user).map(|user| user.personal_account);
        let Some(account) = account else { continue };
        let found = credits(core, account, &check_in.reward, &check_in.reference());
        same(&found, &1, || format!("the credits of {}", check_in.reference()))?;
    }
    referrals_add_up(core)
}

fn referrals_add_up(core: &Core) -> Found {
    let mut earned: BTreeMap<UserId, i64> = BTreeMap::new();
    for reward in core.tables.referral_rewards.values(OUTSIDE) {
        *earned.entry(reward.inviter).or_default() += reward.earned.nanos();
    }
    let mut moved: BTreeMap<AccountId, i64> = BTreeMap::new();
    for transfer in core.tables.transfers.values(OUTSIDE) {
        if transfer.kind == TransferKind::Promotion && transfer.reference.starts_with("referral_transfer:") {
            *moved.entry(transfer.about.unwrap_or(AccountId::from_uuid(uuid::Uuid::nil()))).or_default() +=
                transfer.amount.nanos();
        }
    }
    for row in core.tables.referrals.values(OUTSIDE) {
        let all = earned.remove(&row.user).unwrap_or(0);
        same(&row.earned.nanos(), &all, || format!("what {} earned by referrals", row.user))?;
        let account = core.tables.users.get(OUTSIDE, &row.user).map(|user| user.personal_account);
        let gone = account.and_then(|account| moved.remove(&account)).unwrap_or(0);
        same(&row.available.nanos(), &(all - gone), || format!("what {} has of referrals", row.user))?;
        hold(row.available.nanos() >= 0, || format!("{} moved more than was earned", row.user))?;
    }
    Ok(())
}

/// What API keys used and hold of their allowances is what was used and is held through them.
pub fn key_allowances_add_up(core: &Core) -> Found {
    let (mut used, mut held): (BTreeMap<_, i64>, BTreeMap<_, i64>) = Default::default();
    for row in core.tables.usage.values(OUTSIDE) {
        if let Some(key) = row.api_key {
            *used.entry((key, row.meter.to_string())).or_default() += row.quantity.as_atoms().max(0);
        }
    }
    for row in core.tables.reservations.values(OUTSIDE).filter(|row| row.ended.is_none()) {
        if let Some(key) = row.api_key {
            *held.entry((key, row.meter.to_string())).or_default() += row.quantity.as_atoms();
        }
    }
    for key in core.tables.api_keys.values(OUTSIDE) {
        let Some(allowance) = &key.draft.allowance else { continue };
        let slot = (key.id, allowance.meter.clone());
        let wanted = (used.get(&slot).copied().unwrap_or(0), held.get(&slot).copied().unwrap_or(0));
        let found = (allowance.used.as_atoms(), allowance.held.as_atoms());
        same(&found, &wanted, || format!("the allowance of {}", key.id))?;
    }
    Ok(())
}
