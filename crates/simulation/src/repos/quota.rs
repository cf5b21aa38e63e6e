//! Counters, grants and warnings.

use super::{Repos, page};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, GrantId};
use domain::page::{Page, PageRequest};
use domain::quota::{
    Counter, CounterRepository, FiredWarning, Grant, GrantRepository, WarningFilter, WarningRepository,
};
use domain::store::StoreResult;
use uuid::Uuid;

/// The row of a counter.
pub fn counter_row(counter: &Counter) -> ((AccountId, DateTime<Utc>, Uuid, String), Counter) {
    let subject = counter.subject.id(counter.account);
    ((counter.account, counter.period.start, subject, counter.meter.to_string()), counter.clone())
}

#[async_trait]
impl CounterRepository for Repos {
    async fn load(&self, slots: &[(AccountId, DateTime<Utc>)]) -> StoreResult<Vec<Counter>> {
        self.call(|tables, cx| {
            let of = |(account, start): &(AccountId, DateTime<Utc>)| {
                let (first, last) = (Uuid::nil(), Uuid::max());
                let from = (*account, *start, first, String::new());
                let rows = tables.counters.range(cx.tx, from..=(*account, *start, last, "\u{10ffff}".to_owned()));
                rows.map(|(_, counter)| counter.clone()).collect::<Vec<_>>()
            };
            Ok(slots.iter().flat_map(of).collect())
        })
        .await
    }

    async fn load_ending_at(&self, account: AccountId, end: DateTime<Utc>) -> StoreResult<Vec<Counter>> {
        let fits = |counter: &&Counter| counter.account == account && counter.period.end == end;
        self.call(|tables, cx| Ok(tables.counters.values(cx.tx).filter(fits).cloned().collect())).await
    }

    async fn put(&self, counters: &[Counter], _now: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| tables.counters.upsert(cx, counters.iter().map(counter_row).collect(), |_, after| after))
            .await
    }
}

#[async_trait]
impl GrantRepository for Repos {
    async fn load_live(&self, accounts: &[AccountId], now: DateTime<Utc>) -> StoreResult<Vec<Grant>> {
        self.call(|tables, cx| {
            let rows = tables.grants.values(cx.tx);
            let live = rows.filter(|grant| accounts.contains(&grant.account) && grant.is_live(now));
            let mut live: Vec<_> = live.cloned().collect();
            live.sort_by(Grant::drawing_order);
            Ok(live)
        })
        .await
    }

    async fn find_many(&self, ids: &[(AccountId, GrantId)]) -> StoreResult<Vec<Grant>> {
        self.call(|tables, cx| Ok(ids.iter().filter_map(|id| tables.grants.get(cx.tx, id).cloned()).collect())).await
    }

    async fn find(&self, account: AccountId, id: GrantId) -> StoreResult<Option<Grant>> {
        self.call(|tables, cx| Ok(tables.grants.get(cx.tx, &(account, id)).cloned())).await
    }

    async fn insert(&self, grant: &Grant) -> StoreResult<()> {
        self.call(|tables, cx| tables.grants.insert(cx, vec![((grant.account, grant.id), grant.clone())])).await
    }

    async fn save(&self, grants: &[Grant], _now: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| {
            let rows = grants.iter().map(|grant| ((grant.account, grant.id), grant.clone())).collect();
            tables.grants.upsert(cx, rows, |before, after| Grant {
                remaining: after.remaining,
                held: after.held,
                revoked: after.revoked,
                revoked_at: after.revoked_at,
                ..before.clone()
            })
        })
        .await
    }

    async fn list(&self, account: AccountId, wanted: PageRequest) -> StoreResult<Page<Grant>> {
        self.call(|tables, cx| {
            let rows = tables.grants.values(cx.tx).filter(|grant| grant.account == account).cloned();
            Ok(page(rows, wanted, |grant| grant.id.as_uuid()))
        })
        .await
    }
}

#[async_trait]
impl WarningRepository for Repos {
    async fn insert(&self, warnings: &[FiredWarning]) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.warnings.insert(cx, warnings.iter().map(|warning| (warning.id, warning.clone())).collect())
        })
        .await
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &WarningFilter,
        wanted: PageRequest,
    ) -> StoreResult<Page<FiredWarning>> {
        let fits = |warning: &&FiredWarning| {
            warning.account == account
                && filter.meter.as_ref().is_none_or(|meter| warning.meter == *meter)
                && filter.member.is_none_or(|member| warning.member().is_none_or(|user| user == member))
        };
        self.call(|tables, cx| {
            Ok(page(tables.warnings.values(cx.tx).filter(fits).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }
}
