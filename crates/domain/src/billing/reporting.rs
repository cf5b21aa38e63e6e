//! Use cases of reports, for operators. The month that goes on is as it is while it is read.

use super::report::{self, Cell, OverageRow, ReceivablesRow, RefundsRow, RevenueRow};
use super::{BillingService, Months};
use crate::actor::Actor;
use crate::error::Result;
use std::collections::BTreeMap;

impl BillingService {
    /// Months to report on, in the billing time zone.
    pub fn months(&self, from: Option<&str>, to: Option<&str>) -> Result<Months> {
        Months::read(from, to, self.clock.now(), self.catalogue.zone)
    }

    pub async fn revenue(&self, actor: &Actor, months: &Months) -> Result<BTreeMap<Cell, RevenueRow>> {
        actor.require_admin()?;
        let issued = self.store.reports().issued(months).await?;
        Ok(report::revenue(&issued, &self.store.reports().earned(months).await?))
    }

    /// By month, currency and meter.
    pub async fn overage(&self, actor: &Actor, months: &Months) -> Result<Vec<OverageRow>> {
        actor.require_admin()?;
        let mut rows = self.store.reports().overage(months).await?;
        rows.sort_by(|one, other| (one.cell, &one.meter).cmp(&(other.cell, &other.meter)));
        Ok(rows)
    }

    pub async fn receivables(&self, actor: &Actor, months: &Months) -> Result<BTreeMap<Cell, ReceivablesRow>> {
        actor.require_admin()?;
        Ok(report::receivables(&self.store.reports().owed(months).await?, months.len()))
    }

    pub async fn refunds(&self, actor: &Actor, months: &Months) -> Result<BTreeMap<Cell, RefundsRow>> {
        actor.require_admin()?;
        Ok(report::refunds(&self.store.reports().returned(months).await?))
    }
}
