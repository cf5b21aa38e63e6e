//! One account's books during a unit of work: what was loaded, what commands changed.
//!
//! The service fills them, `booking` decides commands one after the other against the state the earlier
//! ones left, and the service writes what changed once, at the end.

use super::member_books::MemberBooks;
use super::purse::Purse;
use crate::accounts::Account;
use crate::id::{ApiKeyId, GrantId};
use crate::identity::KeyAllowance;
use crate::money::{Currency, Money};
use crate::plans::{MeterCode, OnExhausted, PlanVersion, SubscriptionStatus};
use crate::quantity::Quantity;
use crate::quota::{Counter, FiredWarning, Grant, Subject};
use crate::time::Period;
use crate::wallet::Wallet;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A period of the account with the plan that was in force in it.
#[derive(Clone, Debug)]
pub struct PlanPeriod {
    pub period: Period,
    pub version: Arc<PlanVersion>,
    pub seats: u32,
    /// Billed already: what comes late counts in the current period.
    pub closed: bool,
}

type CounterKey = (DateTime<Utc>, MeterCode);

/// The books of one account.
#[derive(Clone, Debug)]
pub struct AccountBooks {
    pub account: Account,
    pub status: SubscriptionStatus,
    pub current: PlanPeriod,
    /// Earlier periods that late events of this batch fall into.
    pub earlier: Vec<PlanPeriod>,
    pub spend_cap: Option<Money>,
    /// Of a team's account.
    pub(super) members: Option<MemberBooks>,
    /// Boxed: a map has room for eleven from its first on, and most accounts have one or two.
    pub(super) counters: BTreeMap<CounterKey, Box<Counter>>,
    pub(super) changed: BTreeSet<CounterKey>,
    pub(super) grants: Vec<Grant>,
    /// Grants past their expiry of which reservations of this batch still hold a part.
    pub(super) expired: Vec<Grant>,
    changed_grants: BTreeSet<GrantId>,
    /// The wallets that were loaded: none for an account whose plans take nothing from one.
    pub(super) purses: BTreeMap<Currency, Purse>,
    pub(super) fired: Vec<FiredWarning>,
    /// By how many nanos the fees of periods rose, by their start.
    raised: BTreeMap<DateTime<Utc>, i64>,
}

impl AccountBooks {
    /// Opens the books; `cap` is the configured spend cap, which the account's own overrides.
    pub fn open(account: Account, status: SubscriptionStatus, current: PlanPeriod, cap: Option<Money>) -> Self {
        Self {
            spend_cap: account.spend_cap.or(cap),
            account,
            status,
            current,
            earlier: Vec::new(),
            members: None,
            counters: BTreeMap::new(),
            changed: BTreeSet::new(),
            grants: Vec::new(),
            expired: Vec::new(),
            changed_grants: BTreeSet::new(),
            purses: BTreeMap::new(),
            fired: Vec::new(),
            raised: BTreeMap::new(),
        }
    }

    /// Adds a counter that exists in the database; rows of members are not the pool's.
    pub fn add_counter(&mut self, counter: Counter) {
        match (counter.subject, &mut self.members) {
            (Subject::Account, _) => {
                self.counters.insert((counter.period.start, counter.meter.clone()), Box::new(counter));
            }
            (Subject::Member(user), Some(members)) => members.add_counter(user, counter),
            (Subject::Member(_), None) => {}
        }
    }

    /// Adds a live grant; they come in drawing order.
    pub fn add_grant(&mut self, grant: Grant) {
        self.grants.push(grant);
    }

    /// Adds a grant that a reservation of the batch holds a part of, whether or not it lives.
    pub fn add_held_grant(&mut self, grant: Grant, now: DateTime<Utc>) {
        if self.grants.iter().chain(&self.expired).any(|known| known.id == grant.id) {
            return;
        }
        if grant.expires_at.is_some_and(|end| end <= now) {
            self.expired.push(grant);
        } else {
            self.grants.push(grant);
            self.grants.sort_by(Grant::drawing_order);
        }
    }

    /// Adds a wallet of the account.
    pub fn add_wallet(&mut self, wallet: Wallet) {
        self.purses.insert(wallet.currency(), Purse::open(wallet));
    }

    /// Whether any of its plans is paid from the wallet, or a reservation may hold a part of it.
    pub fn needs_wallet(&self) -> bool {
        let from_wallet = |plan: &PlanPeriod| {
            let mut terms = plan.version.plan.meters.values();
            terms.any(|terms| matches!(terms.on_exhausted, OnExhausted::Wallet(_)))
        };
        std::iter::once(&self.current).chain(&self.earlier).any(from_wallet)
            || self.counters.values().any(|counter| !counter.wallet_held.is_zero())
    }

    /// The period that began at this time, with its plan, when it is known.
    pub(super) fn plan_since(&self, start: DateTime<Utc>) -> Option<&PlanPeriod> {
        std::iter::once(&self.current).chain(&self.earlier).find(|plan| plan.period.start == start)
    }

