//! Opening the books of every account that a batch touches: few statements, however many commands.

use super::batch::Command;
use super::books::{AccountBooks, KeyAllowances, PlanPeriod};
use super::command::MAX_LATE;
use super::holds::Holds;
use super::member_books::MemberBooks;
use super::ports::Standing;
use super::reservation::Reservation;
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
    /// The reservations that the batch names; nothing is loaded for a batch without them.
    pub holds: Holds,
}

/// Locks the accounts of the commands, in order, and loads what deciding them needs.
///
/// An account that does not exist is missing from the result.
pub(super) async fn open_books(
    work: &dyn Repositories,
    (catalogue, hook): (&Catalogue, &dyn PeriodHook),
    commands: &[&Command],
    now: DateTime<Utc>,
) -> Result<Books> {
    let ids: BTreeSet<AccountId> = commands.iter().map(|command| command.account()).collect();
    let ids: Vec<AccountId> = ids.into_iter().collect();
    let accounts = work.accounts().lock_many(&ids).await?;
    let standings = work.standings().load(&ids).await?;
    let mut standings: BTreeMap<_, _> =
        standings.into_iter().map(|standing| (standing.subscription.account, standing)).collect();
    let subscriptions = current_subscriptions(work, (catalogue, hook), (&accounts, &mut standings), now).await?;
    let versions = versions_of(work, subscriptions.values().map(|subscription| subscription.chosen.version)).await?;
    let mut books = Books { holds: load_holds(work, commands).await?, ..Books::default() };
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
    add_wallets(work, &mut books).await?;
    add_grants(work, &mut books, &standings, now).await?;
    add_held_grants(work, &mut books, now).await?;
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
    commands: &[&Command],
    now: DateTime<Utc>,
) -> Result<()> {
    let oldest = now - MAX_LATE;
    let is_late = |(account, occurred_at): &(AccountId, DateTime<Utc>)| {
        let book = books.accounts.get(account);
        *occurred_at >= oldest && book.is_some_and(|book| *occurred_at < book.current.period.start)
    };
    let wanted = commands.iter().filter_map(|command| command.wanted());
    let wanted = wanted.map(|wanted| (wanted.account, wanted.occurred_at.unwrap_or(now)));
    let reserved = books.holds.all().map(|reservation| (reservation.account, reservation.created_at));
    let late: BTreeSet<AccountId> = wanted.chain(reserved).filter(is_late).map(|(account, _)| account).collect();
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
async fn add_members(work: &dyn Repositories, books: &mut Books, commands: &[&Command]) -> Result<()> {
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
    let wanted = commands.iter().filter_map(|command| command.wanted());
    let named = wanted.filter_map(|wanted| Some((wanted.account, wanted.user?)));
    let holding = books.holds.all().filter_map(|reservation| Some((reservation.account, reservation.user?)));
    let named: BTreeSet<_> =
        named.chain(holding).filter(|(account, _)| shared.binary_search(account).is_ok()).collect();
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
    let (mut known, mut slots) = (BTreeSet::new(), BTreeSet::new());
    for book in books.accounts.values_mut() {
        slots.extend(book.earlier.iter().map(|earlier| (book.account.id, earlier.period.start)));
        let now = (book.account.id, book.current.period.start);
        match standings.get(&book.account.id) {
            Some(standing) if book.members.is_none() => {
                known.insert(now);
                standing.counters.iter().for_each(|counter| book.add_counter(counter.clone()));
            }
            _ => drop(slots.insert(now)),
        }
    }
    // What a reservation holds is let go where it was held, however long ago its period ended.
    let of_holds = books.holds.all().map(|reservation| (reservation.account, reservation.period_start));
    slots.extend(of_holds.filter(|slot| !known.contains(slot)));
    if slots.is_empty() {
        return Ok(());
    }
    let slots: Vec<_> = slots.into_iter().collect();
    for counter in work.counters().load(&slots).await? {
        if let Some(book) = books.accounts.get_mut(&counter.account) {
            book.add_counter(counter);
        }
    }
    Ok(())
}

/// Wallets; nothing is asked for accounts whose plans take nothing from one.
async fn add_wallets(work: &dyn Repositories, books: &mut Books) -> Result<()> {
    let paying = books.accounts.values().filter(|book| book.needs_wallet());
    let paying: Vec<AccountId> = paying.map(|book| book.account.id).collect();
    if paying.is_empty() {
        return Ok(());
    }
    for wallet in work.ledger().wallets(&paying).await? {
        if let Some(book) = books.accounts.get_mut(&wallet.account) {
            book.add_wallet(wallet);
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

async fn add_allowances(work: &dyn Repositories, books: &mut Books, commands: &[&Command]) -> Result<()> {
    let of_holds = books.holds.all().filter_map(|reservation| reservation.api_key);
    let keys: BTreeSet<_> = commands.iter().filter_map(|command| command.limited_key()).chain(of_holds).collect();
    if !keys.is_empty() {
        let keys: Vec<_> = keys.into_iter().collect();
        books.keys = KeyAllowances::new(work.api_keys().lock_allowances(&keys).await?);
    }
    Ok(())
}

/// The reservations that commands name by id or key, once their accounts are locked.
async fn load_holds(work: &dyn Repositories, commands: &[&Command]) -> Result<Holds> {
    let (mut keys, mut ids) = (Vec::new(), Vec::new());
    for command in commands {
        match command {
            Command::Consume(_) => {}
            Command::Reserve(command) => keys.push((command.wanted.account, command.wanted.key.as_str().to_owned())),
            Command::End(command) => ids.push((command.account, command.reservation)),
        }
    }
    let mut holds = Holds::default();
    if !keys.is_empty() {
        work.reservations().find_by_keys(&keys).await?.into_iter().for_each(|found| holds.add(found));
    }
    if !ids.is_empty() {
        work.reservations().find_many(&ids).await?.into_iter().for_each(|found| holds.add(found));
    }
    Ok(holds)
}

/// Grants of which a reservation holds a part may be expired, or have nothing left beside it.
async fn add_held_grants(work: &dyn Repositories, books: &mut Books, now: DateTime<Utc>) -> Result<()> {
    let of = |reservation: &Reservation| {
        let account = reservation.account;
        reservation.grants().map(|(grant, _)| (account, grant)).collect::<Vec<_>>()
    };
    let open = books.holds.all().filter(|reservation| reservation.ended.is_none());
    let held: BTreeSet<_> = open.flat_map(of).collect();
    if held.is_empty() {
        return Ok(());
    }
    let held: Vec<_> = held.into_iter().collect();
    for grant in work.grants().find_many(&held).await? {
        if let Some(book) = books.accounts.get_mut(&grant.account) {
            book.add_held_grant(grant, now);
        }
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
