//! Closing of quota periods: which are due, and what they were used for.

use super::metering::of_account;
use super::statements::find;
use super::{Repos, page, span};
use crate::db::Closed;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{BillKind, BillStatus, BilledRows, ClosingRepository, EndedPeriods, Slot, TariffMark, UsageSum};
use domain::id::AccountId;
use domain::metering::UsageRecord;
use domain::money::Money;
use domain::page::{Page, PageRequest};
use domain::plans::{OpenedPeriod, Subscription, SubscriptionStatus};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use domain::time::Period;
use std::collections::{BTreeMap, BTreeSet};

#[async_trait]
impl ClosingRepository for Repos {
    async fn due(
        &self,
        until: DateTime<Utc>,
        began_before: Option<DateTime<Utc>>,
        skip: u64,
        most: u64,
    ) -> StoreResult<Vec<AccountId>> {
        self.call(|tables, cx| {
            let open = tables.periods.iter(cx.tx).filter(|(_, row)| is_due(row, until, began_before));
            let mut open: Vec<_> = open.map(|((account, start), _)| (*start, *account)).collect();
            open.sort_unstable();
            let accounts: BTreeSet<_> = span(open, skip, most).into_iter().map(|(_, account)| account).collect();
            Ok(accounts.into_iter().collect())
        })
        .await
    }

    async fn count_due(&self, until: DateTime<Utc>, began_before: Option<DateTime<Utc>>) -> StoreResult<u64> {
        self.call(|tables, cx| {
            Ok(tables.periods.values(cx.tx).filter(|row| is_due(row, until, began_before)).count() as u64)
        })
        .await
    }

    async fn open_periods(
        &self,
        accounts: &[AccountId],
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod)>> {
        self.call(|tables, cx| {
            let rows = tables.periods.iter(cx.tx);
            let open = rows.filter(|((account, _), row)| accounts.contains(account) && is_due(row, until, None));
            Ok(open.map(|((account, _), row)| (*account, row.opened.clone())).collect())
        })
        .await
    }

    async fn ended(
        &self,
        began: Period,
        until: DateTime<Utc>,
        after: Option<AccountId>,
        most: u64,
    ) -> StoreResult<EndedPeriods> {
        self.call(|tables, cx| {
            let accounts = tables.accounts.values(cx.tx).map(|account| account.id);
            let next = accounts.filter(|account| after.is_none_or(|after| *account > after)).collect();
            let accounts = span(next, 0, most);
            let rows = tables.periods.iter(cx.tx).filter(|((account, start), row)| {
                accounts.contains(account) && began.contains(*start) && row.opened.period.end <= until
            });
            let rows = rows.map(|((account, _), row)| (*account, row.opened.clone(), row.at.is_some()));
            Ok(EndedPeriods { periods: rows.collect(), last: accounts.last().copied() })
        })
        .await
    }

