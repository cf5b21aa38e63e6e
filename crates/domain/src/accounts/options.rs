//! Use cases of options: reading them, changing them, and following what another replica changed.

use crate::actor::{Actor, Role};
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::site_options::{LiveOptions, NOTHING_CHANGED, ROW, SiteOptions};
use crate::store::{Store, retrying};
use crate::time::Clock;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone)]
pub struct OptionService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub live: Arc<LiveOptions>,
}

impl OptionService {
    /// The options as they are stored, for operators.
    pub async fn view(&self, actor: &Actor) -> Result<SiteOptions> {
        actor.require_admin()?;
        self.stored().await
    }

    /// Changes some options for good. They hold in this process at once, and in all others a few seconds later.
    pub async fn change(&self, actor: &Actor, wishes: &BTreeMap<String, Value>) -> Result<SiteOptions> {
        actor.require_admin()?;
        if actor.role < Role::Root {
            return Err(Error::Forbidden("Only a root may change options."));
        }
        let after = retrying!(self.store, self.write(actor, wishes))?;
        self.live.replace(after.clone());
        Ok(after)
    }

    async fn write(&self, actor: &Actor, wishes: &BTreeMap<String, Value>) -> Result<SiteOptions> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let before = SiteOptions::from_row(&work.options().lock(ROW, NOTHING_CHANGED, now).await?);
        let after = before.changed(wishes)?;
        if after == before {
            return Ok(after);
        }
        work.options().set(ROW, &after.to_row(), now).await?;
        let event = AuditEvent::by(actor, "options.change", "options", now).with(before.differences(&after));
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(after)
    }

    /// Follows what is stored; whether anything changed.
    pub async fn follow(&self) -> Result<bool> {
        let stored = self.stored().await?;
        Ok(self.live.replace(stored))
    }

    async fn stored(&self) -> Result<SiteOptions> {
        let row = self.store.options().find(ROW).await?;
        Ok(row.map_or_else(SiteOptions::default, |text| SiteOptions::from_row(&text)))
    }
}
