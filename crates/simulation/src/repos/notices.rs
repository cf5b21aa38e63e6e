//! Notices, endpoints and deliveries.

use super::Repos;
use super::statements::{change, change_all, find, find_where, insert, list, save, select};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, DeliveryId, LaneId, NoticeId, WebhookEndpointId};
use domain::notices::{
    Delivery, DeliveryRepository, DeliveryStatus, FailureReason, Notice, NoticeRepository, WebhookEndpoint,
    WebhookRepository, cursor,
};
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;

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
