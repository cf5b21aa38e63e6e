//! Closing quota periods: what each costs beyond its allowance becomes a bill, once, whoever closes it.
//!
//! A period is closed under the lock of its account, which every booking holds too, so that the bill is what the
//! counters say and nothing comes in between. What comes later counts in the next period, as an adjustment.

use super::evidence::{Evidence, Told};
use super::issuing::{Draft, issue};
use super::paying::Desk;
use super::renewing::{CHUNK, Progress};
use super::service::BillingService;
use super::{BillKind, IssuedBill, MeterUse, Slot};
use crate::accounts::Account;
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::Result;
use crate::id::AccountId;
use crate::money::Money;
use crate::plans::{self, Catalogue, OpenedPeriod, Subscription};
use crate::quota::{Counter, Subject};
use crate::store::{Repositories, retrying};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeSet;

/// Which periods are closed.
#[derive(Clone, Copy, Debug)]
pub struct CloseWish {
    /// Those that ended by then.
    pub until: DateTime<Utc>,
    /// Of those, only the ones that began before.
    pub began_before: Option<DateTime<Utc>>,
}

impl BillingService {
    /// The periods that are due by themselves: those that ended long enough ago for what comes late.
    pub fn due_periods(&self) -> CloseWish {
        CloseWish { until: self.catalogue.bills.closing(self.clock.now()), began_before: None }
    }

    /// Closes the periods of a bounded number of accounts in one unit of work, or when that fails, each in its own.
    ///
    /// Nothing is left to do when both counts are zero. A call that is cut off changes nothing, and several may run at
    /// the same time.
    pub async fn close_due(&self, wish: CloseWish, skip: u64) -> Result<Progress> {
        let due = self.store.closings().due(wish.until, wish.began_before, skip, CHUNK).await?;
        if due.is_empty() {
            return Ok(Progress::default());
        }
        match retrying!(self.store, self.close(&due, wish)) {
            Ok(done) => Ok(Progress { done, failed: 0 }),
            Err(error) => {
                tracing::warn!(error = ?error, "periods are closed one account at a time");
                let mut progress = Progress::default();
                for account in due {
                    let closed = retrying!(self.store, self.close(&[account], wish));
                    progress.count(account, "a period could not be closed", &closed);
                }
                Ok(progress)
            }
        }
    }

    /// Writes down that an operator closed what ended.
    pub async fn note_close(&self, actor: &Actor, month: Option<&str>, done: Progress) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let detail = json!({ "month": month, "closed": done.done, "failed": done.failed });
        work.audit().append(&AuditEvent::by(actor, "billing.close", "billing", now).with(detail)).await?;
        Ok(work.commit().await?)
    }

    /// Closes what is open of these accounts; how many periods.
    async fn close(&self, accounts: &[AccountId], wish: CloseWish) -> Result<u64> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let accounts = work.accounts().lock_many(accounts).await?;
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        // Another closer may have been first: what is open is asked under the locks.
        let mut open = work.closings().open_periods(&ids, wish.until).await?;
        open.retain(|(_, opened)| wish.began_before.is_none_or(|before| opened.period.start < before));
        let subscriptions = self.current(&*work, &accounts, now).await?;
        let bills = month_bills(&*work, &self.catalogue, &open, now).await?;
        issue(&*work, &bills, now).await?;
        work.closings().close(&open, now).await?;
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        for issued in &bills {
            let pays = subscriptions.iter().any(|found| found.account == issued.bill.account && found.auto_pay);
            if pays {
                desk.receive_from_wallet(&issued.bill).await?;
            }
        }
        work.commit().await?;
        Ok(open.len() as u64)
    }

    /// The subscriptions, rolled over: what is closed has ended for them too.
    async fn current(
        &self,
        work: &dyn Repositories,
        accounts: &[Account],
        now: DateTime<Utc>,
    ) -> Result<Vec<Subscription>> {
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let standings = work.standings().load(&ids).await?;
        let mut current = Vec::with_capacity(accounts.len());
        for standing in standings {
            let due = now >= standing.subscription.period.end;
            let account = accounts.iter().find(|account| account.id == standing.subscription.account);
            current.push(match account {
                Some(account) if due => plans::lock_current(work, &self.catalogue, account, &*self.hook, now).await?,
                _ => standing.subscription,
            });
        }
        Ok(current)
    }
}

/// The bills of periods; none for a period that costs nothing.
pub(super) async fn month_bills(
    work: &dyn Repositories,
    catalogue: &Catalogue,
    open: &[(AccountId, OpenedPeriod)],
    now: DateTime<Utc>,
) -> Result<Vec<IssuedBill>> {
    let slots: Vec<Slot> = open.iter().map(|(account, opened)| (*account, opened.period.start)).collect();
    let counters = work.counters().load(&slots).await?;
    let counters: Vec<Counter> = counters.into_iter().filter(owes).collect();
    if counters.is_empty() {
        return Ok(Vec::new());
    }
    let owing: BTreeSet<Slot> = counters.iter().map(|counter| (counter.account, counter.period.start)).collect();
    let slots: Vec<Slot> = owing.into_iter().collect();
    let evidence = Evidence::load(work, &slots, open).await?;
    let mut bills = Vec::new();
    for (account, opened) in open {
        let mine = counters
            .iter()
            .filter(|counter| counter.account == *account && counter.period.start == opened.period.start);
        let told = Told::all(mine)?;
        let uses = evidence.uses(catalogue, (*account, opened), &told);
        if let Some(draft) = overage_bill(BillKind::Month, catalogue, (*account, opened), uses)? {
            bills.push(draft.compose(catalogue, now)?);
        }
    }
    Ok(bills)
}

pub(super) fn owes(counter: &Counter) -> bool {
    counter.subject == Subject::Account && counter.drawn.overage.is_positive()
}

/// The draft of a bill over uses; `None` when they come to nothing.
pub(super) fn overage_bill(
    kind: BillKind,
    catalogue: &Catalogue,
    (account, opened): (AccountId, &OpenedPeriod),
    uses: Vec<MeterUse>,
) -> Result<Option<Draft>> {
    let zero = Money::zero(catalogue.currency);
    let (mut lines, mut billed, mut total) = (Vec::new(), Vec::new(), zero);
    for used in uses {
        let of_meter = used.lines(opened, catalogue.currency)?;
        if of_meter.is_empty() {
            continue;
        }
        for line in &of_meter {
            total = total.checked_add(line.amount)?;
        }
        lines.extend(of_meter);
        billed.push(used);
    }
    if !total.is_positive() {
        return Ok(None);
    }
    let draft = Draft::new(account, kind, opened.period, opened.plan.clone(), lines);
    Ok(Some(Draft { uses: billed, ..draft }))
}
