//! Usage, its keys and sums; reservations and debts.

use super::quota::counter_row;
use super::{Repos, page, span};
use crate::db::{Stop, hash};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, ReservationId, UsageId};
use domain::metering::{
    Booked, Debt, DebtRepository, OverageDueRepository, Reservation, ReservationFilter, ReservationRepository,
    RollupSums, Standing, StandingRepository, SummaryFilter, SummaryRow, UsageFilter, UsageRecord, UsageRepository,
    UsedKey,
};
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};

#[async_trait]
impl StandingRepository for Repos {
    async fn load(&self, accounts: &[AccountId]) -> StoreResult<Vec<Standing>> {
        let mut accounts = accounts.to_vec();
        accounts.sort_unstable();
        self.call(|tables, cx| {
            let standing = |account: &AccountId| {
                let subscription = tables.subscriptions.get(cx.tx, account)?.clone();
                let pool = |start| (*account, start, account.as_uuid());
                let ((account, start, subject), last) = (pool(subscription.period.start), "\u{10ffff}".to_owned());
                let keys = (account, start, subject, String::new())..=(account, start, subject, last);
                let counters = tables.counters.range(cx.tx, keys).map(|(_, counter)| counter.clone()).collect();
                let mut grants = tables.grants.values(cx.tx).filter(|grant| grant.account == account);
                let has_grants = grants.any(|grant| grant.remaining.is_positive());
                Some(Standing { subscription, counters, has_grants })
            };
            Ok(accounts.iter().filter_map(standing).collect())
        })
        .await
    }
}

#[async_trait]
impl UsageRepository for Repos {
    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<UsedKey>> {
        self.call(|tables, cx| {
            let used = |key: &(AccountId, String)| {
                let (usage, fingerprint) = tables.usage_keys.get(cx.tx, key)?.clone();
                let record = tables.usage.get(cx.tx, &(key.0, usage)).cloned();
                Some(UsedKey { account: key.0, key: key.1.clone(), usage, fingerprint, record })
            };
            Ok(keys.iter().filter_map(used).collect())
        })
        .await
    }

    async fn book(&self, booked: &Booked, _now: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| {
            let records = booked.usage.iter().map(|saved| &saved.record);
            let rows: Vec<_> = records.map(|record| ((record.account, record.id), record.clone())).collect();
            let key = |saved: &domain::metering::SavedUsage| {
                let record = &saved.record;
                ((record.account, record.key.clone()), (record.id, saved.fingerprint.clone()))
            };
            let keys: Vec<_> = booked.usage.iter().map(key).collect();
            let of = |key: &domain::metering::RollupKey<_>| hash(&(&key.meter, &key.model, key.api_key, key.user));
            let hourly: Vec<_> = booked
                .rollup
                .hourly
                .iter()
                .map(|(key, sums)| ((key.account, key.bucket, of(key)), (key.clone(), *sums)))
                .collect();
            let of = |key: &domain::metering::RollupKey<_>| hash(&(&key.meter, &key.model, key.api_key, key.user));
            let daily: Vec<_> = booked
                .rollup
                .daily
                .iter()
                .map(|(key, sums)| ((key.account, key.bucket, of(key)), (key.clone(), *sums)))
                .collect();
            let counters: Vec<_> = booked.counters.iter().map(counter_row).collect();
            tables.usage_keys.prepare(cx, &keys)?;
            tables.usage.prepare(cx, &rows)?;
            tables.hourly.prepare(cx, &hourly)?;
            tables.daily.prepare(cx, &daily)?;
            tables.counters.prepare(cx, &counters)?;
            tables.usage_keys.insert(cx, keys)?;
            tables.usage.insert(cx, rows)?;
            tables.hourly.upsert(cx, hourly, |before, after| (after.0, sum(before.1, after.1)))?;
            tables.daily.upsert(cx, daily, |before, after| (after.0, sum(before.1, after.1)))?;
            tables.counters.upsert(cx, counters, |_, after| after)
        })
        .await
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &UsageFilter,
        wanted: PageRequest,
    ) -> StoreResult<Page<UsageRecord>> {
        let fits = |row: &UsageRecord| {
            filter.meter.as_ref().is_none_or(|meter| row.meter == *meter)
                && filter.api_key.is_none_or(|key| row.api_key == Some(key))
                && filter.user.is_none_or(|user| row.user == Some(user))
                && filter.from.is_none_or(|from| row.occurred_at >= from)
                && filter.to.is_none_or(|to| row.occurred_at < to)
        };
        self.call(|tables, cx| {
            let rows = tables.usage.range(cx.tx, of_account(account)).filter(|(_, row)| fits(row));
            Ok(page(rows.map(|(_, row)| (**row).clone()), wanted, |row| row.id.as_uuid()))
        })
        .await
    }

    async fn summarise(&self, filter: &SummaryFilter, most: u64) -> StoreResult<Vec<SummaryRow>> {
        use std::collections::BTreeMap;
        self.call(|tables, cx| {
            let mut sums: BTreeMap<_, RollupSums> = BTreeMap::new();
            for (key, row) in tables.hourly.values(cx.tx) {
                let within = filter.from <= key.bucket && key.bucket < filter.to;
                if key.account == filter.account && within && filter.user.is_none_or(|user| key.user == Some(user)) {
                    let group = (key.meter.to_string(), key.meter.clone());
                    let entry = sums.entry(group).or_default();
                    *entry = sum(*entry, *row);
                }
            }
            let row = |((group, meter), sums): ((String, _), RollupSums)| SummaryRow {
                group,
                meter,
                quantity: sums.quantity,
                amount_nanos: sums.amount_nanos,
                events: sums.events,
            };
            Ok(span(sums.into_iter().map(row).collect(), 0, most))
        })
        .await
    }
}

