//! Taking deliveries outside: claim lanes, deliver each lane's first events in order, note what became of them.

use super::delivery::{Delivery, DeliveryStatus, FailureReason, Outcome};
use super::endpoint::WebhookEndpoint;
use super::lane::{Lane, LaneKind};
use super::letter::{Locale, letter};
use super::ports::{Mail, Mailer, WebhookMessage, WebhookSender};
use super::topic::DISABLED_EVENT;
use crate::error::Result;
use crate::id::{LaneId, OutboxId, uuid_v7};
use crate::identity::SecretSource;
use crate::outbox::{Event, StoredEvent};
use crate::store::{Repositories, Store, retrying};
use crate::time::Clock;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// How long a claimed lane is ours. Longer than a turn and its last attempt can take.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// After so long a turn begins no further attempt.
const TURN: TimeDelta = TimeDelta::seconds(20);
/// Most webhooks of one turn: as many are repeated at worst when the process dies within it.
const WEBHOOKS_PER_TURN: u32 = 16;
/// Mails are noted one by one, because nobody can tell a repeated mail.
const MAILS_PER_TURN: u32 = 1;

/// How many lanes may be claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub healthy: u32,
    /// Lanes whose last attempt failed have less room, so that those who hang keep nobody waiting.
    pub failing: u32,
}

/// A lane that is ours for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub lane: Lane,
    pub token: Uuid,
}

/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub delivered: u32,
    pub failed: u32,
}

pub struct Courier {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub webhooks: Arc<dyn WebhookSender>,
    pub mailer: Arc<dyn Mailer>,
    pub random: Arc<dyn SecretSource>,
    /// The language of those who chose none.
    pub locale: Locale,
    /// Days in letters are those of this zone.
    pub zone: Tz,
}

/// Who stands at the end of a lane.
enum Receiver {
    Endpoint(Box<WebhookEndpoint>),
    Mailbox {
        address: String,
        locale: Locale,
    },
    /// Nobody: what waits ends so.
    None(DeliveryStatus, FailureReason),
}

/// What a turn found out.
struct Turn {
    claimed: Claimed,
    done: Vec<Delivery>,
    /// The lane after the turn.
    lane: Lane,
    /// The last outcome, if there was an attempt.
    last: Option<Outcome>,
}

impl Courier {
    /// Claims lanes that are due; the reading before the claim keeps idle replicas from writing.
    pub async fn claim(&self, room: Room) -> Result<Vec<Claimed>> {
        let now = self.clock.now();
        let mut due = Vec::new();
        for (failing, limit) in [(false, room.healthy), (true, room.failing)] {
            if limit > 0 {
                due.extend(self.store.lanes().due(now, failing, limit).await?);
            }
        }
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let token = uuid_v7(now);
        let lanes = retrying!(self.store, self.lease(&due, token, now))?;
        Ok(lanes.into_iter().map(|lane| Claimed { lane, token }).collect())
    }

    async fn lease(&self, due: &[LaneId], token: Uuid, now: DateTime<Utc>) -> Result<Vec<Lane>> {
        let work = self.store.begin().await?;
        let lanes = work.lanes().claim(due, token, now, now + LEASE).await?;
        work.commit().await?;
        Ok(lanes)
    }

    /// Delivers what waits first in a claimed lane, until one fails or the turn is over, and releases the lane.
    pub async fn serve(&self, claimed: Claimed) -> Result<Served> {
        let most = match claimed.lane.kind {
            LaneKind::Webhook => WEBHOOKS_PER_TURN,
            LaneKind::Mail => MAILS_PER_TURN,
        };
        let waiting = self.store.deliveries().waiting(claimed.lane.id, most).await?;
        let turn = match self.receiver(&claimed.lane).await? {
            Receiver::None(status, why) => return self.dismiss(&claimed, status, why).await,
            receiver => self.attempt_all(claimed, &receiver, waiting).await?,
        };
        let delivered = turn.done.iter().filter(|delivery| delivery.status == DeliveryStatus::Delivered).count();
        let served = Served {
            delivered: u32::try_from(delivered).unwrap_or(u32::MAX),
            failed: u32::try_from(turn.done.len() - delivered).unwrap_or(u32::MAX),
        };
        retrying!(self.store, self.settle(&turn))?;
        Ok(served)
    }

    async fn receiver(&self, lane: &Lane) -> Result<Receiver> {
        match lane.kind {
            LaneKind::Webhook => Ok(match self.store.webhooks().find(lane.endpoint()).await? {
                Some(endpoint) if endpoint.is_enabled() => Receiver::Endpoint(Box::new(endpoint)),
                Some(_) => Receiver::None(DeliveryStatus::Dead, FailureReason::EndpointDisabled),
                None => Receiver::None(DeliveryStatus::Cancelled, FailureReason::EndpointDeleted),
            }),
            LaneKind::Mail => self.mailbox(lane).await,
        }
    }

    /// The owner's address and language.
    async fn mailbox(&self, lane: &Lane) -> Result<Receiver> {
        let account = self.store.accounts().find(lane.account).await?;
        let owner = match account {
            Some(account) => self.store.users().find(account.owner).await?,
            None => None,
        };
        let owner = owner.filter(crate::identity::User::may_act);
        let Some((owner, email)) = owner.and_then(|owner| owner.email.clone().map(|email| (owner, email))) else {
            return Ok(Receiver::None(DeliveryStatus::Cancelled, FailureReason::NoRecipient));
        };
        let chosen = owner.profile.settings.get("locale").and_then(|locale| locale.as_str());
        let locale = chosen.and_then(Locale::parse).unwrap_or(self.locale);
        Ok(Receiver::Mailbox { address: email.as_str().to_owned(), locale })
    }

