//! What an account can still use, meter by meter: the answer of `GET /quota`.

use super::books::{AccountBooks, PlanPeriod};
use super::service::MeteringService;
use crate::accounts::{Account, AccountKind, AccountStatus};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::money::Money;
use crate::plans::{self, Allowance, Meter, OnExhausted, Percent, Subscription};
use crate::quantity::Quantity;
use crate::quota::{Counter, Grant, Subject};
use crate::store::{Repositories, Retry};
use crate::teams::TeamStatus;
use crate::time::local_day;
use chrono::{DateTime, NaiveDate, Utc};

/// One meter of an account in its open period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterQuota {
    pub meter: Meter,
    /// `Unlimited` has no number.
    pub included: Allowance,
    /// All grants of the period, drawn or not.
    pub granted: Quantity,
    pub used: Quantity,
    pub reserved: Quantity,
    /// What allowance and grants are left; `None` is unlimited.
    pub remaining: Option<Quantity>,
    pub on_exhausted: OnExhausted,
    pub overage: Quantity,
    /// What is owed for the overage.
    pub overage_fee: Money,
    /// What was paid from the wallet, in the meter's atoms.
    pub wallet: Quantity,
    pub wallet_paid: Money,
    /// What open reservations hold of the wallet.
    pub wallet_held: Money,
    pub warnings_fired: Vec<Percent>,
}

/// An account's quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaView {
    pub account: Account,
    pub subscription: Subscription,
    /// Of a team's account.
    pub team: Option<TeamStatus>,
    /// The local day on which counters start anew.
    pub reset_date: NaiveDate,
    pub meters: Vec<MeterQuota>,
    pub total_overage_fee: Money,
}

impl QuotaView {
    /// `frozen`; `suspended` for a team whose first bill is not paid; or the subscription's status.
    pub fn status(&self) -> &'static str {
        match (self.account.status, self.team) {
            (AccountStatus::Frozen, _) => "frozen",
            (_, Some(team)) if team != TeamStatus::Active => team.as_str(),
            (AccountStatus::Active, _) => self.subscription.status.name(),
        }
    }
}

impl MeteringService {
    /// Shows an account's quota; opens the period if nobody has touched it yet.
    pub async fn quota(&self, account: AccountId) -> Result<QuotaView> {
        let now = self.clock.now();
        let found = self.store.accounts().find(account).await?.ok_or(Error::NotFound("account"))?;
        let stored = self.store.subscriptions().find(account).await?;
        let current = stored.filter(|subscription| now < subscription.period.end);
        let subscription = match current {
            Some(subscription) => subscription,
            None => self.open_period(account).await?,
        };
        self.view(found, subscription, now).await
    }

    /// Rolls an account over to now and returns its subscription; nothing happens when it is current.
    pub async fn open_period(&self, account: AccountId) -> Result<Subscription> {
        let mut retry = Retry::new(&*self.store);
        loop {
            match self.try_open(account).await {
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn try_open(&self, account: AccountId) -> Result<Subscription> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let account = work.accounts().lock(account).await?.ok_or(Error::NotFound("account"))?;
        let subscription = plans::lock_current(&*work, &self.catalogue, &account, &*self.hook, now).await?;
        work.commit().await?;
        Ok(subscription)
    }

    async fn view(&self, account: Account, subscription: Subscription, now: DateTime<Utc>) -> Result<QuotaView> {
        let store: &dyn Repositories = &*self.store;
        let versions = super::load::versions_of(store, [subscription.chosen.version]).await?;
        let current = PlanPeriod {
            period: subscription.period,
            version: super::load::version(&versions, subscription.chosen.version)?,
            seats: subscription.chosen.seats,
            closed: false,
        };
        let mut books =
            AccountBooks::open(account.clone(), subscription.status, current.clone(), self.catalogue.spend_cap);
        for counter in store.counters().load(&[(account.id, subscription.period.start)]).await? {
            books.add_counter(counter);
        }
        for grant in store.grants().load_live(&[account.id], now).await? {
            books.add_grant(grant);
        }
        let meters: Vec<_> = self.catalogue.meters.values().map(|meter| meter_quota(&books, &current, meter)).collect();
        let mut total = Money::zero(current.version.plan.currency);
        for meter in &meters {
            total = total.checked_add(meter.overage_fee)?;
        }
        let team = match account.kind {
            AccountKind::Personal => None,
            AccountKind::Team => store.teams().of_accounts(&[account.id]).await?.pop().map(|team| team.status),
        };
        let reset_date = local_day(subscription.period.end, subscription.zone);
        Ok(QuotaView { account, subscription, team, reset_date, meters, total_overage_fee: total })
    }
}

fn meter_quota(books: &AccountBooks, plan: &PlanPeriod, meter: &Meter) -> MeterQuota {
    let terms = plan.version.plan.terms(&meter.code);
    let included = terms.map_or(Allowance::Limited(Quantity::ZERO), |terms| terms.allowance(plan.seats));
    let currency = plan.version.plan.currency;
    let counter = books.counter_since(plan.period.start, &meter.code).unwrap_or_else(|| {
        Counter::opening(books.account.id, Subject::Account, meter.code.clone(), plan.period, currency)
    });
    let live = books.grants.iter().filter(|grant| grant.meter == meter.code);
    let taken = counter.drawn.grants.saturating_add(counter.held_grants);
    let granted = live.fold(taken, |sum, grant: &Grant| sum.saturating_add(grant.remaining));
    MeterQuota {
        meter: meter.clone(),
        included,
        granted,
        used: counter.used,
        reserved: counter.reserved,
        remaining: books.remaining(&counter, meter, included),
        on_exhausted: terms.map_or(OnExhausted::Refuse, |terms| terms.on_exhausted.clone()),
        overage: counter.drawn.overage,
        overage_fee: counter.drawn.fee,
        wallet: counter.drawn.wallet,
        wallet_paid: counter.drawn.paid,
        wallet_held: counter.wallet_held,
        warnings_fired: counter.warnings.fired.clone(),
    }
}
