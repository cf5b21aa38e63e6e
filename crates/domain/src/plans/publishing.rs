//! Publishing the catalogue: each plan's content becomes an immutable version, once, whoever starts first.

use super::plan::content_hash;
use super::{Catalogue, Plan, PlanVersion};
use crate::actor::Actor;
use crate::error::Result;
use crate::id::PlanVersionId;
use crate::store::{Repositories, Retry, Store, StoreError};
use crate::time::Clock;
use std::sync::Arc;

/// What is on sale, and what ever was.
#[derive(Clone)]
pub struct PlanService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
}

impl PlanService {
    /// Stores a version of each plan whose content is new; answers the versions on sale, by plan.
    ///
    /// Called at every start. Replicas that start together find each other's versions on their retry.
    pub async fn publish(&self) -> Result<Vec<Arc<PlanVersion>>> {
        self.agree_on_units().await?;
        let mut on_sale = Vec::with_capacity(self.catalogue.plans.len());
        for plan in self.catalogue.plans.values() {
            let mut retry = Retry::new(&*self.store);
            let version = loop {
                match self.publish_plan(plan).await {
                    Err(error) if retry.again(&error).await => {}
                    answer => break answer?,
                }
            };
            on_sale.push(version);
        }
        Ok(on_sale)
    }

    async fn publish_plan(&self, plan: &Plan) -> Result<Arc<PlanVersion>> {
        let unwritable = StoreError::Corrupt { table: "plan_versions", column: "content" };
        let content_hash = content_hash(&plan.canonical_json().map_err(|_| unwritable)?);
        if let Some(version) = self.store.plans().find_by_content(&plan.code, &content_hash).await? {
            return Ok(version);
        }
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if let Some(version) = work.plans().find_by_content(&plan.code, &content_hash).await? {
            return Ok(version);
        }
        let number = next_number(&*work, plan).await?;
        let id = PlanVersionId::new(now);
        let version = PlanVersion { id, plan: plan.clone(), number, content_hash, created_at: now };
        work.plans().insert(&version).await?;
        work.commit().await?;
        Ok(Arc::new(version))
    }

    /// For operators: every version of every plan, by plan and number.
    pub async fn versions(&self, actor: &Actor) -> Result<Vec<Arc<PlanVersion>>> {
        actor.require_admin()?;
        Ok(self.store.plans().list().await?)
    }
}

async fn next_number(work: &dyn Repositories, plan: &Plan) -> Result<i32> {
    let latest = work.plans().latest(&plan.code).await?;
    Ok(latest.map_or(1, |version| version.number.saturating_add(1)))
}
