//! Renewals: the next term is billed some days before it begins, and paid from the wallet where that was agreed.

use super::issuing::{Draft, issue};
use super::paying::Desk;
use super::service::BillingService;
use super::{BillKind, BillLine, LineKind};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::money::Money;
use crate::plans::{self, Catalogue, Choice, SubscriptionStatus};
use crate::store::{Repositories, retrying};
use crate::time::Period;

/// Accounts of one look.
pub(super) const CHUNK: u64 = 200;

/// What one chunk of background work came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    /// What could not be done; it stays due, and the next chunk must leave it out.
    pub failed: u64,
}

impl Progress {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { done: self.done + other.done, failed: self.failed + other.failed }
    }

    pub(super) fn count<T>(&mut self, account: AccountId, what: &'static str, result: &Result<T>) {
        match result {
            Ok(_) => self.done += 1,
            Err(error) => {
                tracing::error!(%account, error = ?error, "{what}");
                self.failed += 1;
            }
        }
    }
}

/// The bill of a renewed term; `None` when it costs nothing.
pub(super) async fn renewal(
    work: &dyn Repositories,
    catalogue: &Catalogue,
    account: AccountId,
    (choice, term): (&Choice, Period),
) -> Result<Option<Draft>> {
    let version = plans::version_sold(work, choice.version).await?;
    let price = version.plan.price(choice.interval, choice.seats);
    let Some(price) = price.filter(|price| price.is_positive()) else { return Ok(None) };
    let line = BillLine {
        number: 0,
        kind: LineKind::Base,
        plan: choice.plan.clone(),
        version: Some(choice.version),
        interval: Some(choice.interval),
        seats: choice.seats,
        period: term,
        used: None,
        tier: None,
        amount: price,
        discount: Money::zero(catalogue.currency),
    };
    Ok(Some(Draft::new(account, BillKind::Subscription, term, choice.plan.clone(), vec![line])))
}

impl BillingService {
    /// Bills the next terms of a bounded number of accounts, each in its own unit of work.
    pub async fn renew_due(&self, skip: u64) -> Result<Progress> {
        let until = self.catalogue.bills.renewals_before(self.clock.now());
        let free = self.catalogue.plans.values().filter(|plan| plan.is_free()).map(|plan| plan.code.to_string());
        let free: Vec<String> = free.collect();
        let mut progress = Progress::default();
        for account in self.store.closings().renewals(until, &free, skip, CHUNK).await? {
            let renewed = retrying!(self.store, self.renew(account));
            match renewed {
                // Nothing to bill after all; the look would find it again.
                Ok(false) => progress.failed += 1,
                other => progress.count(account, "a renewal could not be billed", &other),
            }
        }
        Ok(progress)
    }

    /// Whether there was something to bill.
    async fn renew(&self, account: AccountId) -> Result<bool> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        let account = work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let subscription = plans::lock_current(&*work, &self.catalogue, &account, &*self.hook, now).await?;
        let goes_on = matches!(subscription.status, SubscriptionStatus::Active | SubscriptionStatus::PastDue);
        let soon = subscription.term.end <= self.catalogue.bills.renewals_before(now);
        let (choice, term) = subscription.next_term();
        let billed = work.bills().find_live(account.id, BillKind::Subscription, term.start).await?.is_some();
        if subscription.cancel_at_term_end || !goes_on || !soon || billed {
            work.commit().await?;
            return Ok(billed || !soon);
        }
        let Some(draft) = renewal(&*work, &self.catalogue, account.id, (&choice, term)).await? else {
            work.commit().await?;
            return Ok(false);
        };
        let issued = draft.compose(&self.catalogue, now)?;
        issue(&*work, std::slice::from_ref(&issued), now).await?;
        if subscription.auto_pay
            && let Some(bill) = desk.receive_from_wallet(&issued.bill).await?
        {
            desk.take_effect(&account, &super::IssuedBill { bill, ..issued }).await?;
        }
        work.commit().await?;
        Ok(true)
    }
}
