//! Opening the books of every account that a batch touches: few statements, however many commands.

use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::{Consume, MAX_LATE};
use super::member_books::MemberBooks;
use super::ports::Standing;
use crate::accounts::{Account, AccountKind};
use crate::error::Result;
use crate::id::{AccountId, PlanVersionId};
use crate::plans::{self, Catalogue, PeriodHook, PlanVersion, Subscription};
use crate::store::{Repositories, StoreError};
use crate::teams::TeamStatus;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The books by account, and the API keys' own allowances, which accounts may share.
#[derive(Default)]
pub(super) struct Books {
    pub accounts: BTreeMap<AccountId, AccountBooks>,
    pub keys: KeyAllowances,
}

/// Locks the accounts of the commands, in order, and loads what deciding them needs.
///
/// An account that does not exist is missing from the result.
pub(super) async fn open_books(
    work: &dyn Repositories,
    (catalogue, hook): (&Catalogue, &dyn PeriodHook),
    commands: &[&Consume],
    now: DateTime<Utc>,
) -> Result<Books> {
    let ids: BTreeSet<AccountId> = commands.iter().map(|command| command.account).collect();
    let ids: Vec<AccountId> = ids.into_iter().collect();
    let accounts = work.accounts().lock_many(&ids).await?;
    let standings = work.standings().load(&ids).await?;
    let mut standings: BTreeMap<_, _> =
        standings.into_iter().map(|standing| (standing.subscription.account, standing)).collect();
    let subscriptions = current_subscriptions(work, (catalogue, hook), (&accounts, &mut standings), now).await?;
    let versions = versions_of(work, subscriptions.values().map(|subscription| subscription.chosen.version)).await?;
    let mut books = Books::default();
    for account in accounts {
        let Some(subscription) = subscriptions.get(&account.id) else { continue };
        let current = PlanPeriod {
            period: subscription.period,
            version: version(&versions, subscription.chosen.version)?,
            seats: subscription.chosen.seats,
            closed: false,
        };
        books
            .accounts
            .insert(account.id, AccountBooks::open(account, subscription.status, current, catalogue.spend_cap));
    }
    add_members(work, &mut books, commands).await?;
    add_earlier_periods(work, &mut books, &subscriptions, commands, now).await?;
    add_counters(work, &mut books, &standings).await?;
    add_grants(work, &mut books, &standings, now).await?;
    add_allowances(work, &mut books, commands).await?;
    Ok(books)
}

/// Subscriptions by account, rolled over to `now`; the default one is begun where there is none.
///
/// Only what needed no rolling over keeps its standing, for the counters of another have changed.
async fn current_subscriptions(
    work: &dyn Repositories,
    (catalogue, hook): (&Catalogue, &dyn PeriodHook),
    (accounts, standings): (&[Account], &mut BTreeMap<AccountId, Standing>),
    now: DateTime<Utc>,
) -> Result<BTreeMap<AccountId, Subscription>> {
    standings.retain(|_, standing| now < standing.subscription.period.end);
    let mut current = BTreeMap::new();
    for account in accounts {
        let subscription = match standings.get(&account.id) {
            Some(standing) => standing.subscription.clone(),
            None => plans::lock_current(work, catalogue, account, hook, now).await?,
        };
        current.insert(account.id, subscription);
    }
    Ok(current)
}

/// Late events count in the period in which they occurred, with the plan that was in force then.
///
/// An event without a time occurred at `now`, which is late when another replica has just rolled over.
async fn add_earlier_periods(
    work: &dyn Repositories,
    books: &mut Books,
    subscriptions: &BTreeMap<AccountId, Subscription>,
    commands: &[&Consume],
    now: DateTime<Utc>,
) -> Result<()> {
    let oldest = now - MAX_LATE;
    let is_late = |command: &&&Consume| {
        let occurred_at = command.occurred_at.unwrap_or(now);
        let book = books.accounts.get(&command.account);
        occurred_at >= oldest && book.is_some_and(|book| occurred_at < book.current.period.start)
    };
    let late: BTreeSet<AccountId> = commands.iter().filter(is_late).map(|command| command.account).collect();
    if late.is_empty() {
        return Ok(());
    }
    let late: Vec<AccountId> = late.into_iter().collect();
    let found = work.subscriptions().periods_since(&late, oldest).await?;
    let versions = versions_of(work, found.iter().map(|(_, period)| period.version)).await?;
    for (account, period) in found {
        let Some(book) = books.accounts.get_mut(&account) else { continue };
        if period.period.start >= book.current.period.start {
            continue;
        }
        let closed_until = subscriptions.get(&account).and_then(|subscription| subscription.closed_until);
        book.earlier.push(PlanPeriod {
            period: period.period,
            version: version(&versions, period.version)?,
            seats: period.seats,
            closed: closed_until.is_some_and(|until| period.period.end <= until),
        });
    }
    Ok(())
}