    async fn attempt_all(&self, claimed: Claimed, receiver: &Receiver, waiting: Vec<Delivery>) -> Result<Turn> {
        let ids: Vec<OutboxId> = waiting.iter().map(|delivery| delivery.event).collect();
        let events = self.store.outbox().find(&ids).await?;
        let mut events: HashMap<OutboxId, StoredEvent> = events.into_iter().map(|event| (event.id, event)).collect();
        let begun = self.clock.now();
        let mut turn = Turn { lane: claimed.lane.clone(), claimed, done: Vec::new(), last: None };
        for delivery in waiting {
            let outcome = match events.remove(&delivery.event) {
                Some(event) => self.attempt(receiver, &event).await,
                None => Outcome::Needless(FailureReason::EventExpired),
            };
            let now = self.clock.now();
            turn.done.push(delivery.attempted(outcome, now));
            turn.last = Some(outcome);
            turn.lane = match outcome {
                Outcome::Accepted(_) => turn.lane.succeeded(),
                Outcome::Failed(..) => turn.lane.failed(now),
                Outcome::Hopeless(_) | Outcome::Needless(_) => turn.lane,
            };
            if outcome.is_failure() || now - begun >= TURN {
                break;
            }
        }
        Ok(turn)
    }

    async fn attempt(&self, receiver: &Receiver, event: &StoredEvent) -> Outcome {
        match receiver {
            Receiver::Endpoint(endpoint) => self.webhooks.send(&message(endpoint, event, self.clock.now())).await,
            Receiver::Mailbox { address, locale } => match letter(event, *locale, self.zone) {
                Some(letter) => {
                    let mail = Mail { id: event.id.to_string(), to: address.clone(), letter };
                    self.mailer.send(&mail).await
                }
                None => Outcome::Needless(FailureReason::NoRecipient),
            },
            Receiver::None(_, why) => Outcome::Needless(*why),
        }
    }

    /// Notes what became of the deliveries and when the lane is due next. Who lost the lease notes nothing: another
    /// tries the same deliveries again.
    async fn settle(&self, turn: &Turn) -> Result<()> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        let stopped = is_stopped(turn, now);
        if stopped {
            // First of all locks, as everywhere.
            work.accounts().lock(turn.lane.account).await?;
        }
        let due_at = turn.lane.due_at(now, self.jitter()?);
        if !work.lanes().release(&turn.lane, turn.claimed.token, due_at).await? {
            tracing::warn!(lane = %turn.lane.id, "the lease ran out during a turn; its deliveries are repeated");
            return Ok(());
        }
        work.deliveries().save(&turn.done).await?;
        if stopped {
            self.stop(&*work, turn, now).await?;
        }
        if !work.deliveries().has_waiting(turn.lane.id).await? {
            work.lanes().rest(turn.lane.id).await?;
        }
        Ok(work.commit().await?)
    }

    /// Disables the endpoint, ends what waits and tells the customer.
    async fn stop(&self, work: &dyn Repositories, turn: &Turn, now: DateTime<Utc>) -> Result<()> {
        let found = work.webhooks().find(turn.lane.endpoint()).await?;
        let Some(endpoint) = found.filter(WebhookEndpoint::is_enabled) else { return Ok(()) };
        let payload = json!({
            "endpoint": endpoint.id,
            "url": endpoint.url,
            "failing_since": turn.lane.failing_since,
            "reason": turn.done.last().and_then(|delivery| delivery.failure).map(FailureReason::as_str),
            "response_code": turn.done.last().and_then(|delivery| delivery.response_code),
        });
        let account = endpoint.account;
        work.webhooks().save(&endpoint.failed(now)).await?;
        work.deliveries().end_waiting(turn.lane.id, DeliveryStatus::Dead, FailureReason::EndpointDisabled).await?;
        Ok(work.outbox().push(&[Event::new(account, DISABLED_EVENT, payload, now)]).await?)
    }

    /// Ends what waits in a lane at whose end is nobody.
    async fn dismiss(&self, claimed: &Claimed, status: DeliveryStatus, why: FailureReason) -> Result<Served> {
        let now = self.clock.now();
        let work = self.store.begin().await?;
        if work.lanes().release(&claimed.lane, claimed.token, now).await? {
            work.deliveries().end_waiting(claimed.lane.id, status, why).await?;
            work.lanes().rest(claimed.lane.id).await?;
            work.commit().await?;
        }
        Ok(Served::default())
    }

    fn jitter(&self) -> Result<u16> {
        let random = self.random.random()?;
        Ok(u16::from_be_bytes([random[0], random[1]]))
    }
}

fn is_stopped(turn: &Turn, now: DateTime<Utc>) -> bool {
    let failed = turn.last.is_some_and(|outcome| outcome.is_failure());
    let gone = turn.last.is_some_and(|outcome| outcome.is_gone());
    turn.lane.kind == LaneKind::Webhook && failed && (gone || turn.lane.failed_too_long(now))
}

/// The same bytes on every attempt.
fn message(endpoint: &WebhookEndpoint, event: &StoredEvent, now: DateTime<Utc>) -> WebhookMessage {
    let body = json!({
        "id": event.id,
        "type": event.kind,
        "timestamp": event.created_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "account": event.account,
        "data": event.payload,
    });
    WebhookMessage {
        endpoint: endpoint.id,
        url: endpoint.url.clone(),
        id: event.id.to_string(),
        body: body.to_string(),
        secrets: endpoint.secrets_at(now),
    }
}

#[cfg(test)]
#[path = "courier_tests.rs"]
mod tests;
