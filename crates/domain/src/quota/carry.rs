//! Carrying gauges over: when periods open, the level of each gauge goes into every one of them.

use super::{Counter, Grant, Subject};
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::plans::{self, Allowance, Catalogue, MeterCode, MeterKind, OnExhausted, OpenedPeriod, PeriodHook};
use crate::quantity::Quantity;
use crate::store::{Repositories, StoreError};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Opens the gauges of new periods. Counters start at zero and need no row until they are used.
pub struct GaugeCarry {
    pub catalogue: Arc<Catalogue>,
}

impl GaugeCarry {
    /// Keeps the gauges that have a level.
    async fn gauges(&self, work: &dyn Repositories, mut counters: Vec<Counter>) -> Result<Vec<Counter>> {
        counters.retain(|counter| counter.used.is_positive());
        let meters = &self.catalogue.meters;
        let all_known = counters.iter().all(|counter| meters.contains_key(&counter.meter));
        let former = if all_known { BTreeSet::new() } else { plans::agreed_gauges(work).await? };
        counters.retain(|counter| match meters.get(&counter.meter) {
            Some(meter) => meter.kind == MeterKind::Gauge,
            None => former.contains(counter.meter.as_str()),
        });
        Ok(counters)
    }
}

/// The pool's gauges that had a level when a period began, as the period before left them.
pub async fn levels_at(
    repositories: &dyn Repositories,
    catalogue: &Arc<Catalogue>,
    account: AccountId,
    start: DateTime<Utc>,
) -> Result<Vec<Counter>> {
    let mut ended = repositories.counters().load_ending_at(account, start).await?;
    ended.retain(|counter| counter.subject == Subject::Account);
    GaugeCarry { catalogue: catalogue.clone() }.gauges(repositories, ended).await
}

/// A level as the period opens with it; `grants` are all that the account ever had.
pub async fn opened_with(
    repositories: &dyn Repositories,
    level: Counter,
    grants: &[Grant],
    opened: &OpenedPeriod,
) -> Result<Counter> {
    let start = opened.period.start;
    let then: Vec<Grant> = grants.iter().map(|grant| grant.before_revoked(start)).collect();
    let carried = carry(repositories, vec![level], &then, std::slice::from_ref(opened)).await?.pop();
    Ok(carried.ok_or(StoreError::Corrupt { table: "quota_counters", column: "subject_id" })?)
}

#[async_trait]
impl PeriodHook for GaugeCarry {
    async fn opened(
        &self,
        work: &dyn Repositories,
        account: AccountId,
        opened: &[OpenedPeriod],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(first) = opened.first() else { return Ok(()) };
        let ended = work.counters().load_ending_at(account, first.period.start).await?;
        let levels = self.gauges(work, ended).await?;
        if levels.is_empty() {
            return Ok(());
        }
        let grants = work.grants().load_live(&[account], first.period.start).await?;
        let carried = carry(work, levels, &grants, opened).await?;
        Ok(work.counters().put(&carried, now).await?)
    }
}

async fn carry(
    work: &dyn Repositories,
    levels: Vec<Counter>,
    grants: &[Grant],
    opened: &[OpenedPeriod],
) -> Result<Vec<Counter>> {
    let mut ids: Vec<_> = opened.iter().map(|period| period.version).collect();
    ids.sort_unstable();
    ids.dedup();
    let versions = work.plans().find_versions(&ids).await?;
    let mut carried = Vec::new();
    for mut level in levels {
        for period in opened {
            if let Subject::Member(_) = level.subject {
                level = level.share_carried_into(period.period);
                carried.push(level.clone());
                continue;
            }
            let version = versions.iter().find(|version| version.id == period.version);
            let version = version.ok_or(StoreError::Corrupt { table: "quota_periods", column: "plan_version_id" })?;
            let terms = version.plan.terms(&level.meter);
            let limit = terms.map_or(Allowance::Limited(Quantity::ZERO), |terms| terms.allowance(period.seats));
            let exhausted = terms.map_or(&OnExhausted::Refuse, |terms| &terms.on_exhausted);
            let limit = with_grants(limit, grants, &level.meter, period.period.start);
            let next = level.carried_into(period.period, limit, exhausted);
            level = next.map_err(|_| Error::invalid("period", "the overage fee is too large"))?;
            carried.push(level.clone());
        }
    }
    Ok(carried)
}

/// The allowance with what the grants add that are live when the period starts.
fn with_grants(limit: Allowance, grants: &[Grant], meter: &MeterCode, start: DateTime<Utc>) -> Allowance {
    let Allowance::Limited(limit) = limit else { return limit };
    let live = grants.iter().filter(|grant| grant.meter == *meter && grant.created_at <= start && grant.is_live(start));
    Allowance::Limited(live.fold(limit, |sum, grant| sum.saturating_add(grant.remaining)))
}

#[cfg(test)]
#[path = "carry_tests.rs"]
mod tests;
