//! Webhook endpoints as customers keep them: making, changing, rotating secrets, trying, reading the log, replaying.

use super::delivery::{Delivery, DeliveryStatus, FailureReason};
use super::endpoint::{ClearSecret, EndpointState, MAX_ENDPOINTS_PER_ACCOUNT, WebhookEndpoint};
use super::lane::Lane;
use super::ports::{SecretVault, TargetCheck};
use super::steps::put_back;
use super::topic::{TEST_EVENT, Topics};
use crate::accounts::{AccountRef, Act, resolve};
use crate::actor::Actor;
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::id::{DeliveryId, LaneId, OutboxId, WebhookEndpointId};
use crate::outbox::Event;
use crate::page::{Page, PageRequest};
use crate::store::{Repositories, Store, UnitOfWork, retrying};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

const MISSING: Error = Error::NotFound("webhook endpoint");

/// What a customer wants to be told, and where.
#[derive(Clone, Debug, Default)]
pub struct WebhookWish {
    pub url: String,
    /// Every kind when left out.
    pub events: Option<Vec<String>>,
    pub account: AccountRef,
    pub description: Option<String>,
}

/// Fields of an endpoint to change.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    pub url: Option<String>,
    /// Clearing means every kind.
    pub events: Change<Vec<String>>,
    pub description: Change<String>,
    pub enabled: Option<bool>,
}

/// An endpoint and its new secret, shown this once.
#[derive(Clone, Debug)]
pub struct IssuedEndpoint {
    pub endpoint: WebhookEndpoint,
    pub secret: ClearSecret,
}

/// A page of an endpoint's deliveries.
#[derive(Clone, Debug)]
pub struct EndpointLog {
    pub page: Page<Delivery>,
    /// When the first that waits is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone)]
pub struct WebhookService {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub vault: Arc<dyn SecretVault>,
    pub targets: Arc<dyn TargetCheck>,
    /// Whether this server posts webhooks at all.
    pub enabled: bool,
}

impl WebhookService {
    pub async fn create(&self, actor: &Actor, wish: WebhookWish) -> Result<IssuedEndpoint> {
        require_manager(actor)?;
        self.require_enabled()?;
        let url = self.read_url(&wish.url)?;
        let topics = wish.events.map(Topics::read).transpose()?.unwrap_or_default();
        let description = wish.description.as_deref().map(WebhookEndpoint::read_description).transpose()?;
        let account = resolve(&*self.store, actor, &wish.account, Act::ManageWebhooks).await?;
        let now = self.clock.now();
        let id = WebhookEndpointId::new(now);
        let secret = self.vault.issue(id)?;
        let endpoint = WebhookEndpoint {
            account: account.id,
            id,
            url,
            description,
            topics,
            state: EndpointState::Enabled,
            secret: secret.sealed,
            old_secret: None,
            created_at: now,
            updated_at: now,
        };
        retrying!(self.store, self.insert(actor, &endpoint))?;
        Ok(IssuedEndpoint { endpoint, secret: secret.clear })
    }

    async fn insert(&self, actor: &Actor, endpoint: &WebhookEndpoint) -> Result<()> {
        let work = self.store.begin().await?;
        work.accounts().lock(endpoint.account).await?.ok_or(Error::NotFound("account"))?;
        if work.webhooks().count(endpoint.account).await? >= MAX_ENDPOINTS_PER_ACCOUNT {
            let detail = format!("An account has at most {MAX_ENDPOINTS_PER_ACCOUNT} webhook endpoints.");
            return Err(Error::conflict("conflict", detail));
        }
        work.webhooks().insert(endpoint).await?;
        work.lanes().open(&[Lane::of_endpoint(endpoint.account, endpoint.id)]).await?;
        note(&*work, actor, "webhook_endpoint.create", endpoint, endpoint.created_at).await?;
        Ok(work.commit().await?)
    }

    /// Newest first.
    pub async fn list(&self, actor: &Actor, which: &AccountRef, page: PageRequest) -> Result<Page<WebhookEndpoint>> {
        require_manager(actor)?;
        let account = resolve(&*self.store, actor, which, Act::ManageWebhooks).await?;
        Ok(self.store.webhooks().list(account.id, page).await?)
    }

    pub async fn get(&self, actor: &Actor, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        reach(&*self.store, actor, id).await
    }

