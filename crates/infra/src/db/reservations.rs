//! Reservations in `reservations`. An end is one conditional UPDATE for all, and its count of rows.

use super::bulk::{Existing, Update};
use super::columns::{corrupt, from_json, meter, to_json};
use super::entity::reservation::{Column, Entity, Model};
use super::error::store_error;
use super::pairs;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{AccountId, ApiKeyId, GrantId, ReservationId, UsageId, UserId};
use domain::metering::{
    Dimensions, Ended, Part, Reservation, ReservationFilter, ReservationRepository, ReservationStatus, Source,
};
use domain::page::{Page, PageRequest};
use domain::quantity::Quantity;
use domain::store::{StoreError, StoreResult};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

const TABLE: &str = "reservations";
/// What ends a row that is still open.
const ENDING: Update<Entity> = Update {
    key: &[Column::AccountId, Column::Id],
    set: &[Column::Status, Column::EndedAt, Column::EndKey, Column::Captured, Column::Shortfall, Column::UsageId],
    only: Some((Column::Status, "open")),
};

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ReservationRepository for Repos<C> {
    async fn find(&self, id: ReservationId) -> StoreResult<Option<Reservation>> {
        let query = Entity::find().filter(Column::Id.eq(id.as_uuid()));
        query.one(&self.conn).await.map_err(store_error)?.map(reservation).transpose()
    }

    async fn find_many(&self, ids: &[(AccountId, ReservationId)]) -> StoreResult<Vec<Reservation>> {
        let pairs = ids.iter().map(|(account, id)| (account.as_uuid(), id.as_uuid())).collect();
        let rows = pairs::find::<Entity, _>(self, pairs, (Column::AccountId, Column::Id)).await?;
        rows.into_iter().map(reservation).collect()
    }

    async fn find_by_keys(&self, keys: &[(AccountId, String)]) -> StoreResult<Vec<Reservation>> {
        let pairs = keys.iter().map(|(account, key)| (account.as_uuid(), key.clone())).collect();
        let rows = pairs::find::<Entity, _>(self, pairs, (Column::AccountId, Column::ReservationKey)).await?;
        rows.into_iter().map(reservation).collect()
    }

    async fn insert(&self, reservations: &[Reservation]) -> StoreResult<()> {
        let rows = reservations.iter().map(row).collect::<StoreResult<Vec<_>>>()?;
        self.insert_all::<Entity>(&rows, Existing::Fail).await
    }

    async fn end(&self, reservations: &[Reservation]) -> StoreResult<()> {
        let row = |reservation| Ok(ENDING.values_of(&row(reservation)?));
        let rows = reservations.iter().map(row).collect::<StoreResult<Vec<_>>>()?;
        let ended = self.update_all(&ENDING, &rows).await?;
        if ended == rows.len() as u64 { Ok(()) } else { Err(StoreError::Contended) }
    }

    async fn due(&self, now: DateTime<Utc>, skip: u64, limit: u64) -> StoreResult<Vec<(AccountId, ReservationId)>> {
        let query = Entity::find()
            .select_only()
            .columns([Column::AccountId, Column::Id])
            .filter(Column::Status.eq(ReservationStatus::Open.name()))
            .filter(Column::ExpiresAt.lte(now))
            .order_by_asc(Column::ExpiresAt)
            .order_by_asc(Column::Id)
            .offset(skip)
            .limit(limit);
        let rows: Vec<(Uuid, Uuid)> = query.into_tuple().all(&self.conn).await.map_err(store_error)?;
        Ok(rows
            .into_iter()
            .map(|(account, id)| (AccountId::from_uuid(account), ReservationId::from_uuid(id)))
            .collect())
    }

    async fn list(
        &self,
        account: AccountId,
        filter: &ReservationFilter,
        page: PageRequest,
    ) -> StoreResult<Page<Reservation>> {
        let mut query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(Column::Id)
            .limit(u64::from(page.limit) + 1);
        if let Some(before) = page.before {
            query = query.filter(Column::Id.lt(before));
        }
        if let Some(user) = filter.user {
            query = query.filter(Column::UserId.eq(user.as_uuid()));
        }
        if let Some(status) = filter.status {
            query = query.filter(Column::Status.eq(status.name()));
        }
        if let Some(meter) = &filter.meter {
            query = query.filter(Column::Meter.eq(meter.as_str()));
        }
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let rows = rows.into_iter().map(reservation).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(rows, page.limit, |reservation| reservation.id.as_uuid()))
    }
}