    /// The account's purse in a currency; an empty one when it never had any.
    pub(super) fn purse(&self, currency: Currency) -> Purse {
        let known = self.purses.get(&currency).cloned();
        known.unwrap_or_else(|| Purse::open(Wallet::empty(self.account.id, currency)))
    }

    /// A grant that is about to be changed.
    pub(super) fn grant_mut(&mut self, id: GrantId) -> Option<&mut Grant> {
        let grant = self.grants.iter_mut().chain(&mut self.expired).find(|grant| grant.id == id)?;
        self.changed_grants.insert(id);
        Some(grant)
    }

    /// The pool's counter of a meter in the period that began at this time, as it is now.
    pub(super) fn counter_since(&self, start: DateTime<Utc>, meter: &MeterCode) -> Option<Counter> {
        self.counters.get(&(start, meter.clone())).map(|counter| Counter::clone(counter))
    }

    /// Keeps a counter that was changed.
    pub(super) fn keep(&mut self, counter: Counter) {
        let (key, fee) = ((counter.period.start, counter.meter.clone()), counter.drawn.fee.nanos());
        let before =
            self.counters.insert(key.clone(), Box::new(counter)).map_or(0, |counter| counter.drawn.fee.nanos());
        if fee != before {
            let raised = self.raised.entry(key.0).or_default();
            *raised = raised.saturating_add(fee.saturating_sub(before));
        }
        self.changed.insert(key);
    }

    /// The periods, by their start, whose fee passed another multiple of `step`, which is above zero.
    pub fn passed(&self, step: Money) -> Vec<DateTime<Utc>> {
        let fee = |start: DateTime<Utc>| {
            let counters = self.counters.values().filter(|counter| counter.period.start == start);
            counters.fold(0_i64, |sum, counter| sum.saturating_add(counter.drawn.fee.nanos()))
        };
        let passed = |(start, raised): (&DateTime<Utc>, &i64)| {
            let after = fee(*start);
            let steps = |nanos: i64| nanos / step.nanos().max(1);
            (steps(after) > steps(after.saturating_sub(*raised))).then_some(*start)
        };
        self.raised.iter().filter_map(passed).collect()
    }

    /// Counters that commands changed, the pool's and the members'.
    pub fn changed_counters(&self) -> impl Iterator<Item = &Counter> {
        let members = self.members.iter().flat_map(MemberBooks::changed_counters);
        self.changed.iter().filter_map(|key| self.counters.get(key).map(Box::as_ref)).chain(members)
    }

    pub fn changed_grants(&self) -> Vec<Grant> {
        let all = self.grants.iter().chain(&self.expired);
        all.filter(|grant| self.changed_grants.contains(&grant.id)).cloned().collect()
    }

    pub fn fired(&self) -> &[FiredWarning] {
        &self.fired
    }
}

/// The allowances of the API keys of a batch. One key may serve several accounts.
#[derive(Clone, Debug, Default)]
pub struct KeyAllowances {
    allowances: BTreeMap<ApiKeyId, KeyAllowance>,
    changed: BTreeSet<ApiKeyId>,
}

impl KeyAllowances {
    pub fn new(allowances: Vec<(ApiKeyId, KeyAllowance)>) -> Self {
        Self { allowances: allowances.into_iter().collect(), changed: BTreeSet::new() }
    }

    /// What the key may still use of the meter; `None` where it has no allowance for it.
    pub fn left(&self, key: Option<ApiKeyId>, meter: &MeterCode) -> Option<Quantity> {
        let allowance = self.allowances.get(&key?)?;
        (allowance.meter == meter.as_str()).then(|| allowance.left())
    }

    /// Counts a use against the key; a release gives nothing back.
    pub fn draw(&mut self, key: Option<ApiKeyId>, meter: &MeterCode, quantity: Quantity) {
        if quantity.is_positive()
            && let Some(allowance) = self.of(key, meter)
        {
            allowance.used = allowance.used.saturating_add(quantity);
        }
    }

    /// Holds a part of the key's allowance.
    pub fn hold(&mut self, key: Option<ApiKeyId>, meter: &MeterCode, quantity: Quantity) {
        if let Some(allowance) = self.of(key, meter) {
            allowance.held = allowance.held.saturating_add(quantity);
        }
    }

    pub fn let_go(&mut self, key: Option<ApiKeyId>, meter: &MeterCode, quantity: Quantity) {
        if let Some(allowance) = self.of(key, meter) {
            allowance.held = allowance.held.left_after(quantity);
        }
    }

    /// The allowance of a key for this meter, about to be changed.
    fn of(&mut self, key: Option<ApiKeyId>, meter: &MeterCode) -> Option<&mut KeyAllowance> {
        let key = key?;
        let allowance = self.allowances.get_mut(&key).filter(|allowance| allowance.meter == meter.as_str())?;
        self.changed.insert(key);
        Some(allowance)
    }

    pub fn changed(&self) -> Vec<(ApiKeyId, KeyAllowance)> {
        self.changed.iter().filter_map(|key| Some((*key, self.allowances.get(key)?.clone()))).collect()
    }
}
