//! Interim bills: overage that is billed while its period runs, once for each multiple of `billing.interim_overage` that
//! its fee passed. The bill of the period contains only the rest.

use super::closing::{overage_bill, owes};
use super::evidence::{Evidence, Told};
use super::issuing::{Draft, issue};
use super::paying::Desk;
use super::renewing::{CHUNK, Progress};
use super::service::BillingService;
use super::{BillKind, MeterUse, Slot};
use crate::error::{Error, Result};
use crate::money::MoneyError;
use crate::plans::{self, OpenedPeriod};
use crate::store::retrying;
use crate::time::Period;
use chrono::{DateTime, Utc};

impl BillingService {
    /// Bills the overage so far of a bounded number of periods, each in its own unit of work.
    pub async fn bill_interim_due(&self, skip: u64) -> Result<Progress> {
        let mut progress = Progress::default();
        for slot in self.store.overage_dues().list(skip, CHUNK).await? {
            let billed = retrying!(self.store, self.bill_interim(slot));
            progress.count(slot.0, "overage so far could not be billed", &billed);
        }
        Ok(progress)
    }

    /// What ended meanwhile is left to the bill of the period.
    async fn bill_interim(&self, (account, start): Slot) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let subscription = plans::lock_current(&*work, &self.catalogue, &account, &*self.hook, now).await?;
        let opened = subscription.open_period();
        work.overage_dues().settle(account.id, start).await?;
        if opened.period.start == start && self.catalogue.interim_overage.is_some() {
            let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
            if let Some(draft) = desk.overage_so_far((account.id, start), opened).await? {
                let issued = draft.compose(&self.catalogue, now)?;
                issue(&*work, std::slice::from_ref(&issued), now).await?;
                if subscription.auto_pay {
                    desk.receive_from_wallet(&issued.bill).await?;
                }
            }
        }
        Ok(work.commit().await?)
    }
}

impl Desk<'_> {
    /// What the open period costs so far and was not billed yet.
    async fn overage_so_far(&self, slot: Slot, opened: OpenedPeriod) -> Result<Option<Draft>> {
        let counters = self.work.counters().load(&[slot]).await?;
        let told = Told::all(counters.iter().filter(|counter| owes(counter)))?;
        let open = [(slot.0, opened)];
        let evidence = Evidence::load(self.work, &[slot], &open).await?;
        let [(account, opened)] = &open;
        let uses = evidence.uses(self.catalogue, (*account, opened), &told).into_iter();
        let uses = uses.map(|used| used.by_the_curve(self.catalogue.currency));
        let uses = uses.collect::<std::result::Result<Vec<MeterUse>, MoneyError>>()?;
        let draft = overage_bill(BillKind::Overage, self.catalogue, (*account, opened), uses)?;
        let from = evidence.interim(*account, opened).map(|issued| issued.bill.period.end).max();
        let period = part(opened.period, from, self.now);
        Ok(draft.map(|draft| Draft { period, ..draft }))
    }
}

/// The part of a period since the bill before, or since it began.
fn part(whole: Period, from: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Period {
    Period { start: from.unwrap_or(whole.start), end: now }
}
