//! What every context writes beside its own: answers, events, the audit chain, options, leases.

use super::Repos;
use crate::db::OUTSIDE;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::audit::{AuditEvent, AuditFilter, AuditLog, Recorded};
use domain::audit_chain::{ChainHead, ChainRow, GENESIS};
use domain::id::OutboxId;
use domain::idempotency::{IdempotencyRepository, IdempotentRequest, StoredAnswer};
use domain::options::{LeaseRepository, OptionRepository};
use domain::outbox::{Event, Outbox, StoredEvent};
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};
use std::sync::PoisonError;
use uuid::Uuid;

/// The chain's only head.
pub const HEAD: u8 = 0;

#[async_trait]
impl IdempotencyRepository for Repos {
    async fn find(&self, request: &IdempotentRequest) -> StoreResult<Option<StoredAnswer>> {
        let key = (request.user, request.scope.to_owned(), request.key.clone());
        self.call(|tables, cx| Ok(tables.answers.get(cx.tx, &key).map(|(answer, _)| answer.clone()))).await
    }

    async fn insert(&self, request: &IdempotentRequest, answer: &str, now: DateTime<Utc>) -> StoreResult<()> {
        let key = (request.user, request.scope.to_owned(), request.key.clone());
        let row = StoredAnswer { fingerprint: request.fingerprint.clone(), answer: answer.to_owned() };
        self.call(|tables, cx| tables.answers.insert(cx, vec![(key.clone(), (row.clone(), now))])).await
    }

    async fn delete_older_than(&self, time: DateTime<Utc>) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let old = tables.answers.iter(cx.tx).filter(|(_, (_, at))| *at < time);
            let old: Vec<_> = old.map(|(key, _)| key.clone()).collect();
            tables.answers.delete(cx, &old)
        })
        .await
    }
}

#[async_trait]
impl Outbox for Repos {
    async fn push(&self, events: &[Event]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let mut rows = Vec::new();
            for event in events {
                *cx.position += 1;
                let stored = StoredEvent {
                    id: event.id,
                    account: event.account,
                    kind: event.kind.to_owned(),
                    payload: event.payload.clone(),
                    created_at: event.created_at,
                    position: *cx.position,
                };
                rows.push((*cx.position, (stored, None)));
            }
            tables.outbox.insert(cx, rows)
        })
        .await
    }

    async fn waiting(&self, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        self.call(|tables, cx| {
            let waiting = tables.outbox.values(cx.tx).filter(|(_, told)| told.is_none());
            Ok(waiting.map(|(event, _)| event.clone()).take(limit as usize).collect())
        })
        .await
    }

    async fn find(&self, ids: &[OutboxId]) -> StoreResult<Vec<StoredEvent>> {
        self.call(|tables, cx| {
            let wanted = tables.outbox.values(cx.tx).filter(|(event, _)| ids.contains(&event.id));
            Ok(wanted.map(|(event, _)| event.clone()).collect())
        })
        .await
    }

    async fn mark_fanned_out(&self, ids: &[OutboxId], now: DateTime<Utc>) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let wanted =
                tables.outbox.iter(cx.tx).filter(|(_, (event, told))| told.is_none() && ids.contains(&event.id));
            let wanted: Vec<i64> = wanted.map(|(position, _)| *position).collect();
            let mut marked = 0;
            for position in &wanted {
                tables.outbox.lock(cx, position)?;
            }
            for position in &wanted {
                let mark =
                    |row: &(StoredEvent, Option<DateTime<Utc>>)| row.1.is_none().then(|| (row.0.clone(), Some(now)));
                marked += u64::from(tables.outbox.update(cx, position, mark)?);
            }
            Ok(marked)
        })
        .await
    }

    async fn delete_fanned_out(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let old = tables.outbox.iter(cx.tx).filter(|(_, (_, told))| told.is_some_and(|told| told < time));
            let old: Vec<i64> = old.map(|(position, _)| *position).take(limit as usize).collect();
            tables.outbox.delete(cx, &old)
        })
        .await
    }
}

#[async_trait]
impl AuditLog for Repos {
    async fn append(&self, event: &AuditEvent) -> StoreResult<()> {
        if self.tx == OUTSIDE {
            return Err(StoreError::Other("an audit event outside of a unit of work".into()));
        }
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        Ok(())
    }

