//! Usage, its keys and sums; reservations and debts.

use super::quota::counter_row;
use super::{Repos, page, span};
use crate::db::hash;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, UsageId};
use domain::metering::{
    Booked, RollupSums, Standing, StandingRepository, SummaryFilter, SummaryRow, UsageFilter, UsageRecord,
    UsageRepository, UsedKey,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;

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
