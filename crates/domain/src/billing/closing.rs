//! Closing quota periods: what each costs beyond its allowance becomes a bill, once, whoever closes it.
//!
//! A period is closed under the lock of its account, which every booking holds too, so that the bill is what the
//! counters say and nothing comes in between. What comes later counts in the next period, as an adjustment.

use super::issuing::{Draft, issue};
use super::paying::Desk;
use super::renewing::{CHUNK, Progress};
use super::service::BillingService;
use super::{BillKind, IssuedBill, MeterUse, Slot, Stretch, TariffMark, UsageSum};
use crate::accounts::Account;
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::Result;
use crate::id::{AccountId, BillId, PlanVersionId};
use crate::money::Money;
use crate::plans::{
    self, Catalogue, Meter, MeterCode, MeterDisplay, MeterKind, OpenedPeriod, PlanVersion, Subscription,
};
use crate::quantity::Quantity;
use crate::quota::{Counter, Subject};
use crate::store::{Repositories, StoreError, retrying};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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

/// What is said of a meter in a period: by its counter, or by the sum of its usage rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub meter: MeterCode,
    /// The whole overage, owed and paid from the wallet.
    pub position: Quantity,
    /// What was told for all of it.
    pub fee: Money,
}

impl Told {
    /// By counters of one period, by meter.
    pub fn all<'a>(counters: impl Iterator<Item = &'a Counter>) -> Result<Vec<Self>> {
        let mut told = counters.map(Self::by).collect::<Result<Vec<_>>>()?;
        told.sort_by(|a, b| a.meter.cmp(&b.meter));
        Ok(told)
    }

    fn by(counter: &Counter) -> Result<Self> {
        let position = counter.drawn.overage.saturating_add(counter.drawn.wallet);
        Ok(Self { meter: counter.meter.clone(), position, fee: counter.drawn.cost()? })
    }
}

/// What besides the quantity decides what a period costs.
pub(super) struct Evidence {
    marks: Vec<TariffMark>,
    late: Vec<UsageSum>,
    earlier: Vec<IssuedBill>,
    versions: BTreeMap<PlanVersionId, Arc<PlanVersion>>,
}

impl Evidence {
    pub async fn load(work: &dyn Repositories, slots: &[Slot], open: &[(AccountId, OpenedPeriod)]) -> Result<Self> {
        let marks = work.closings().marks(slots).await?;
        let late = work.closings().usage_sums(slots, true).await?;
        let earlier = work.bills().of_periods(BillKind::Overage, slots).await?;
        let ids: BTreeSet<PlanVersionId> =
            marks.iter().map(|mark| mark.version).chain(open.iter().map(|(_, opened)| opened.version)).collect();
        let ids: Vec<PlanVersionId> = ids.into_iter().collect();
        let versions = work.plans().find_versions(&ids).await?;
        let versions: BTreeMap<_, _> = versions.into_iter().map(|version| (version.id, version)).collect();
        if ids.iter().any(|id| !versions.contains_key(id)) {
            return Err(StoreError::Corrupt { table: "quota_periods", column: "plan_version_id" }.into());
        }
        Ok(Self { marks, late, earlier, versions })
    }

    /// The uses of a period, by meter.
    pub fn uses(
        &self,
        catalogue: &Catalogue,
        (account, opened): (AccountId, &OpenedPeriod),
        told: &[Told],
    ) -> Vec<MeterUse> {
        let start = opened.period.start;
        let of = |told: &Told| {
            let mine =
                |mark: &&TariffMark| mark.account == account && mark.period_start == start && mark.meter == told.meter;
            let exhausted = |version: &PlanVersionId| {
                let version = self.versions.get(version)?;
                version.plan.terms(&told.meter).map(|terms| terms.on_exhausted.clone())
            };
            let marks = self.marks.iter().filter(mine).filter(|mark| mark.position <= told.position);
            let mut stretches: Vec<Stretch> =
                marks.map(|mark| Stretch { to: mark.position, exhausted: exhausted(&mark.version) }).collect();
            stretches.push(Stretch { to: told.position, exhausted: exhausted(&opened.version) });
            let late = self.late.iter().filter(|sum| {
                sum.account == account && sum.period_start == start && sum.meter == told.meter && sum.adjustment
            });
            let late = late.fold(Quantity::ZERO, |all, sum| all.saturating_add(sum.overage));
            let before = self.billed((account, opened), told, Money::zero(catalogue.currency));
            MeterUse {
                meter: meter_of(catalogue, &told.meter),
                stretches,
                told: told.fee,
                adjusted: late.left_after(before.late).min(told.position.left_after(before.quantity)),
                billed: before.quantity,
                billed_fee: before.fee,
            }
        };
        told.iter().map(of).collect()
    }

    /// What interim bills of the period are for.
    fn billed(&self, (account, opened): (AccountId, &OpenedPeriod), told: &Told, zero: Money) -> Billed {
        let mut billed = Billed { quantity: Quantity::ZERO, late: Quantity::ZERO, fee: zero };
        for issued in self.interim(account, opened) {
            for overage in issued.overages.iter().filter(|overage| overage.used.meter == told.meter) {
                billed.quantity = billed.quantity.saturating_add(overage.used.quantity);
                billed.fee = billed.fee.checked_add(overage.fee).unwrap_or(billed.fee);
            }
            billed.late = billed.late.saturating_add(issued.late(&told.meter));
        }
        billed
    }

    /// The evidence that there was for an interim bill: only bills before it.
    #[must_use]
    pub fn before(mut self, bill: BillId) -> Self {
        self.earlier.retain(|issued| issued.bill.id < bill);
        self
    }

    /// The version and seats that a meter's period began with.
    pub fn began_with(&self, (account, opened): (AccountId, &OpenedPeriod), meter: &MeterCode) -> (PlanVersionId, u32) {
        let mine = |mark: &&TariffMark| {
            mark.account == account && mark.period_start == opened.period.start && mark.meter == *meter
        };
        let first = self.marks.iter().filter(mine).min_by_key(|mark| mark.position);
        first.map_or((opened.version, opened.seats), |mark| (mark.version, mark.seats))
    }

    /// How much of a meter interim bills are for.
    pub fn billed_of(&self, (account, opened): (AccountId, &OpenedPeriod), meter: &MeterCode) -> Quantity {
        let overages = self.interim(account, opened).flat_map(|issued| &issued.overages);
        let mine = overages.filter(|overage| overage.used.meter == *meter);
        mine.fold(Quantity::ZERO, |all, overage| all.saturating_add(overage.used.quantity))
    }

    /// The interim bills of a quota period, oldest first.
    pub fn interim(&self, account: AccountId, opened: &OpenedPeriod) -> impl Iterator<Item = &IssuedBill> {
        let of_period = move |issued: &&IssuedBill| {
            issued.bill.account == account && opened.period.contains(issued.bill.period.start)
        };
        self.earlier.iter().filter(of_period)
    }
}

/// What interim bills are for, of one meter.
struct Billed {
    quantity: Quantity,
    /// The part of it that came late.
    late: Quantity,
    fee: Money,
}

/// A meter that is not counted any more is shown by its code.
fn meter_of(catalogue: &Catalogue, code: &MeterCode) -> Meter {
    catalogue.meters.get(code).cloned().unwrap_or_else(|| Meter {
        code: code.clone(),
        unit: code.to_string(),
        scale: 0,
        kind: MeterKind::Counter,
        display: MeterDisplay { name: code.to_string(), per: 1 },
    })
}