/// Teams and the members whom the commands name; nothing is asked for accounts of one person.
async fn add_members(work: &dyn Repositories, books: &mut Books, commands: &[&Consume]) -> Result<()> {
    let shared = books.accounts.values().filter(|book| book.account.kind == AccountKind::Team);
    let shared: Vec<AccountId> = shared.map(|book| book.account.id).collect();
    if shared.is_empty() {
        return Ok(());
    }
    let teams = work.teams().of_accounts(&shared).await?;
    for book in books.accounts.values_mut().filter(|book| book.account.kind == AccountKind::Team) {
        let team = teams.iter().find(|team| team.account == book.account.id);
        book.members = Some(MemberBooks::open(team.map_or(TeamStatus::Deleted, |team| team.status)));
    }
    let named = commands.iter().filter_map(|command| Some((command.account, command.user?)));
    let named: BTreeSet<_> = named.filter(|(account, _)| shared.binary_search(account).is_ok()).collect();
    for member in work.members().find_many(&named.into_iter().collect::<Vec<_>>()).await? {
        if let Some(members) = books.accounts.get_mut(&member.account).and_then(|book| book.members.as_mut()) {
            members.add_member(member);
        }
    }
    Ok(())
}

/// Counters come with the standing; those of earlier periods, of one just rolled over, and of a team with its
/// members' are read.
async fn add_counters(
    work: &dyn Repositories,
    books: &mut Books,
    standings: &BTreeMap<AccountId, Standing>,
) -> Result<()> {
    let mut slots = Vec::new();
    for book in books.accounts.values_mut() {
        slots.extend(book.earlier.iter().map(|earlier| (book.account.id, earlier.period.start)));
        match standings.get(&book.account.id) {
            Some(standing) if book.members.is_none() => {
                standing.counters.iter().for_each(|counter| book.add_counter(counter.clone()))
            }
            _ => slots.push((book.account.id, book.current.period.start)),
        }
    }
    if slots.is_empty() {
        return Ok(());
    }
    for counter in work.counters().load(&slots).await? {
        if let Some(book) = books.accounts.get_mut(&counter.account) {
            book.add_counter(counter);
        }
    }
    Ok(())
}

async fn add_grants(
    work: &dyn Repositories,
    books: &mut Books,
    standings: &BTreeMap<AccountId, Standing>,
    now: DateTime<Utc>,
) -> Result<()> {
    let may_have = |id: &&AccountId| standings.get(id).is_none_or(|standing| standing.has_grants);
    let granted: Vec<AccountId> = books.accounts.keys().filter(may_have).copied().collect();
    if granted.is_empty() {
        return Ok(());
    }
    for grant in work.grants().load_live(&granted, now).await? {
        if let Some(book) = books.accounts.get_mut(&grant.account) {
            book.add_grant(grant);
        }
    }
    Ok(())
}

async fn add_allowances(work: &dyn Repositories, books: &mut Books, commands: &[&Consume]) -> Result<()> {
    let keys: BTreeSet<_> =
        commands.iter().filter(|command| command.key_is_limited).filter_map(|command| command.api_key).collect();
    if !keys.is_empty() {
        let keys: Vec<_> = keys.into_iter().collect();
        books.keys = KeyAllowances::new(work.api_keys().lock_allowances(&keys).await?);
    }
    Ok(())
}

pub(super) async fn versions_of(
    work: &dyn Repositories,
    ids: impl IntoIterator<Item = PlanVersionId>,
) -> Result<BTreeMap<PlanVersionId, Arc<PlanVersion>>> {
    let ids: BTreeSet<PlanVersionId> = ids.into_iter().collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let versions = work.plans().find_versions(&ids).await?;
    Ok(versions.into_iter().map(|version| (version.id, version)).collect())
}

pub(super) fn version(
    versions: &BTreeMap<PlanVersionId, Arc<PlanVersion>>,
    id: PlanVersionId,
) -> Result<Arc<PlanVersion>> {
    let missing = StoreError::Corrupt { table: "user_subscriptions", column: "plan_version_id" };
    Ok(versions.get(&id).cloned().ok_or(missing)?)
}