    async fn list(&self, filter: &AuditFilter, wanted: PageRequest) -> StoreResult<Page<Recorded>> {
        let fits = |row: &Recorded| {
            let event = &row.event;
            filter.actor.is_none_or(|actor| event.actor_user == Some(actor))
                && filter.account.is_none_or(|account| event.account == Some(account))
                && filter.target.as_ref().is_none_or(|target| event.target == *target)
                && filter.action.as_ref().is_none_or(|action| event.action == *action)
                && filter.from.is_none_or(|from| event.created_at >= from)
                && filter.until.is_none_or(|until| event.created_at < until)
        };
        self.call(|tables, cx| {
            let rows = tables.audit.values(cx.tx).map(|(row, _)| row).filter(|row| fits(row)).cloned();
            Ok(super::page(rows, wanted, |row| row.event.id.as_uuid()))
        })
        .await
    }

    async fn chain(&self, after: i64, limit: u32) -> StoreResult<Vec<ChainRow>> {
        self.call(|tables, cx| {
            let rows = tables.audit.range(cx.tx, after + 1..).take(limit as usize);
            Ok(rows.map(|(_, (_, row))| row.clone()).collect())
        })
        .await
    }

    async fn head(&self) -> StoreResult<ChainHead> {
        self.call(|tables, cx| Ok(tables.audit_head.get(cx.tx, &HEAD).cloned().unwrap_or_else(genesis))).await
    }

    async fn count_unchained(&self) -> StoreResult<i64> {
        self.call(|_, _| Ok(0)).await
    }
}

pub fn genesis() -> ChainHead {
    ChainHead { position: 0, hash: GENESIS.to_owned(), unchained: 0 }
}

impl Repos {
    /// Links what waits in the unit of work to the chain; the head is the last row that it locks.
    pub(super) async fn write_pending(&self) -> StoreResult<()> {
        let events = self.take_pending();
        if events.is_empty() {
            return Ok(());
        }
        self.call(|tables, cx| {
            tables.audit_head.upsert(cx, vec![(HEAD, genesis())], |before, _| before.clone())?;
            let mut head = tables.audit_head.get(cx.tx, &HEAD).cloned().unwrap_or_else(genesis);
            let mut rows = Vec::new();
            for event in &events {
                let row = unplaced(event).chained(&head);
                head = head.after(&row);
                let (position, hash) = (Some(row.position), Some(row.hash.clone()));
                rows.push((row.position, (Recorded { event: event.clone(), position, hash }, row)));
            }
            tables.audit.insert(cx, rows)?;
            tables.audit_head.update(cx, &HEAD, |_| Some(head.clone())).map(drop)
        })
        .await
    }
}

fn unplaced(event: &AuditEvent) -> ChainRow {
    ChainRow {
        position: 0,
        id: event.id.as_uuid(),
        account: event.account.map(domain::id::AccountId::as_uuid),
        actor_user: event.actor_user.map(domain::id::UserId::as_uuid),
        actor_key: event.actor_key.map(domain::id::ApiKeyId::as_uuid),
        action: event.action.clone(),
        target: event.target.clone(),
        detail: event.detail.to_string(),
        created_at_micros: event.created_at.timestamp_micros(),
        previous_hash: String::new(),
        hash: String::new(),
    }
}

#[async_trait]
impl OptionRepository for Repos {
    async fn find(&self, name: &str) -> StoreResult<Option<String>> {
        let name = name.to_owned();
        self.call(|tables, cx| Ok(tables.options.get(cx.tx, &name).cloned())).await
    }

    async fn lock(&self, name: &str, initial: &str, _now: DateTime<Utc>) -> StoreResult<String> {
        let row = (name.to_owned(), initial.to_owned());
        self.call(|tables, cx| {
            tables.options.upsert(cx, vec![row.clone()], |before, _| before.clone())?;
            Ok(tables.options.get(cx.tx, &row.0).cloned().unwrap_or_default())
        })
        .await
    }

    async fn set(&self, name: &str, value: &str, _now: DateTime<Utc>) -> StoreResult<()> {
        let row = (name.to_owned(), value.to_owned());
        self.call(|tables, cx| tables.options.upsert(cx, vec![row.clone()], |_, after| after)).await
    }
}

#[async_trait]
impl LeaseRepository for Repos {
    async fn claim(&self, name: &str, holder: Uuid, now: DateTime<Utc>, until: DateTime<Utc>) -> StoreResult<bool> {
        let name = name.to_owned();
        self.call(|tables, cx| {
            let free =
                |(other, end): &(Uuid, DateTime<Utc>)| (*other == holder || *end <= now).then_some((holder, until));
            if tables.leases.update(cx, &name, free)? {
                return Ok(true);
            }
            if tables.leases.get(cx.tx, &name).is_some() {
                return Ok(false);
            }
            tables.leases.insert(cx, vec![(name.clone(), (holder, until))])?;
            Ok(true)
        })
        .await
    }
}
