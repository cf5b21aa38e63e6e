//! Notices, endpoints, lanes and deliveries.

use super::Repos;
use super::statements::{change, change_all, find, find_where, insert, list, save, select};
use crate::db::LaneRow;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, DeliveryId, LaneId, NoticeId, WebhookEndpointId};
use domain::notices::{
    Delivery, DeliveryRepository, DeliveryStatus, FailureReason, Lane, LaneRepository, Notice, NoticeRepository,
    WebhookEndpoint, WebhookRepository, cursor,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use uuid::Uuid;

#[async_trait]
impl NoticeRepository for Repos {
    async fn insert(&self, notices: &[Notice]) -> StoreResult<()> {
        self.call(|tables, cx| tables.notices.insert(cx, notices.iter().map(|row| (row.id, row.clone())).collect()))
            .await
    }

    async fn find(&self, account: AccountId, id: NoticeId) -> StoreResult<Option<Notice>> {
        find_where!(self.notices, |row| row.account == account && row.id == id)
    }

    async fn list(&self, account: AccountId, unread: bool, wanted: PageRequest) -> StoreResult<Page<Notice>> {
        let fits = |row: &&Notice| row.account == account && (!unread || row.read_at.is_none());
        list!(self.notices, fits, wanted, |row| cursor(row.position))
    }

    async fn mark_read(&self, account: AccountId, id: NoticeId, now: DateTime<Utc>) -> StoreResult<()> {
        change!(self.notices[id], |row: &Notice| {
            let fits = row.account == account && row.read_at.is_none();
            fits.then(|| Notice { read_at: Some(now), ..row.clone() })
        })
        .map(drop)
    }

    async fn mark_all_read(&self, account: AccountId, now: DateTime<Utc>) -> StoreResult<u64> {
        let fits = |row: &Notice| row.account == account && row.read_at.is_none();
        change_all!(self.notices, fits, |row: &Notice| Notice { read_at: Some(now), ..row.clone() })
    }

    async fn delete_older(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let old = tables.notices.values(cx.tx).filter(|row| row.created_at < time).map(|row| row.id);
            let old: Vec<_> = old.take(limit as usize).collect();
            tables.notices.delete(cx, &old)
        })
        .await
    }
}

#[async_trait]
impl WebhookRepository for Repos {
    async fn find(&self, id: WebhookEndpointId) -> StoreResult<Option<WebhookEndpoint>> {
        find!(self.webhooks[id])
    }

    async fn insert(&self, endpoint: &WebhookEndpoint) -> StoreResult<()> {
        insert!(self.webhooks[endpoint.id] = endpoint)
    }

    async fn save(&self, endpoint: &WebhookEndpoint) -> StoreResult<()> {
        save!(self.webhooks[endpoint.id], |_| endpoint.clone())
    }

    async fn delete(&self, account: AccountId, id: WebhookEndpointId) -> StoreResult<()> {
        self.call(|tables, cx| {
            let mine = tables.webhooks.get(cx.tx, &id).is_some_and(|row| row.account == account);
            if mine { tables.webhooks.delete(cx, &[id]).map(drop) } else { Ok(()) }
        })
        .await
    }

    async fn list(&self, account: AccountId, wanted: PageRequest) -> StoreResult<Page<WebhookEndpoint>> {
        list!(self.webhooks, |row| row.account == account, wanted, |row| row.id.as_uuid())
    }

    async fn count(&self, account: AccountId) -> StoreResult<usize> {
        self.call(|tables, cx| Ok(tables.webhooks.values(cx.tx).filter(|row| row.account == account).count())).await
    }

    async fn of_accounts(&self, accounts: &[AccountId]) -> StoreResult<Vec<WebhookEndpoint>> {
        select!(self.webhooks, |row| accounts.contains(&row.account))
    }
}

fn is_free(row: &LaneRow, now: DateTime<Utc>) -> bool {
    row.due_at.is_some_and(|due| due <= now) && row.lease.is_none_or(|(_, until)| until <= now)
}

