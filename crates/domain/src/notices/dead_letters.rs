//! Dead letters, for operators: what was given up, and trying it again.

use super::delivery::Delivery;
use super::steps::put_back;
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::error::{Error, Result};
use crate::id::DeliveryId;
use crate::page::{Page, PageRequest};
use crate::store::{Store, retrying};
use crate::time::Clock;
use std::sync::Arc;

#[derive(Clone)]
pub struct DeadLetterService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
}

impl DeadLetterService {
    /// Newest first, of all accounts.
    pub async fn list(&self, actor: &Actor, page: PageRequest) -> Result<Page<Delivery>> {
        actor.require_admin()?;
        Ok(self.store.deliveries().list_dead(page).await?)
    }

    /// Puts a delivery back into its lane, with all attempts before it.
    pub async fn replay(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery> {
        actor.require_admin()?;
        retrying!(self.store, self.send_again(actor, id))
    }

    async fn send_again(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let found = work.deliveries().find(id).await?.ok_or(Error::NotFound("delivery"))?;
        work.accounts().lock(found.account).await?.ok_or(Error::NotFound("delivery"))?;
        let found = work.deliveries().find(id).await?.ok_or(Error::NotFound("delivery"))?;
        let delivery = put_back(&*work, found, now).await?;
        let event = AuditEvent::by(actor, "delivery.replay", id, now).on_account(delivery.account);
        work.audit().append(&event).await?;
        work.commit().await?;
        Ok(delivery)
    }
}