    async fn rows_are_gone(&self, account: AccountId, recorded: Period) -> StoreResult<bool> {
        self.call(|tables, cx| {
            let mut keys = tables.usage_keys.iter(cx.tx).filter(|((owner, _), _)| *owner == account);
            let within = |id: domain::id::UsageId| {
                let time = id.as_uuid().get_timestamp().map(|stamp| stamp.to_unix());
                time.and_then(|(seconds, nanos)| DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos))
                    .is_some_and(|time| recorded.contains(time))
            };
            Ok(keys.any(|(_, (id, _))| within(*id) && tables.usage.get(cx.tx, &(account, *id)).is_none()))
        })
        .await
    }

    async fn close(&self, periods: &[(AccountId, OpenedPeriod)], now: DateTime<Utc>) -> StoreResult<()> {
        for (account, opened) in periods {
            let close = |row: &Closed| row.at.is_none().then(|| Closed { at: Some(now), ..row.clone() });
            self.call(|tables, cx| tables.periods.update(cx, &(*account, opened.period.start), close)).await?;
        }
        let mut ends: BTreeMap<AccountId, DateTime<Utc>> = BTreeMap::new();
        for (account, opened) in periods {
            let end = ends.entry(*account).or_insert(opened.period.end);
            *end = opened.period.end.max(*end);
        }
        for (account, end) in ends {
            let later = |row: &Subscription| {
                let fits = row.closed_until.is_none_or(|until| until < end);
                fits.then(|| Subscription { closed_until: Some(end), ..row.clone() })
            };
            self.call(|tables, cx| tables.subscriptions.update(cx, &account, later)).await?;
        }
        Ok(())
    }

    async fn mark(&self, marks: &[TariffMark]) -> StoreResult<()> {
        for mark in marks {
            let key = (mark.account, mark.period_start, mark.meter.to_string(), mark.position.as_atoms());
            let there: Option<TariffMark> = find!(self.marks[key])?;
            if there.is_none() {
                self.call(|tables, cx| tables.marks.insert(cx, vec![(key.clone(), mark.clone())])).await?;
            }
        }
        Ok(())
    }

    async fn marks(&self, slots: &[Slot]) -> StoreResult<Vec<TariffMark>> {
        self.call(|tables, cx| {
            let wanted = tables.marks.values(cx.tx).filter(|row| slots.contains(&(row.account, row.period_start)));
            let mut wanted: Vec<_> = wanted.cloned().collect();
            wanted.sort_by_key(|row| (row.account, row.position));
            Ok(wanted)
        })
        .await
    }

    async fn usage_sums(&self, slots: &[Slot], only_adjustments: bool) -> StoreResult<Vec<UsageSum>> {
        self.call(|tables, cx| {
            let mut sums: BTreeMap<_, (Quantity, Money)> = BTreeMap::new();
            let slots: BTreeSet<_> = slots.iter().collect();
            for slot in slots {
                let rows = tables.usage.range(cx.tx, of_account(slot.0)).map(|(_, row)| row);
                let costs = |row: &UsageRecord| !row.drawn.overage.is_zero() || !row.drawn.wallet.is_zero();
                for row in rows.filter(|row| row.period_start == slot.1 && costs(row)) {
                    if only_adjustments && !row.adjustment {
                        continue;
                    }
                    let key = (*slot, row.meter.clone(), row.adjustment);
                    let sum = sums.entry(key).or_insert((Quantity::ZERO, Money::zero(row.amount().currency())));
                    let more = row.drawn.overage.saturating_add(row.drawn.wallet);
                    let fee = Money::from_nanos(sum.1.nanos() + row.amount().nanos(), sum.1.currency());
                    *sum = (sum.0.saturating_add(more), fee);
                }
            }
            let sum = |(((account, period_start), meter, adjustment), (overage, fee))| UsageSum {
                account,
                period_start,
                meter,
                adjustment,
                overage,
                fee,
            };
            Ok(sums.into_iter().map(sum).collect())
        })
        .await
    }

    async fn rows(&self, slot: Slot, which: &BilledRows, wanted: PageRequest) -> StoreResult<Page<UsageRecord>> {
        let fits = |row: &UsageRecord| {
            row.period_start == slot.1
                && (!row.drawn.overage.is_zero() || !row.amount().is_zero())
                && which.meter.as_ref().is_none_or(|meter| row.meter == *meter)
                && which.adjustment.is_none_or(|late| row.adjustment == late)
                && which.since.is_none_or(|since| row.recorded_at >= since)
                && which.until.is_none_or(|until| row.recorded_at < until)
        };
        self.call(|tables, cx| {
            let rows = tables.usage.range(cx.tx, of_account(slot.0)).filter(|(_, row)| fits(row));
            Ok(page(rows.map(|(_, row)| (**row).clone()), wanted, |row| row.id.as_uuid()))
        })
        .await
    }

    async fn renewals(
        &self,
        until: DateTime<Utc>,
        free: &[String],
        skip: u64,
        most: u64,
    ) -> StoreResult<Vec<AccountId>> {
        self.call(|tables, cx| {
            let billed = |row: &Subscription| {
                tables.bills.values(cx.tx).map(|issued| &issued.bill).any(|bill| {
                    let same = bill.account == row.account && bill.period.start == row.term.end;
                    same && bill.kind == BillKind::Subscription && bill.status != BillStatus::Void
                })
            };
            let renewed = |row: &&Subscription| {
                row.term.end <= until
                    && !row.cancel_at_term_end
                    && matches!(row.status, SubscriptionStatus::Active | SubscriptionStatus::PastDue)
                    && (row.scheduled.is_some() || !free.contains(&row.chosen.plan.to_string()))
                    && !billed(row)
            };
            let rows = tables.subscriptions.values(cx.tx).filter(renewed);
            let mut rows: Vec<_> = rows.map(|row| (row.term.end, row.account)).collect();
            rows.sort_unstable();
            Ok(span(rows, skip, most).into_iter().map(|(_, account)| account).collect())
        })
        .await
    }
}

fn is_due(row: &Closed, until: DateTime<Utc>, began_before: Option<DateTime<Utc>>) -> bool {
    let period = row.opened.period;
    row.at.is_none() && period.end <= until && began_before.is_none_or(|before| period.start < before)
}
