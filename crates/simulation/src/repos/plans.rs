//! Plan versions, subscriptions and their periods.

use super::{Repos, span};
use crate::db::Closed;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, PlanVersionId};
use domain::plans::{OpenedPeriod, PlanCode, PlanRepository, PlanVersion, Subscription, SubscriptionRepository};
use domain::store::StoreResult;
use std::sync::Arc;

#[async_trait]
impl PlanRepository for Repos {
    async fn find_versions(&self, ids: &[PlanVersionId]) -> StoreResult<Vec<Arc<PlanVersion>>> {
        self.call(|tables, cx| Ok(ids.iter().filter_map(|id| tables.plans.get(cx.tx, id).cloned()).collect())).await
    }

    async fn latest(&self, plan: &PlanCode) -> StoreResult<Option<Arc<PlanVersion>>> {
        self.call(|tables, cx| {
            let versions = tables.plans.values(cx.tx).filter(|version| version.plan.code == *plan);
            Ok(versions.max_by_key(|version| version.number).cloned())
        })
        .await
    }

    async fn find_by_content(&self, plan: &PlanCode, content_hash: &str) -> StoreResult<Option<Arc<PlanVersion>>> {
        let same = |version: &&Arc<PlanVersion>| version.plan.code == *plan && version.content_hash == content_hash;
        self.call(|tables, cx| Ok(tables.plans.values(cx.tx).find(same).cloned())).await
    }

    async fn insert(&self, version: &PlanVersion) -> StoreResult<()> {
        self.call(|tables, cx| tables.plans.insert(cx, vec![(version.id, Arc::new(version.clone()))])).await
    }

    async fn list(&self) -> StoreResult<Vec<Arc<PlanVersion>>> {
        self.call(|tables, cx| {
            let mut versions: Vec<_> = tables.plans.values(cx.tx).cloned().collect();
            versions.sort_by(|a, b| (&a.plan.code, a.number).cmp(&(&b.plan.code, b.number)));
            Ok(versions)
        })
        .await
    }
}

#[async_trait]
impl SubscriptionRepository for Repos {
    async fn find(&self, account: AccountId) -> StoreResult<Option<Subscription>> {
        self.call(|tables, cx| Ok(tables.subscriptions.get(cx.tx, &account).cloned())).await
    }

    async fn insert(&self, subscription: &Subscription) -> StoreResult<()> {
        self.call(|tables, cx| tables.subscriptions.insert(cx, vec![(subscription.account, subscription.clone())]))
            .await
    }

    async fn save(&self, subscription: &Subscription) -> StoreResult<()> {
        let after = |_: &Subscription| Some(subscription.clone());
        self.call(|tables, cx| tables.subscriptions.update(cx, &subscription.account, after).map(drop)).await
    }

    async fn put_periods(&self, account: AccountId, periods: &[OpenedPeriod]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let rows = periods
                .iter()
                .map(|opened| ((account, opened.period.start), Closed { opened: opened.clone(), at: None }));
            tables.periods.upsert(cx, rows.collect(), |before, after| {
                let opened = OpenedPeriod { period: before.opened.period, ..after.opened };
                Closed { opened, at: before.at }
            })
        })
        .await
    }

    async fn find_period_at(&self, account: AccountId, time: DateTime<Utc>) -> StoreResult<Option<OpenedPeriod>> {
        self.call(|tables, cx| {
            let mut earlier = tables.periods.range(cx.tx, (account, DateTime::<Utc>::MIN_UTC)..=(account, time)).rev();
            Ok(earlier.find(|(_, row)| time < row.opened.period.end).map(|(_, row)| row.opened.clone()))
        })
        .await
    }

    async fn periods_since(
        &self,
        accounts: &[AccountId],
        time: DateTime<Utc>,
    ) -> StoreResult<Vec<(AccountId, OpenedPeriod)>> {
        self.call(|tables, cx| {
            let rows = tables.periods.iter(cx.tx);
            let wanted = rows.filter(|((account, _), row)| accounts.contains(account) && row.opened.period.end > time);
            Ok(wanted.map(|((account, _), row)| (*account, row.opened.clone())).collect())
        })
        .await
    }

    async fn oldest_open_period(&self) -> StoreResult<Option<DateTime<Utc>>> {
        self.call(|tables, cx| {
            Ok(tables.periods.values(cx.tx).filter(|row| row.at.is_none()).map(|row| row.opened.period.start).min())
        })
        .await
    }

    async fn due(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<AccountId>> {
        self.call(|tables, cx| {
            let due = tables.subscriptions.values(cx.tx).filter(|row| row.period.end <= now);
            let mut due: Vec<_> = due.map(|row| (row.period.end, row.account)).collect();
            due.sort_unstable();
            Ok(span(due, skip, most).into_iter().map(|(_, account)| account).collect())
        })
        .await
    }
}