/// A part as it is stored: the grant's id, or the fund's name, and its atoms.
fn parts_json(parts: &[Part]) -> StoreResult<String> {
    let part = |part: &Part| {
        let source = match part.source {
            Source::Allowance => "allowance".to_owned(),
            Source::Grant(id) => id.to_string(),
            Source::Overage => "overage".to_owned(),
            Source::Wallet => "wallet".to_owned(),
            Source::Release => "release".to_owned(),
        };
        (source, part.quantity.as_atoms())
    };
    to_json(&parts.iter().map(part).collect::<Vec<_>>(), TABLE, "parts")
}

fn parts(text: &str) -> StoreResult<Vec<Part>> {
    let stored: Vec<(String, i64)> = from_json(text, TABLE, "parts")?;
    let part = |(source, atoms): (String, i64)| {
        let source = match source.as_str() {
            "allowance" => Source::Allowance,
            "overage" => Source::Overage,
            "wallet" => Source::Wallet,
            "release" => Source::Release,
            grant => Source::Grant(grant.parse::<GrantId>().map_err(|_| corrupt(TABLE, "parts"))?),
        };
        Ok(Part { source, quantity: Quantity::atoms(atoms), amount: None })
    };
    stored.into_iter().map(part).collect()
}

fn row(reservation: &Reservation) -> StoreResult<Model> {
    let labels = reservation.dimensions.labels();
    let ended = reservation.ended.as_ref();
    Ok(Model {
        account_id: reservation.account.as_uuid(),
        id: reservation.id.as_uuid(),
        reservation_key: reservation.key.clone(),
        fingerprint: reservation.fingerprint.clone(),
        status: reservation.status().name().to_owned(),
        meter: reservation.meter.to_string(),
        quantity: reservation.quantity.as_atoms(),
        period_start: reservation.period_start,
        user_id: reservation.user.map(UserId::as_uuid),
        api_key_id: reservation.api_key.map(ApiKeyId::as_uuid),
        dimensions: (!labels.is_empty()).then(|| to_json(labels, TABLE, "dimensions")).transpose()?,
        parts: parts_json(&reservation.parts)?,
        created_at: reservation.created_at,
        expires_at: reservation.expires_at,
        ended_at: ended.map(|ended| ended.at),
        end_key: ended.and_then(|ended| ended.key.clone()),
        captured: ended.map_or(0, |ended| ended.captured.as_atoms()),
        shortfall: ended.map_or(0, |ended| ended.shortfall.as_atoms()),
        usage_id: ended.and_then(|ended| ended.usage).map(UsageId::as_uuid),
    })
}

fn reservation(row: Model) -> StoreResult<Reservation> {
    let labels = row.dimensions.map(|labels| from_json(&labels, TABLE, "dimensions")).transpose()?.unwrap_or_default();
    let status = ReservationStatus::parse(&row.status).ok_or_else(|| corrupt(TABLE, "status"))?;
    let ended = row.ended_at.map(|at| Ended {
        status,
        at,
        key: row.end_key,
        captured: Quantity::atoms(row.captured),
        shortfall: Quantity::atoms(row.shortfall),
        usage: row.usage_id.map(UsageId::from_uuid),
    });
    if ended.is_none() != (status == ReservationStatus::Open) {
        return Err(corrupt(TABLE, "ended_at"));
    }
    Ok(Reservation {
        id: ReservationId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        key: row.reservation_key,
        fingerprint: row.fingerprint,
        meter: meter(&row.meter, TABLE)?,
        quantity: Quantity::atoms(row.quantity),
        period_start: row.period_start,
        user: row.user_id.map(UserId::from_uuid),
        api_key: row.api_key_id.map(ApiKeyId::from_uuid),
        dimensions: Dimensions::new(labels).map_err(|_| corrupt(TABLE, "dimensions"))?,
        parts: parts(&row.parts)?,
        created_at: row.created_at,
        expires_at: row.expires_at,
        ended,
    })
}
