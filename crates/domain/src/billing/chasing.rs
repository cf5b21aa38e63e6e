//! Chasing unpaid bills: a reminder, past due, suspended, and in the end the default plan.

use super::issuing::{told, void};
use super::paying::Desk;
use super::renewing::{CHUNK, Progress};
use super::service::BillingService;
use super::{Bill, BillKind, BillStatus, Chased, IssuedBill};
use crate::accounts::Account;
use crate::error::{Error, Result};
use crate::id::{AccountId, BillId};
use crate::plans::{self, BillTerms};
use crate::store::retrying;
use chrono::{DateTime, Utc};

impl Bill {
    /// The next stage of an unpaid bill, what is told of it, and when it is looked at again.
    pub fn chased(&self, terms: &BillTerms, now: DateTime<Utc>) -> (Self, &'static str) {
        let (stage, told, next) = match self.chased {
            Chased::Issued => (Chased::Reminded, "bill.reminder", Some(self.due_at)),
            Chased::Reminded => (Chased::PastDue, "bill.past_due", Some(terms.suspend(self.due_at))),
            Chased::PastDue => (Chased::Suspended, "bill.suspended", Some(terms.expire(self.due_at))),
            Chased::Suspended | Chased::GivenUp => (Chased::GivenUp, "bill.given_up", None),
        };
        (Self { chased: stage, chase_at: next, updated_at: now, ..self.clone() }, told)
    }
}

impl BillingService {
    /// Takes a bounded number of unpaid bills one stage further, each in its own unit of work.
    pub async fn chase_due(&self, skip: u64) -> Result<Progress> {
        let mut progress = Progress::default();
        for (account, bill) in self.store.bills().to_chase(self.clock.now(), skip, CHUNK).await? {
            let chased = retrying!(self.store, self.chase(account, bill));
            progress.count(account, "a bill could not be chased", &chased);
        }
        Ok(progress)
    }

    async fn chase(&self, account: AccountId, id: BillId) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let issued = work.bills().find(id).await?.ok_or(Error::NotFound("bill"))?;
        let bill = &issued.bill;
        if bill.status != BillStatus::Unpaid || bill.chase_at.is_none_or(|time| time > now) {
            return Ok(());
        }
        let desk = Desk { work: &*work, catalogue: &self.catalogue, hook: &*self.hook, now };
        if bill.activates.is_some() {
            let voided = void(&*work, bill, now).await?;
            desk.forget(&account, &voided).await?;
        } else if !desk.collect(&account, &issued).await? {
            desk.press(&account, bill).await?;
        }
        Ok(work.commit().await?)
    }
}

impl Desk<'_> {
    /// Pays from the balance where that was agreed; whether it was paid.
    async fn collect(&self, account: &Account, issued: &IssuedBill) -> Result<bool> {
        let subscription = plans::lock_current(self.work, self.catalogue, account, self.hook, self.now).await?;
        if !subscription.auto_pay {
            return Ok(false);
        }
        let Some(bill) = self.receive_from_wallet(&issued.bill).await? else { return Ok(false) };
        self.take_effect(account, &IssuedBill { bill, ..issued.clone() }).await?;
        Ok(true)
    }

    /// Takes a debt one stage further, and the subscription with it.
    async fn press(&self, account: &Account, bill: &Bill) -> Result<()> {
        let (chased, kind) = bill.chased(&self.catalogue.bills, self.now);
        self.work.bills().save(std::slice::from_ref(&chased)).await?;
        self.work.outbox().push(&[told(&chased, kind, self.now)]).await?;
        let before = plans::lock_current(self.work, self.catalogue, account, self.hook, self.now).await?;
        let after = match chased.chased {
            Chased::Issued | Chased::Reminded => return Ok(()),
            Chased::PastDue => before.owing(false, self.now),
            Chased::Suspended => before.owing(true, self.now),
            Chased::GivenUp if before.chosen.plan == self.catalogue.default_plan => return Ok(()),
            Chased::GivenUp => {
                self.drop_terms(account).await?;
                let fallback = plans::fallback_choice(self.work, self.catalogue, &before).await?;
                before.expired(fallback, self.is_past_due(account).await?, self.now)
            }
        };
        if after != before {
            plans::store_change(self.work, self.hook, (&before, &after), self.now).await?;
        }
        Ok(())
    }

    /// Terms that nobody paid are owed no more when the plan ends for that; what was used is.
    async fn drop_terms(&self, account: &Account) -> Result<()> {
        for bill in self.work.bills().unpaid(account.id).await? {
            if bill.kind == BillKind::Subscription {
                void(self.work, &bill, self.now).await?;
            }
        }
        Ok(())
    }
}