    /// Changes an endpoint. What waits in its lane goes to the new URL; disabling ends it, to be replayed by hand.
    pub async fn update(&self, actor: &Actor, id: WebhookEndpointId, change: WebhookChange) -> Result<WebhookEndpoint> {
        let url = change.url.as_deref().map(|url| self.read_url(url)).transpose()?;
        let change = WebhookChange { url, ..change };
        retrying!(self.store, self.write(actor, id, change.clone()))
    }

    async fn write(&self, actor: &Actor, id: WebhookEndpointId, change: WebhookChange) -> Result<WebhookEndpoint> {
        let now = self.clock.now();
        let (work, before) = self.lock(actor, id).await?;
        let after = changed(before.clone(), change, now)?;
        work.webhooks().save(&after).await?;
        let lane = Lane::of_endpoint(after.account, after.id).id;
        if before.is_enabled() && !after.is_enabled() {
            work.deliveries().end_waiting(lane, DeliveryStatus::Dead, FailureReason::EndpointDisabled).await?;
        } else if after.is_enabled() && (!before.is_enabled() || before.url != after.url) {
            work.lanes().restart(lane, now).await?;
        }
        note(&*work, actor, "webhook_endpoint.update", &after, now).await?;
        work.commit().await?;
        Ok(after)
    }

    /// Deletes an endpoint; what waits for it is cancelled.
    pub async fn delete(&self, actor: &Actor, id: WebhookEndpointId) -> Result<()> {
        retrying!(self.store, self.remove(actor, id))
    }

    async fn remove(&self, actor: &Actor, id: WebhookEndpointId) -> Result<()> {
        let (work, endpoint) = self.lock(actor, id).await?;
        let lane = Lane::of_endpoint(endpoint.account, id).id;
        work.webhooks().delete(endpoint.account, id).await?;
        work.lanes().close(lane).await?;
        work.deliveries().end_waiting(lane, DeliveryStatus::Cancelled, FailureReason::EndpointDeleted).await?;
        note(&*work, actor, "webhook_endpoint.delete", &endpoint, self.clock.now()).await?;
        Ok(work.commit().await?)
    }

    /// Gives an endpoint a new secret; the old one signs beside it for a day.
    pub async fn rotate(&self, actor: &Actor, id: WebhookEndpointId) -> Result<IssuedEndpoint> {
        retrying!(self.store, self.renew(actor, id))
    }

    async fn renew(&self, actor: &Actor, id: WebhookEndpointId) -> Result<IssuedEndpoint> {
        self.require_enabled()?;
        let now = self.clock.now();
        let (work, endpoint) = self.lock(actor, id).await?;
        let secret = self.vault.issue(id)?;
        let endpoint = endpoint.rotated(secret.sealed, now);
        work.webhooks().save(&endpoint).await?;
        note(&*work, actor, "webhook_endpoint.rotate_secret", &endpoint, now).await?;
        work.commit().await?;
        Ok(IssuedEndpoint { endpoint, secret: secret.clear })
    }

    /// Sends the endpoint an event of kind `webhook_endpoint.test`, on the way that every event takes.
    pub async fn test(&self, actor: &Actor, id: WebhookEndpointId) -> Result<OutboxId> {
        retrying!(self.store, self.push_test(actor, id))
    }

    async fn push_test(&self, actor: &Actor, id: WebhookEndpointId) -> Result<OutboxId> {
        let now = self.clock.now();
        let (work, endpoint) = self.lock(actor, id).await?;
        if !endpoint.is_enabled() {
            return Err(Error::conflict("conflict", "The endpoint is disabled; enable it first."));
        }
        if work.deliveries().has_waiting(LaneId::from_uuid(id.as_uuid())).await? {
            return Err(Error::conflict("conflict", "Deliveries wait for this endpoint; see how they end first."));
        }
        let event = Event::new(endpoint.account, TEST_EVENT, json!({ "endpoint": id }), now);
        work.outbox().push(std::slice::from_ref(&event)).await?;
        work.commit().await?;
        Ok(event.id)
    }

    /// An endpoint's deliveries, latest events first.
    pub async fn deliveries(&self, actor: &Actor, id: WebhookEndpointId, page: PageRequest) -> Result<EndpointLog> {
        reach(&*self.store, actor, id).await?;
        let lane = LaneId::from_uuid(id.as_uuid());
        let page = self.store.deliveries().list(lane, page).await?;
        Ok(EndpointLog { page, next_attempt_at: self.store.lanes().due_at(lane).await? })
    }

