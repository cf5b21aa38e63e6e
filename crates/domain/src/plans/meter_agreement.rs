//! Quantities are stored in atoms and fees in nanos, so a meter's scale and kind and the currency of bills must
//! never change once they were used.
//!
//! The first start keeps them; a later start with others is refused before it can misread a single row.

use super::publishing::PlanService;
use super::{Catalogue, Meter, MeterKind};
use crate::error::{Error, Result};
use crate::money::Currency;
use crate::store::{Repositories, StoreError, retrying};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The option that keeps what was agreed on.
const OPTION: &str = "agreement";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Agreement {
    currency: Option<Currency>,
    meters: BTreeMap<String, AgreedMeter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AgreedMeter {
    scale: u8,
    kind: MeterKind,
}

impl From<&Meter> for AgreedMeter {
    fn from(meter: &Meter) -> Self {
        Self { scale: meter.scale, kind: meter.kind }
    }
}

impl Agreement {
    fn read(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text).map_err(unreadable)?)
    }

    fn write(&self) -> Result<String> {
        Ok(serde_json::to_string(self).map_err(unreadable)?)
    }

    /// With what is new in the catalogue; what is known and differs is a conflict.
    fn extended(&self, catalogue: &Catalogue) -> Result<Self> {
        let currency = catalogue.currency;
        if let Some(before) = self.currency.filter(|before| *before != currency) {
            let detail = format!("this database's amounts are in {before}; {currency} needs a database of its own");
            return Err(Error::conflict("currency_changed", detail));
        }
        let mut extended = Self { currency: Some(currency), ..self.clone() };
        for meter in catalogue.meters.values() {
            let now = AgreedMeter::from(meter);
            let before = extended.meters.insert(meter.code.to_string(), now.clone());
            if before.is_some_and(|before| before != now) {
                let code = &meter.code;
                let detail = format!("meter {code} was used with another scale or kind; give the new one another name");
                return Err(Error::conflict("meter_changed", detail));
            }
        }
        Ok(extended)
    }
}

fn unreadable(_: serde_json::Error) -> StoreError {
    StoreError::Corrupt { table: "options", column: "value" }
}

impl PlanService {
    /// Remembers the currency and new meters; a known one that changed is a conflict.
    pub(super) async fn agree_on_units(&self) -> Result<()> {
        if let Some(text) = self.store.options().find(OPTION).await? {
            let known = Agreement::read(&text)?;
            if known.extended(&self.catalogue)? == known {
                return Ok(());
            }
        }
        retrying!(self.store, self.extend_agreement())
    }

    /// Under the lock of its row, so that replicas that start together keep each other's meters.
    async fn extend_agreement(&self) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let text = work.options().lock(OPTION, &Agreement::default().write()?, now).await?;
        let extended = Agreement::read(&text)?.extended(&self.catalogue)?;
        work.options().set(OPTION, &extended.write()?, now).await?;
        Ok(work.commit().await?)
    }
}

/// The gauges there ever were: one that left the catalogue keeps its level, for the day it comes back.
pub async fn agreed_gauges(work: &dyn Repositories) -> Result<BTreeSet<String>> {
    let Some(text) = work.options().find(OPTION).await? else { return Ok(BTreeSet::new()) };
    let meters = Agreement::read(&text)?.meters.into_iter();
    Ok(meters.filter(|(_, agreed)| agreed.kind == MeterKind::Gauge).map(|(code, _)| code).collect())
}
