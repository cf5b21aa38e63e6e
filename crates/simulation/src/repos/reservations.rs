//! Reservations, the debts they left, and periods whose overage is to be billed early.

use super::{Repos, page, span};
use crate::db::{Stop, hash};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, ReservationId};
use domain::metering::{
    Debt, DebtRepository, OverageDueRepository, Reservation, ReservationFilter, ReservationRepository,
};
use domain::page::{Page, PageRequest};
use domain::store::{StoreError, StoreResult};

#[async_trait]
impl ReservationRepository for Repos {
    async fn find(&self, id: ReservationId) -> StoreResult<Option<Reservation>> {
        self.call(|tables, cx| Ok(tables.reservations.values(cx.tx).find(|row| row.id == id).cloned())).await
    }

    async fn find_many(&self, ids: &[(AccountId, ReservationId)]) -> StoreResult<Vec<Reservation>> {
        self.call(|tables, cx| Ok(ids.iter().filter_map(|id| tables.reservations.get(cx.tx, id).cloned()).collect()))
            .await
    }

    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<Reservation>> {
        self.call(|tables, cx| {
            let find = |key: &(AccountId, String)| tables.reservations.by_unique(cx.tx, 0, hash(&(key.0, &key.1)));
            Ok(keys.iter().filter_map(|key| find(key).cloned()).collect())
        })
        .await
    }

    async fn insert(&self, reservations: &[Reservation]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let rows = reservations.iter().map(|row| ((row.account, row.id), row.clone())).collect();
            tables.reservations.insert(cx, rows)
        })
        .await
    }

    async fn end(&self, reservations: &[Reservation]) -> StoreResult<()> {
        self.call(|tables, cx| {
            let mut ended = 0;
            for row in reservations {
                tables.reservations.lock(cx, &(row.account, row.id))?;
            }
            for row in reservations {
                let open = |before: &Reservation| {
                    let ended = row.ended.clone();
                    before.ended.is_none().then(|| Reservation { ended, ..before.clone() })
                };
                ended += usize::from(tables.reservations.update(cx, &(row.account, row.id), open)?);
            }
            if ended == reservations.len() { Ok(()) } else { Err(Stop::Failed(StoreError::Contended)) }
        })
        .await
    }

    async fn due(&self, now: DateTime<Utc>, skip: u64, limit: u64) -> StoreResult<Vec<(AccountId, ReservationId)>> {
        self.call(|tables, cx| {
            let due = tables.reservations.values(cx.tx).filter(|row| row.is_due(now));
            let mut due: Vec<_> = due.map(|row| (row.expires_at, row.id, row.account)).collect();
            due.sort_unstable();
            Ok(span(due, skip, limit).into_iter().map(|(_, id, account)| (account, id)).collect())
        })
        .await
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &ReservationFilter,
        wanted: PageRequest,
    ) -> StoreResult<Page<Reservation>> {
        let fits = |row: &&Reservation| {
            row.account == account
                && filter.user.is_none_or(|user| row.user == Some(user))
                && filter.status.is_none_or(|status| row.status() == status)
                && filter.meter.as_ref().is_none_or(|meter| row.meter == *meter)
        };
        self.call(|tables, cx| {
            Ok(page(tables.reservations.values(cx.tx).filter(fits).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }
}

#[async_trait]
impl DebtRepository for Repos {
    async fn insert(&self, debts: &[Debt]) -> StoreResult<()> {
        self.call(|tables, cx| tables.debts.insert(cx, debts.iter().map(|row| (row.id, row.clone())).collect())).await
    }

    async fn list(&self, account: AccountId, wanted: PageRequest) -> StoreResult<Page<Debt>> {
        let mine = |row: &&Debt| row.account == account;
        self.call(|tables, cx| {
            Ok(page(tables.debts.values(cx.tx).filter(mine).cloned(), wanted, |row| row.id.as_uuid()))
        })
        .await
    }

    async fn list_all(&self, wanted: PageRequest) -> StoreResult<Page<Debt>> {
        self.call(|tables, cx| Ok(page(tables.debts.values(cx.tx).cloned(), wanted, |row| row.id.as_uuid()))).await
    }
}

#[async_trait]
impl OverageDueRepository for Repos {
    async fn note(&self, periods: &[(AccountId, DateTime<Utc>)], now: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| {
            tables.overage_dues.upsert(cx, periods.iter().map(|slot| (*slot, now)).collect(), |_, after| after)
        })
        .await
    }

    async fn list(&self, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, DateTime<Utc>)>> {
        self.call(|tables, cx| Ok(span(tables.overage_dues.iter(cx.tx).map(|(slot, _)| *slot).collect(), skip, most)))
            .await
    }

    async fn settle(&self, account: AccountId, start: DateTime<Utc>) -> StoreResult<()> {
        self.call(|tables, cx| tables.overage_dues.delete(cx, &[(account, start)]).map(drop)).await
    }
}
