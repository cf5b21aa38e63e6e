//! Comparing a provider's day with ours: fetch, compare, settle what was missed, file the rest for operators.
//!
//! May be run again for a day as often as one likes: what was filed is not filed twice, and what is no more is resolved.

use super::gathering::offset;
use super::provider::{BillRow, ProviderError, ProviderNumber};
use super::reconciliation::{Difference, DifferenceClass, DifferenceStatus, Found, compare};
use super::service::OrderService;
use super::settling::{Fact, Settled};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::{DifferenceId, PaymentId, RefundId};
use crate::store::retrying;
use crate::text::visible_line;
use crate::wallet::Provider;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

/// When a day's bill is there, on the next day there.
const BILL_AT: TimeDelta = TimeDelta::hours(10);
/// How many days back the loop looks for a day that was not compared.
const DAYS_BACK: u64 = 3;
const MAX_NOTE_LENGTH: usize = 255;

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    pub provider: Provider,
    pub day: NaiveDate,
    /// Rows of the day's bill.
    pub rows: u64,
    /// Payments and charges that were missed and are settled now.
    pub settled: u64,
    /// Everything on file for the day.
    pub differences: Vec<Difference>,
}

impl OrderService {
    /// Compares a provider's day. `Conflict` when it has no daily bills, `Unavailable` when they cannot be had.
    pub async fn reconcile(&self, provider: Provider, day: NaiveDate) -> Result<Reconciled> {
        let bill = self.bill(provider, day).await?;
        let mut ours = self.our_side(provider, day, &bill).await?;
        let mut found = compare(&bill, &[], &ours);
        let mut settled = 0;
        for difference in found.iter().filter(|found| found.class == DifferenceClass::PaymentMissingHere) {
            settled += u64::from(self.catch_up(provider, difference).await?);
        }
        for difference in found.iter().filter(|found| found.class == DifferenceClass::RefundMissingHere) {
            self.catch_up_refund(difference).await?;
        }
        if !found.is_empty() {
            let beside = self.bills_beside(provider, day).await?;
            ours = self.our_side(provider, day, &bill).await?;
            found = compare(&bill, &beside, &ours);
        }
        let differences = retrying!(self.store, self.file(provider, day, &found))?;
        Ok(Reconciled { provider, day, rows: bill.len() as u64, settled, differences })
    }

    /// The providers' days that are over, have a bill, and were not compared.
    pub async fn days_to_reconcile(&self) -> Result<Vec<(Provider, NaiveDate)>> {
        let mut days = Vec::new();
        for provider in self.providers.names() {
            let there = self.clock.now() + offset(provider) - BILL_AT;
            for back in 1..=DAYS_BACK {
                let Some(day) = there.date_naive().checked_sub_days(Days::new(back)) else { continue };
                if provider != Provider::Manual && !self.store.reconciliations().is_finished(provider, day).await? {
                    days.push((provider, day));
                }
            }
        }
        Ok(days)
    }

    /// For operators: a difference is explained, or was resolved elsewhere.
    pub async fn resolve_difference(
        &self,
        actor: &Actor,
        id: DifferenceId,
        status: DifferenceStatus,
        note: &str,
    ) -> Result<Difference> {
        actor.require_admin()?;
        let note = visible_line(note, MAX_NOTE_LENGTH).map_err(|problem| Error::invalid("note", problem))?;
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let before = work.reconciliations().find(id).await?.ok_or(Error::NotFound("difference"))?;
        let resolved_at = (status != DifferenceStatus::Open).then_some(now);
        let after = Difference { status, note: Some(note), resolved_by: Some(actor.user), resolved_at, ..before };
        work.reconciliations().save(&after).await?;
        let detail = serde_json::json!({"status": status.name(), "note": after.note});
        work.audit().append(&AuditEvent::by(actor, "difference.resolve", id, now).with(detail)).await?;
        work.commit().await?;
        Ok(after)
    }

    async fn bill(&self, provider: Provider, day: NaiveDate) -> Result<Vec<BillRow>> {
        let adapter = self.providers.get(provider).ok_or(Error::NotFound("provider"))?;
        adapter.daily_bill(day).await.map_err(|error| match error {
            ProviderError::Unsupported => Error::conflict("conflict", "This provider has no daily bills."),
            ProviderError::Refused { code, .. } => {
                Error::conflict("bill_refused", format!("The provider does not give the day's bill: {code}."))
            }
            ProviderError::Unavailable | ProviderError::Unknown => Error::Unavailable,
        })
    }