    /// Sends a delivery again, whatever became of it; its `webhook-id` stays.
    pub async fn replay(&self, actor: &Actor, id: WebhookEndpointId, delivery: DeliveryId) -> Result<Delivery> {
        retrying!(self.store, self.send_again(actor, id, delivery))
    }

    async fn send_again(&self, actor: &Actor, id: WebhookEndpointId, delivery: DeliveryId) -> Result<Delivery> {
        let (work, endpoint) = self.lock(actor, id).await?;
        let found = work.deliveries().find(delivery).await?;
        let found = found.filter(|found| found.lane.as_uuid() == id.as_uuid()).ok_or(Error::NotFound("delivery"))?;
        let now = self.clock.now();
        let delivery = put_back(&*work, found, now).await?;
        note(&*work, actor, "webhook_endpoint.replay", &endpoint, now).await?;
        work.commit().await?;
        Ok(delivery)
    }

    /// Begins a unit of work with the endpoint as it is, under its account's lock.
    async fn lock(&self, actor: &Actor, id: WebhookEndpointId) -> Result<(Box<dyn UnitOfWork>, WebhookEndpoint)> {
        let work = self.store.begin().await?;
        let found = reach(&*work, actor, id).await?;
        work.accounts().lock(found.account).await?.ok_or(MISSING)?;
        let endpoint = work.webhooks().find(id).await?.ok_or(MISSING)?;
        Ok((work, endpoint))
    }

    /// Without webhooks a server may have no key, and no secret may be made.
    fn require_enabled(&self) -> Result<()> {
        if self.enabled { Ok(()) } else { Err(Error::conflict("conflict", "This server is set up without webhooks.")) }
    }

    fn read_url(&self, text: &str) -> Result<String> {
        self.targets.check(text).map_err(|reason| Error::invalid("url", reason))
    }
}

/// Endpoints carry an account's events out of the house: a person's business, or a host product's.
fn require_manager(actor: &Actor) -> Result<()> {
    if actor.key.is_none() || actor.is_service() {
        Ok(())
    } else {
        Err(Error::Forbidden("This needs a session or an API key with the scope service."))
    }
}

/// The endpoint, if the caller may use its account.
async fn reach(repositories: &dyn Repositories, actor: &Actor, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
    require_manager(actor)?;
    let endpoint = repositories.webhooks().find(id).await?.ok_or(MISSING)?;
    match resolve(repositories, actor, &AccountRef::Id(endpoint.account), Act::ManageWebhooks).await {
        Ok(_) => Ok(endpoint),
        Err(Error::NotFound(_)) => Err(MISSING),
        Err(error) => Err(error),
    }
}

fn changed(endpoint: WebhookEndpoint, change: WebhookChange, now: DateTime<Utc>) -> Result<WebhookEndpoint> {
    let topics = match change.events {
        Change::Keep => endpoint.topics,
        Change::Clear => Topics::all(),
        Change::Set(patterns) => Topics::read(patterns)?,
    };
    let state = match change.enabled {
        None => endpoint.state,
        Some(true) => EndpointState::Enabled,
        // Who disables what failed keeps the reason.
        Some(false) if endpoint.state == EndpointState::Failed => EndpointState::Failed,
        Some(false) => EndpointState::Disabled,
    };
    let description = change.description.try_map(|text| WebhookEndpoint::read_description(&text))?;
    Ok(WebhookEndpoint {
        url: change.url.unwrap_or(endpoint.url),
        topics,
        state,
        description: description.apply(endpoint.description),
        updated_at: now,
        ..endpoint
    })
}

async fn note(
    work: &dyn Repositories,
    actor: &Actor,
    action: &str,
    endpoint: &WebhookEndpoint,
    now: DateTime<Utc>,
) -> Result<()> {
    let event = AuditEvent::by(actor, action, endpoint.id, now).on_account(endpoint.account).with(described(endpoint));
    Ok(work.audit().append(&event).await?)
}

fn described(endpoint: &WebhookEndpoint) -> Value {
    json!({ "url": endpoint.url, "events": endpoint.topics.patterns(), "state": endpoint.state.as_str() })
}

#[cfg(test)]
#[path = "webhooks_tests.rs"]
mod tests;