#[async_trait]
impl LaneRepository for Repos {
    async fn open(&self, lanes: &[Lane]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let row = |lane: &Lane| (lane.id, LaneRow { lane: lane.clone(), due_at: None, lease: None });
            tables.lanes.insert(cx, lanes.iter().map(row).collect())
        })
        .await
    }

    async fn close(&self, id: LaneId) -> StoreResult<()> {
        self.call(|tables, cx| tables.lanes.delete(cx, &[id]).map(drop)).await
    }

    async fn existing(&self, ids: &[LaneId]) -> StoreResult<Vec<LaneId>> {
        self.call(|tables, cx| Ok(ids.iter().copied().filter(|id| tables.lanes.get(cx.tx, id).is_some()).collect()))
            .await
    }

    async fn wake(&self, ids: &[LaneId], now: DateTime<Utc>) -> StoreResult<()> {
        let forgetful = self.is_unconditional("lanes");
        self.call(|tables, cx| {
            for id in ids {
                if !forgetful || tables.lanes.get(cx.tx, id).is_some_and(|row| row.due_at.is_none()) {
                    tables.lanes.lock_to_write(cx, id)?;
                }
            }
            for id in ids {
                let woken = |row: &LaneRow| {
                    let stays = forgetful && row.due_at.is_some();
                    (!stays).then(|| LaneRow { due_at: row.due_at.or(Some(now)), ..row.clone() })
                };
                if !forgetful || tables.lanes.get(cx.tx, id).is_some_and(|row| row.due_at.is_none()) {
                    tables.lanes.update(cx, id, woken)?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn restart(&self, id: LaneId, now: DateTime<Utc>) -> StoreResult<()> {
        save!(self.lanes[id], |row: &LaneRow| {
            let lane = Lane { failures: 0, failing_since: None, ..row.lane.clone() };
            LaneRow { lane, due_at: Some(now), lease: row.lease }
        })
    }

    async fn due_at(&self, id: LaneId) -> StoreResult<Option<DateTime<Utc>>> {
        let found: Option<LaneRow> = find!(self.lanes[id])?;
        Ok(found.and_then(|row| row.due_at))
    }

    async fn due(&self, now: DateTime<Utc>, failing: bool, limit: u32) -> StoreResult<Vec<LaneId>> {
        let fits = |row: &&LaneRow| is_free(row, now) && (row.lane.failures > 0) == failing;
        let mut found: Vec<LaneRow> = select!(self.lanes, fits)?;
        found.sort_by_key(|row| row.due_at);
        found.truncate(limit as usize);
        Ok(found.into_iter().map(|row| row.lane.id).collect())
    }

    async fn claim(
        &self,
        ids: &[LaneId],
        token: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Vec<Lane>> {
        let fits = |row: &LaneRow| ids.contains(&row.lane.id) && is_free(row, now);
        let taken = |row: &LaneRow| LaneRow { lease: Some((token, until)), ..row.clone() };
        if change_all!(self.lanes, fits, taken)? == 0 {
            return Ok(Vec::new());
        }
        let mine = |row: &&LaneRow| ids.contains(&row.lane.id) && row.lease.is_some_and(|(holder, _)| holder == token);
        let found: Vec<LaneRow> = select!(self.lanes, mine)?;
        Ok(found.into_iter().map(|row| row.lane).collect())
    }

    async fn release(&self, lane: &Lane, token: Uuid, due_at: DateTime<Utc>) -> StoreResult<bool> {
        let loose = self.is_unconditional("lane leases");
        change!(self.lanes[lane.id], |row: &LaneRow| {
            let mine = loose || row.lease.is_some_and(|(holder, _)| holder == token);
            let (failures, failing_since) = (lane.failures, lane.failing_since);
            let after = Lane { failures, failing_since, ..row.lane.clone() };
            mine.then(|| LaneRow { lane: after, due_at: Some(due_at), lease: None })
        })
    }

    async fn rest(&self, id: LaneId) -> StoreResult<()> {
        save!(self.lanes[id], |row: &LaneRow| LaneRow { due_at: None, ..row.clone() })
    }
}

type Place = (LaneId, i64);

fn place(delivery: &Delivery) -> Place {
    (delivery.lane, delivery.position)
}

#[async_trait]
impl DeliveryRepository for Repos {
    async fn insert(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.deliveries.insert(cx, deliveries.iter().map(|row| (place(row), row.clone())).collect())
        })
        .await
    }

    async fn waiting(&self, lane: LaneId, limit: u32) -> StoreResult<Vec<Delivery>> {
        let mut found: Vec<Delivery> =
            select!(self.deliveries, |row| row.lane == lane && row.status == DeliveryStatus::Waiting)?;
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn has_waiting(&self, lane: LaneId) -> StoreResult<bool> {
        let found = DeliveryRepository::waiting(self, lane, 1).await?;
        Ok(!found.is_empty())
    }

    async fn save(&self, deliveries: &[Delivery]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let rows = deliveries.iter().map(|row| (place(row), row.clone())).collect();
            tables.deliveries.upsert(cx, rows, |before, after| Delivery {
                status: after.status,
                attempts: after.attempts,
                response_code: after.response_code,
                failure: after.failure,
                attempted_at: after.attempted_at,
                ..before.clone()
            })
        })
        .await
    }

    async fn end_waiting(&self, lane: LaneId, status: DeliveryStatus, why: FailureReason) -> StoreResult<u64> {
        let fits = |row: &Delivery| row.lane == lane && row.status == DeliveryStatus::Waiting;
        change_all!(self.deliveries, fits, |row: &Delivery| Delivery { status, failure: Some(why), ..row.clone() })
    }

    async fn list(&self, lane: LaneId, wanted: PageRequest) -> StoreResult<Page<Delivery>> {
        list!(self.deliveries, |row| row.lane == lane, wanted, |row| cursor(row.position))
    }

    async fn find(&self, id: DeliveryId) -> StoreResult<Option<Delivery>> {
        find_where!(self.deliveries, |row| row.id == id)
    }

    async fn list_dead(&self, wanted: PageRequest) -> StoreResult<Page<Delivery>> {
        list!(self.deliveries, |row| row.status == DeliveryStatus::Dead, wanted, |row| row.id.as_uuid())
    }

    async fn delete_older(&self, time: DateTime<Utc>, limit: u32) -> StoreResult<u64> {
        self.call(|tables, cx| {
            let old = tables.deliveries.values(cx.tx).filter(|row| row.created_at < time).map(place);
            let old: Vec<Place> = old.take(limit as usize).collect();
            tables.deliveries.delete(cx, &old)
        })
        .await
    }
}
