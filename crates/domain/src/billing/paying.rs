//! Paying bills: money in, and what begins or recovers with it. Steps of a unit of work that holds the lock on the row
//! of the bill's account.

use super::charging::call_off_orders;
use super::issuing::told;
use super::{Bill, BillKind, BillMethod, BillPayment, BillStatus, Chased, IssuedBill};
use crate::accounts::Account;
use crate::error::{Error, LimitKind, Result};
use crate::id::BillPaymentId;
use crate::money::Money;
use crate::plans::{self, Catalogue, PeriodHook, Subscription};
use crate::store::Repositories;
use crate::teams;
use crate::wallet::{self, LedgerAccount, Provider, Transfer, TransferKind};
use chrono::{DateTime, Utc};

/// Where billing's steps work.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub work: &'a dyn Repositories,
    pub catalogue: &'a Catalogue,
    pub hook: &'a dyn PeriodHook,
    pub now: DateTime<Utc>,
}

/// Where the money for a bill lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Funds {
    /// On the account's own balance.
    Wallet,
    /// It came in at a provider and lies on `LedgerAccount::Suspense`; with the provider's number.
    Provider(Provider, String),
    /// It came in outside, as an operator says; with the operator's note.
    Outside(Option<String>),
}

impl Funds {
    const fn method(&self) -> BillMethod {
        match self {
            Self::Wallet => BillMethod::Wallet,
            Self::Provider(provider, _) => BillMethod::Provider(*provider),
            Self::Outside(_) => BillMethod::Provider(Provider::Manual),
        }
    }

    fn side(&self, bill: &Bill) -> LedgerAccount {
        match self {
            Self::Wallet => LedgerAccount::Wallet(bill.account),
            Self::Provider(..) => LedgerAccount::Suspense,
            Self::Outside(_) => LedgerAccount::Cash(Provider::Manual),
        }
    }

    fn transaction(&self) -> Option<String> {
        match self {
            Self::Wallet => None,
            Self::Provider(_, number) => Some(number.clone()),
            Self::Outside(note) => note.clone(),
        }
    }
}

impl Desk<'_> {
    /// Pays a bill whole, and lets begin what waited for it.
    ///
    /// A bill that is paid or void is a conflict; a balance that is too low is `Error::Barred(LimitKind::Wallet)`.
    pub async fn pay(&self, account: &Account, issued: &IssuedBill, funds: &Funds) -> Result<(Bill, BillPayment)> {
        let (paid, payment) = self.receive(&issued.bill, funds).await?;
        self.take_effect(account, &IssuedBill { bill: paid.clone(), ..issued.clone() }).await?;
        Ok((paid, payment))
    }

    /// The money's part of [`Self::pay`].
    pub async fn receive(&self, bill: &Bill, funds: &Funds) -> Result<(Bill, BillPayment)> {
        let (paid, now) = (bill.paid_for(self.now)?, self.now);
        let payment = BillPayment {
            id: BillPaymentId::new(now),
            account: bill.account,
            bill: bill.id,
            method: funds.method(),
            amount: bill.totals.total,
            transaction: funds.transaction(),
            paid_at: now,
        };
        let reference = match funds {
            Funds::Wallet => bill.id.to_string(),
            Funds::Provider(..) | Funds::Outside(_) => payment.id.to_string(),
        };
        let sides = (funds.side(bill), LedgerAccount::Receivable);
        let transfer = Transfer::new((TransferKind::BillPaid, reference), sides, bill.totals.total, now)?;
        // First of all, for it may be refused.
        wallet::post(self.work, &[transfer.about(bill.account)]).await?;
        self.work.bill_payments().insert(std::slice::from_ref(&payment)).await?;
        self.work.bills().save(std::slice::from_ref(&paid)).await?;
        self.work.outbox().push(&[told(&paid, "bill.paid", now)]).await?;
        // Nobody can have ordered what was issued in this unit of work.
        if bill.issued_at < now {
            call_off_orders(self.work, &paid, now).await?;
        }
        Ok((paid, payment))
    }

    /// Pays from the balance if that is enough and no provider may be paying it; whether it was paid.
    pub async fn receive_from_wallet(&self, bill: &Bill) -> Result<Option<Bill>> {
        if bill.status != BillStatus::Unpaid || (bill.issued_at < self.now && self.is_being_charged(bill).await?) {
            return Ok(None);
        }
        match self.receive(bill, &Funds::Wallet).await {
            Ok((paid, _)) => Ok(Some(paid)),
            Err(Error::Barred(LimitKind::Wallet)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What begins and recovers when a bill is paid.
    pub async fn take_effect(&self, account: &Account, issued: &IssuedBill) -> Result<()> {
        let (bill, now) = (&issued.bill, self.now);
        let before = plans::lock_current(self.work, self.catalogue, account, self.hook, now).await?;
        let mut after = before.clone();
        if let Some(choice) = &bill.activates {
            let waits = before.awaiting_payment.as_ref() == Some(choice);
            let worth = credit(issued)?;
            let active = if waits { before.activate(worth, bill.totals.total, now)? } else { None };
            after = active.ok_or_else(|| Error::conflict("bill_void", "Another plan was chosen since."))?;
            teams::activate(self.work, account, now).await?;
        } else if bill.kind == BillKind::Subscription && bill.period == before.term {
            after = before.with_paid(bill.totals.total, now)?;
        }
        if !self.is_past_due(account).await? {
            after = after.recovered(now);
        }
        self.keep(&before, &after).await
    }

    /// Stores a subscription that a bill changed, and tells when nothing is past due any more.
    pub async fn keep(&self, before: &Subscription, after: &Subscription) -> Result<()> {
        if after == before {
            return Ok(());
        }
        plans::store_change(self.work, self.hook, (before, after), self.now).await?;
        if before.status.is_owing() && !after.status.is_owing() {
            plans::tell_recovery(self.work, after, self.now).await?;
        }
        Ok(())
    }

    /// Whether a debt of the account is past its due day.
    pub async fn is_past_due(&self, account: &Account) -> Result<bool> {
        let unpaid = self.work.bills().unpaid(account.id).await?;
        Ok(unpaid.iter().any(|bill| bill.is_debt() && bill.chased >= Chased::PastDue))
    }
}

/// What a bill took in for what was left of another term.
fn credit(issued: &IssuedBill) -> Result<Money> {
    let zero = Money::zero(issued.bill.totals.total.currency());
    let mut negative = issued.lines.iter().map(|line| line.amount).filter(|amount| amount.nanos() < 0);
    let sum = negative.try_fold(zero, Money::checked_add)?;
    Ok(zero.checked_sub(sum)?)
}
