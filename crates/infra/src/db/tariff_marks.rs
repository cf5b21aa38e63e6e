//! Marks in `billing_tariff_marks`: from which position on a tariff counted in a period.

use super::bills::accounts_of;
use super::columns::{corrupt, meter, one_of, rows_per_statement};
use super::entity::billing_tariff_mark;
use super::error::store_error;
use domain::billing::{Slot, TariffMark};
use domain::id::{AccountId, PlanVersionId};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeSet;

const MARKS: &str = "billing_tariff_marks";

/// The rows of those that are not there yet.
pub async fn fresh(conn: &impl ConnectionTrait, marks: &[TariffMark]) -> StoreResult<Vec<billing_tariff_mark::Model>> {
    let slots: Vec<Slot> = marks.iter().map(|mark| (mark.account, mark.period_start)).collect();
    let there = find(conn, &slots).await?;
    let same = |a: &TariffMark, b: &TariffMark| {
        (a.account, a.period_start, &a.meter, a.position) == (b.account, b.period_start, &b.meter, b.position)
    };
    let fresh = marks.iter().filter(|mark| !there.iter().any(|known| same(known, mark)));
    Ok(fresh.map(mark_row).collect())
}

/// The marks of the slots, by position.
pub async fn find(conn: &impl ConnectionTrait, slots: &[Slot]) -> StoreResult<Vec<TariffMark>> {
    use billing_tariff_mark::Column as M;
    let wanted: BTreeSet<Slot> = slots.iter().copied().collect();
    let mut marks = Vec::new();
    for chunk in accounts_of(slots).chunks(rows_per_statement(1)) {
        let query = billing_tariff_mark::Entity::find()
            .filter(one_of(conn.get_database_backend(), M::AccountId, chunk.to_vec()))
            .order_by_asc(M::Position);
        for row in query.all(conn).await.map_err(store_error)? {
            marks.push(mark_of(&row)?);
        }
    }
    marks.retain(|mark| wanted.contains(&(mark.account, mark.period_start)));
    Ok(marks)
}

fn mark_row(mark: &TariffMark) -> billing_tariff_mark::Model {
    billing_tariff_mark::Model {
        account_id: mark.account.as_uuid(),
        period_start: mark.period_start,
        meter: mark.meter.to_string(),
        position: mark.position.as_atoms(),
        plan_version_id: mark.version.as_uuid(),
        seats: i32::try_from(mark.seats).unwrap_or(i32::MAX),
    }
}

fn mark_of(row: &billing_tariff_mark::Model) -> StoreResult<TariffMark> {
    if row.position < 0 {
        return Err(corrupt(MARKS, "position"));
    }
    Ok(TariffMark {
        account: AccountId::from_uuid(row.account_id),
        period_start: row.period_start,
        meter: meter(&row.meter, MARKS)?,
        position: Quantity::atoms(row.position),
        version: PlanVersionId::from_uuid(row.plan_version_id),
        seats: u32::try_from(row.seats).map_err(|_| corrupt(MARKS, "seats"))?,
    })
}
