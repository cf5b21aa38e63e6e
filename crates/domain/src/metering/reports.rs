//! Reading usage: rows, sums and warnings of one account.

use super::service::MeteringService;
use super::summary::{GroupBy, SummaryFilter, SummaryRow};
use super::{UsageFilter, UsageRecord};
use crate::error::{Error, Result};
use crate::id::{AccountId, UserId};
use crate::page::{Page, PageRequest};
use crate::quota::{FiredWarning, WarningFilter};
use chrono::{DateTime, TimeDelta, Utc};

/// Longest range that is summed by the hour.
const MAX_HOURLY_RANGE: TimeDelta = TimeDelta::days(31);
/// Longest range that is summed otherwise.
const MAX_RANGE: TimeDelta = TimeDelta::days(366);
/// What is summed when no range is given.
const DEFAULT_RANGE: TimeDelta = TimeDelta::days(30);
/// Most rows of one summary.
const MAX_ROWS: u64 = 10_000;

impl MeteringService {
    pub async fn list_usage(
        &self,
        account: AccountId,
        filter: &UsageFilter,
        page: PageRequest,
    ) -> Result<Page<UsageRecord>> {
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from >= to
        {
            return Err(Error::invalid("to", "must be after `from`"));
        }
        Ok(self.store.usage().list(account, filter, page).await?)
    }

    /// Sums the use of one user, or of all, in `[from, to)`; both times have defaults: now, and 30 days before `to`.
    pub async fn summarise(
        &self,
        (account, user): (AccountId, Option<UserId>),
        group_by: GroupBy,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<Vec<SummaryRow>> {
        let to = to.unwrap_or_else(|| self.clock.now());
        let from = from.unwrap_or(to - DEFAULT_RANGE);
        let most = if group_by == GroupBy::Hour { MAX_HOURLY_RANGE } else { MAX_RANGE };
        if from >= to {
            return Err(Error::invalid("to", "must be after `from`"));
        }
        if to - from > most {
            return Err(Error::invalid("from", format!("lies more than {} days before `to`", most.num_days())));
        }
        let filter = SummaryFilter { account, user, group_by, from, to, zone: self.catalogue.zone };
        let rows = self.store.usage().summarise(&filter, MAX_ROWS + 1).await?;
        if rows.len() as u64 > MAX_ROWS {
            return Err(Error::invalid("from", format!("gives more than {MAX_ROWS} sums; ask for a shorter range")));
        }
        Ok(rows)
    }

    pub async fn list_warnings(
        &self,
        account: AccountId,
        filter: &WarningFilter,
        page: PageRequest,
    ) -> Result<Page<FiredWarning>> {
        Ok(self.store.warnings().list(account, filter, page).await?)
    }
}
