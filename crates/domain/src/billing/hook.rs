//! What bills have to do with periods, terms and changes of subscriptions, in the unit of work that makes them.

use super::issuing::{issue, void};
use super::paying::Desk;
use super::renewing::renewal;
use super::{BillKind, BillStatus, Slot, TariffMark};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::money::Money;
use crate::plans::{Catalogue, Choice, MeterKind, OpenedPeriod, PeriodHook, Subscription};
use crate::quota::{GaugeCarry, Subject};
use crate::store::Repositories;
use crate::time::Period;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Carries gauges over, bills terms that nobody billed ahead, and remembers where tariffs changed.
pub struct BillingHook {
    pub gauges: GaugeCarry,
    pub catalogue: Arc<Catalogue>,
}

#[async_trait]
impl PeriodHook for BillingHook {
    async fn opened(
        &self,
        work: &dyn Repositories,
        account: AccountId,
        opened: &[OpenedPeriod],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.gauges.opened(work, account, opened, now).await?;
        match (self.catalogue.interim_overage, opened.last()) {
            (Some(step), Some(last)) => note_carried(work, (account, last.period.start), step, now).await,
            _ => Ok(()),
        }
    }

    async fn renewed(
        &self,
        work: &dyn Repositories,
        mut subscription: Subscription,
        terms: &[(Choice, Period)],
        now: DateTime<Utc>,
    ) -> Result<Subscription> {
        for (choice, term) in terms {
            let live = work.bills().find_live(subscription.account, BillKind::Subscription, term.start).await?;
            if let Some(bill) = live {
                if bill.status == BillStatus::Paid && *term == subscription.term {
                    subscription.paid = Some(bill.totals.total.checked_sub(bill.refunded)?);
                }
                continue;
            }
            let draft = renewal(work, &self.catalogue, subscription.account, (choice, *term)).await?;
            let Some(draft) = draft else { continue };
            let issued = draft.compose(&self.catalogue, now)?;
            issue(work, std::slice::from_ref(&issued), now).await?;
            let desk = Desk { work, catalogue: &self.catalogue, hook: self, now };
            if subscription.auto_pay
                && let Some(bill) = desk.receive_from_wallet(&issued.bill).await?
                && *term == subscription.term
            {
                subscription.paid = Some(bill.totals.total);
            }
        }
        Ok(subscription)
    }

    async fn changed(
        &self,
        work: &dyn Repositories,
        before: &Subscription,
        after: &Subscription,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if (before.chosen.version, before.chosen.seats) != (after.chosen.version, after.chosen.seats) {
            mark_tariffs(work, &self.catalogue, before).await?;
        }
        let renews = |subscription: &Subscription| (!subscription.cancel_at_term_end).then(|| subscription.next_term());
        if renews(before) == renews(after) {
            return Ok(());
        }
        // The next term may be billed ahead; it will be another, or none.
        let next = work.bills().find_live(before.account, BillKind::Subscription, before.term.end).await?;
        match next {
            Some(bill) if bill.status == BillStatus::Unpaid => void(work, &bill, now).await.map(drop),
            Some(bill) if bill.refundable()?.is_positive() => Err(next_term_paid()),
            _ => Ok(()),
        }
    }
}

/// What was carried over may already cost so much that it is billed at once.
async fn note_carried(work: &dyn Repositories, slot: Slot, step: Money, now: DateTime<Utc>) -> Result<()> {
    let counters = work.counters().load(&[slot]).await?;
    let pool = counters.iter().filter(|counter| counter.subject == Subject::Account);
    let fee = pool.map(|counter| counter.drawn.fee).try_fold(Money::zero(step.currency()), Money::checked_add)?;
    if fee.nanos() < step.nanos() { Ok(()) } else { Ok(work.overage_dues().note(&[slot], now).await?) }
}

/// Plans change after a term begins, or before its bill is paid.
pub(super) fn next_term_paid() -> Error {
    let detail = "The next term is paid already; change the plan once it has begun, or have its bill refunded.";
    Error::conflict("next_term_paid", detail)
}

/// Up to here the overage of the open period was priced by the plan that ends. Of a gauge it is kept too when there was
/// none: what was carried over was measured against that plan.
async fn mark_tariffs(work: &dyn Repositories, catalogue: &Catalogue, before: &Subscription) -> Result<()> {
    let counters = work.counters().load(&[(before.account, before.period.start)]).await?;
    let pool = counters.into_iter().filter(|counter| counter.subject == Subject::Account);
    let is_level =
        |mark: &TariffMark| catalogue.meters.get(&mark.meter).is_some_and(|meter| meter.kind == MeterKind::Gauge);
    let marks = pool.map(|counter| TariffMark {
        account: before.account,
        period_start: before.period.start,
        position: counter.drawn.overage.saturating_add(counter.drawn.wallet),
        meter: counter.meter,
        version: before.chosen.version,
        seats: before.chosen.seats,
    });
    let marks: Vec<_> = marks.filter(|mark| mark.position.is_positive() || is_level(mark)).collect();
    if !marks.is_empty() {
        work.closings().mark(&marks).await?;
    }
    Ok(())
}