    /// The days before and after; one that is not there yet has no rows.
    async fn bills_beside(&self, provider: Provider, day: NaiveDate) -> Result<Vec<BillRow>> {
        let mut rows = Vec::new();
        for beside in [day.pred_opt(), day.succ_opt()].into_iter().flatten() {
            match self.bill(provider, beside).await {
                Ok(bill) => rows.extend(bill),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(rows)
    }

    /// Settles a payment or a charge that was missed by what the provider answers to a query; whether money came in.
    async fn catch_up(&self, provider: Provider, found: &Found) -> Result<bool> {
        let Some(number) = ProviderNumber::parse(&found.number) else {
            return self.catch_up_charge(provider, &found.number).await;
        };
        let Some(adapter) = self.providers.get(provider) else { return Ok(false) };
        let id = PaymentId::from_uuid(number.as_uuid());
        let reference = self.store.payments().find(id).await?.and_then(|payment| payment.reference);
        let Ok(state) = adapter.query(number, reference).await else { return Ok(false) };
        let settled = self.apply(&Fact { payment: id, provider, state }).await?;
        Ok(matches!(settled, Settled::Delivered | Settled::Suspended(_)))
    }

    async fn catch_up_charge(&self, provider: Provider, reference: &str) -> Result<bool> {
        let Some(collector) = &self.collector else { return Ok(false) };
        match collector.catch_up(provider, reference).await {
            Ok(collected) => Ok(collected),
            Err(error) => {
                tracing::warn!(reference, error = ?error, "a charge could not be collected; the difference is filed");
                Ok(false)
            }
        }
    }

    async fn catch_up_refund(&self, found: &Found) -> Result<()> {
        let Some(number) = ProviderNumber::parse(&found.number) else { return Ok(()) };
        let id = RefundId::from_uuid(number.as_uuid());
        let Some(refund) = self.store.refunds().find(id).await? else { return Ok(()) };
        let (provider, request) = self.refund_request(&refund).await?;
        let Some(adapter) = self.providers.get(provider) else { return Ok(()) };
        match adapter.query_refund(&request).await {
            Ok(state) => self.apply_refund(id, Some(provider), &state, None).await.map(drop),
            Err(_) => Ok(()),
        }
    }

    /// Files what was found and resolves what is no more; everything on file for the day.
    async fn file(&self, provider: Provider, day: NaiveDate, found: &[Found]) -> Result<Vec<Difference>> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let on_file = work.reconciliations().of_day(provider, day).await?;
        for new in found.iter().filter(|found| !on_file.iter().any(|filed| is_same(filed, found))) {
            work.reconciliations().insert(&filed(provider, day, new, now)).await?;
        }
        let gone = |filed: &&Difference| {
            filed.status == DifferenceStatus::Open && !found.iter().any(|found| is_same(filed, found))
        };
        for filed in on_file.iter().filter(gone) {
            let status = DifferenceStatus::Resolved;
            work.reconciliations().save(&Difference { status, resolved_at: Some(now), ..filed.clone() }).await?;
        }
        if !work.reconciliations().is_finished(provider, day).await? {
            work.reconciliations().finish_day(provider, day, now).await?;
        }
        let all = work.reconciliations().of_day(provider, day).await?;
        work.commit().await?;
        Ok(all)
    }
}

fn is_same(filed: &Difference, found: &Found) -> bool {
    (filed.class, &filed.number, &filed.transaction) == (found.class, &found.number, &found.transaction)
}

fn filed(provider: Provider, day: NaiveDate, found: &Found, now: DateTime<Utc>) -> Difference {
    Difference {
        id: DifferenceId::new(now),
        provider,
        day,
        class: found.class,
        number: found.number.clone(),
        transaction: found.transaction.clone(),
        ours: found.ours,
        theirs: found.theirs,
        status: DifferenceStatus::Open,
        note: None,
        resolved_by: None,
        created_at: now,
        resolved_at: None,
    }
}
