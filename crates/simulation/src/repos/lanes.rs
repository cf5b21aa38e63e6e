//! Lanes of deliveries.

use super::Repos;
use super::statements::{change, change_all, find, save, select};
use crate::db::LaneRow;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::LaneId;
use domain::notices::{Lane, LaneRepository};
use domain::store::StoreResult;
use uuid::Uuid;

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
        let leased = |row: &LaneRow| LaneRow { lease: Some((token, until)), ..row.clone() };
        if change_all!(self.lanes, fits, leased)? == 0 {
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
            mine.then_some(LaneRow { lane: after, due_at: Some(due_at), lease: None })
        })
    }

    async fn rest(&self, id: LaneId) -> StoreResult<()> {
        save!(self.lanes[id], |row: &LaneRow| LaneRow { due_at: None, ..row.clone() })
    }
}
