//! Quantities are stored in atoms, so a meter's scale and kind must never change once they were used.
//!
//! The first start keeps them; a later start with others is refused before it can misread a single row.

use super::publishing::PlanService;
use super::{Meter, MeterKind};
use crate::error::{Error, Result};
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The option that keeps what was agreed on.
const OPTION: &str = "meters";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Agreed {
    scale: u8,
    kind: MeterKind,
}

impl From<&Meter> for Agreed {
    fn from(meter: &Meter) -> Self {
        Self { scale: meter.scale, kind: meter.kind }
    }
}

impl PlanService {
    /// Remembers new meters; a known one with another scale or kind is a conflict.
    pub(super) async fn agree_on_meters(&self) -> Result<()> {
        let stored = self.store.options().find(OPTION).await?;
        let unreadable = |_| StoreError::Corrupt { table: "options", column: "value" };
        let known: BTreeMap<String, Agreed> =
            stored.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?.unwrap_or_default();
        let mut agreed = known.clone();
        for meter in self.catalogue.meters.values() {
            let now = Agreed::from(meter);
            let before = agreed.insert(meter.code.to_string(), now.clone());
            if before.is_some_and(|before| before != now) {
                let code = &meter.code;
                let detail = format!("meter {code} was used with another scale or kind; give the new one another name");
                return Err(Error::conflict("meter_changed", detail));
            }
        }
        if agreed == known {
            return Ok(());
        }
        let text = serde_json::to_string(&agreed).map_err(unreadable)?;
        let work = self.store.begin().await?;
        work.options().set(OPTION, &text, self.clock.now()).await?;
        Ok(work.commit().await?)
    }
}