fn sum(before: RollupSums, more: RollupSums) -> RollupSums {
    RollupSums {
        quantity: before.quantity + more.quantity,
        amount_nanos: before.amount_nanos + more.amount_nanos,
        events: before.events + more.events,
    }
}

/// The keys of an account's usage rows.
pub fn of_account(account: AccountId) -> std::ops::RangeInclusive<(AccountId, UsageId)> {
    let id = UsageId::from_uuid;
    (account, id(uuid::Uuid::nil()))..=(account, id(uuid::Uuid::max()))
}

#[async_trait]
impl ReservationRepository for Repos {
    async fn find(&self, id: ReservationId) -> StoreResult<Option<Reservation>> {
        self.call(|tables, cx| Ok(tables.reservations.values(cx.tx).find(|row| row.id == id).cloned())).await
    }

    async fn find_many(&self, ids: &[(AccountId, ReservationId)]) -> StoreResult<Vec<Reservation>> {
        self.call(|tables, cx| Ok(ids.iter().filter_map(|id| tables.reservations.get(cx.tx, id).cloned()).collect()))
            .await
    }

    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<Reservation>> {
        self.call(|tables, cx| {
            let find = |key: &(AccountId, String)| tables.reservations.by_unique(cx.tx, 0, hash(&(key.0, &key.1)));
            Ok(keys.iter().filter_map(|key| find(key).cloned()).collect())
        })
        .await
    }

    async fn insert(&self, reservations: &[Reservation]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let rows = reservations.iter().map(|row| ((row.account, row.id), row.clone())).collect();
            tables.reservations.insert(cx, rows)
        })
        .await
    }

    async fn end(&self, reservations: &[Reservation]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let mut ended = 0;
            for row in reservations {
                tables.reservations.lock(cx, &(row.account, row.id))?;
            }
            for row in reservations {
                let open = |before: &Reservation| {
                    let ended = row.ended.clone();
                    before.ended.is_none().then(|| Reservation { ended, ..before.clone() })
                };
                ended += usize::from(tables.reservations.update(cx, &(row.account, row.id), open)?);
            }
            if ended == reservations.len() { Ok(()) } else { Err(Stop::Failed(StoreError::Contended)) }
        })
        .await
    }

    async fn due(&self, now: DateTime<Utc>, skip: u64, limit: u64) -> StoreResult<Vec<(AccountId, ReservationId)>> {
        self.call(|tables, cx| {
            let due = tables.reservations.values(cx.tx).filter(|row| row.is_due(now));
            let mut due: Vec<_> = due.map(|row| (row.expires_at, row.id, row.account)).collect();
            due.sort_unstable();
            Ok(span(due, skip, limit).into_iter().map(|(_, id, account)| (account, id)).collect())
        })
        .await
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &ReservationFilter,
        wanted: PageRequest,
    ) -> StoreResult<Page<Reservation>> {
        let fits = |row: &&Reservation| {
            row.account == account
                && filter.user.is_none_or(|user| row.user == Some(user))
                && filter.status.is_none_or(|status| row.status() == status)
                && filter.meter.as_ref().is_none_or(|meter| row.meter == *meter)
        };
        self.call(|tables, cx| {
            Ok(page(tables.reservations.values(cx.tx).filter(fits).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }
}

#[async_trait]
impl DebtRepository for Repos {
    async fn insert(&self, debts: &[Debt]) -> StoreResult<()> {
        self.call(|tables, cx| tables.debts.insert(cx, debts.iter().map(|row| (row.id, row.clone())).collect())).await
    }

    async fn list(&self, account: AccountId, wanted: PageRequest) -> StoreResult<Page<Debt>> {
        let mine = |row: &&Debt| row.account == account;
        self.call(|tables, cx| {
            Ok(page(tables.debts.values(cx.tx).filter(mine).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }

    async fn list_all(&self, wanted: PageRequest) -> StoreResult<Page<Debt>> {
        self.call(|tables, cx| Ok(page(tables.debts.values(cx.tx).cloned(), wanted, |row| row.id.as_uuid()))).await
    }
}

#[async_trait]
impl OverageDueRepository for Repos {
    async fn note(&self, periods: &[(AccountId, DateTime<Utc>)], now: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.overage_dues.upsert(cx, periods.iter().map(|slot| (*slot, now)).collect(), |_, after| after)
        })
        .await
    }

    async fn list(&self, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>> {
        self.call(|tables, cx| Ok(span(tables.overage_dues.iter(cx.tx).map(|(slot, _)| *slot).collect(), skip, most)))
            .await
    }

    async fn settle(&self, account: AccountId, start: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| tables.overage_dues.delete(cx, &[(account, start)]).map(drop)).await
    }
}
