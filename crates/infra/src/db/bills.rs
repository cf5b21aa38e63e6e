//! Bills in `billing_records`, with `billing_lines` and `billing_overages`.

use super::bulk::{self, Existing};
use super::columns::{corrupt, currency, from_json, meter, one_of, rows_per_statement, to_json};
use super::entity::billing_record::{Column, Entity, Model};
use super::entity::{billing_line, billing_overage};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::billing::{
    Bill, BillFilter, BillKind, BillLine, BillOverage, BillRepository, BillStatus, Chased, IssuedBill, LineKind, Shown,
    Slot, Totals,
};
use domain::id::{AccountId, BillId, PlanVersionId};
use domain::money::{Currency, Money};
use domain::page::{Page, PageRequest};
use domain::plans::{Interval, PlanCode};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use domain::time::Period;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const TABLE: &str = "billing_records";
const LINES: &str = "billing_lines";
const OVERAGES: &str = "billing_overages";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> BillRepository for Repos<C> {
    async fn insert(&self, bills: &[IssuedBill]) -> StoreResult<()> {
        let records = bills.iter().map(|issued| record(&issued.bill)).collect::<StoreResult<Vec<_>>>()?;
        let lines = bills.iter().flat_map(|issued| issued.lines.iter().map(|line| line_row(issued.bill.id, line)));
        let lines = lines.collect::<StoreResult<Vec<_>>>()?;
        let overages: Vec<_> = bills.iter().flat_map(|issued| issued.overages.iter().map(overage_row)).collect();
        bulk::insert::<Entity>(&self.conn, &records, Existing::Fail).await?;
        bulk::insert::<billing_line::Entity>(&self.conn, &lines, Existing::Fail).await?;
        bulk::insert::<billing_overage::Entity>(&self.conn, &overages, Existing::Fail).await
    }

    async fn save(&self, bills: &[Bill]) -> StoreResult<()> {
        for bill in bills {
            let mut row = record(bill)?.into_active_model();
            for column in [
                Column::Status,
                Column::LiveKey,
                Column::RefundedNanos,
                Column::PaidAt,
                Column::VoidedAt,
                Column::Chased,
                Column::ChaseAt,
                Column::UpdatedAt,
            ] {
                row.reset(column);
            }
            let update = Entity::update_many().set(row).filter(Column::Id.eq(bill.id.as_uuid()));
            update.exec(&self.conn).await.map_err(store_error)?;
        }
        Ok(())
    }

    async fn find(&self, id: BillId) -> StoreResult<Option<IssuedBill>> {
        let found = Entity::find_by_id(id.as_uuid()).one(&self.conn).await.map_err(store_error)?;
        Ok(with_lines(self, found.into_iter().collect()).await?.pop())
    }

    async fn find_live(&self, account: AccountId, kind: BillKind, start: DateTime<Utc>) -> StoreResult<Option<Bill>> {
        let query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Kind.eq(kind.name()))
            .filter(Column::PeriodStart.eq(start))
            .filter(Column::Status.ne(BillStatus::Void.name()));
        query.one(&self.conn).await.map_err(store_error)?.map(bill).transpose()
    }

    async fn unpaid(&self, account: AccountId) -> StoreResult<Vec<Bill>> {
        let query = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::Status.eq(BillStatus::Unpaid.name()))
            .filter(Column::Kind.ne(BillKind::Refund.name()))
            .order_by_asc(Column::Id);
        query.all(&self.conn).await.map_err(store_error)?.into_iter().map(bill).collect()
    }

    async fn of_periods(&self, kind: BillKind, slots: &[Slot]) -> StoreResult<Vec<IssuedBill>> {
        let wanted: BTreeSet<Slot> = slots.iter().copied().collect();
        let mut found = Vec::new();
        for chunk in accounts_of(slots).chunks(rows_per_statement(1)) {
            let mine = one_of(self.conn.get_database_backend(), Column::AccountId, chunk.to_vec());
            let first = slots.iter().map(|(_, start)| *start).min().unwrap_or(DateTime::UNIX_EPOCH);
            let query = Entity::find()
                .filter(mine)
                .filter(Column::PeriodStart.gte(first))
                .filter(Column::Kind.eq(kind.name()))
                .order_by_asc(Column::Id);
            found.extend(query.all(&self.conn).await.map_err(store_error)?);
        }
        // Interim bills begin within the period; who asks knows where it ends.
        found.retain(|row| {
            let account = AccountId::from_uuid(row.account_id);
            wanted.range((account, DateTime::<Utc>::MIN_UTC)..=(account, row.period_start)).next_back().is_some()
        });
        with_lines(self, found).await
    }

    async fn list(&self, filter: &BillFilter, page: PageRequest) -> StoreResult<Page<Bill>> {
        let conditions = [
            filter.account.map(|account| Column::AccountId.eq(account.as_uuid())),
            filter.kind.map(|kind| Column::Kind.eq(kind.name())),
            filter.status.map(|status| Column::Status.eq(status.name())),
            filter.month.as_ref().map(|month| Column::BillingPeriod.eq(month.as_str())),
            page.before.map(|before| Column::Id.lt(before)),
        ];
        let query = conditions.into_iter().flatten().fold(Entity::find(), QueryFilter::filter);
        let query = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
        let rows = query.all(&self.conn).await.map_err(store_error)?;
        let bills = rows.into_iter().map(bill).collect::<StoreResult<Vec<_>>>()?;
        Ok(Page::cut(bills, page.limit, |bill| bill.id.as_uuid()))
    }

    async fn to_chase(&self, now: DateTime<Utc>, skip: u64, most: u64) -> StoreResult<Vec<(AccountId, BillId)>> {
        let found: Vec<(Uuid, Uuid)> = Entity::find()
            .select_only()
            .column(Column::AccountId)
            .column(Column::Id)
            .filter(Column::Status.eq(BillStatus::Unpaid.name()))
            .filter(Column::ChaseAt.lte(now))
            .order_by_asc(Column::ChaseAt)
            .order_by_asc(Column::Id)
            .offset(skip)
            .limit(most)
            .into_tuple()
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        Ok(found.into_iter().map(|(account, id)| (AccountId::from_uuid(account), BillId::from_uuid(id))).collect())
    }

    async fn walk(&self, month: Option<String>, after: Option<BillId>, most: u64) -> StoreResult<Vec<BillId>> {
        let mut query = Entity::find().select_only().column(Column::Id).order_by_asc(Column::Id).limit(most);
        if let Some(month) = month {
            query = query.filter(Column::BillingPeriod.eq(month));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.as_uuid()));
        }
        let ids: Vec<Uuid> = query.into_tuple().all(&self.conn).await.map_err(store_error)?;
        Ok(ids.into_iter().map(BillId::from_uuid).collect())
    }
}

/// The accounts of slots, each once.
pub(super) fn accounts_of(slots: &[Slot]) -> Vec<Uuid> {
    let accounts: BTreeSet<Uuid> = slots.iter().map(|(account, _)| account.as_uuid()).collect();
    accounts.into_iter().collect()
}

async fn with_lines<C: ConnectionTrait + Send + Sync>(
    repos: &Repos<C>,
    rows: Vec<Model>,
) -> StoreResult<Vec<IssuedBill>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let (mut lines, mut overages) = (BTreeMap::<Uuid, Vec<_>>::new(), BTreeMap::<Uuid, Vec<_>>::new());
    let backend = repos.conn.get_database_backend();
    for chunk in ids.chunks(rows_per_statement(1)) {
        let query = billing_line::Entity::find()
            .filter(one_of(backend, billing_line::Column::BillId, chunk.to_vec()))
            .order_by_asc(billing_line::Column::Number);
        for row in query.all(&repos.conn).await.map_err(store_error)? {
            lines.entry(row.bill_id).or_default().push(line(&row)?);
        }
        let query = billing_overage::Entity::find()
            .filter(one_of(backend, billing_overage::Column::BillId, chunk.to_vec()))
            .order_by_asc(billing_overage::Column::Meter);
        for row in query.all(&repos.conn).await.map_err(store_error)? {
            overages.entry(row.bill_id).or_default().push(overage(&row)?);
        }
    }
    rows.into_iter()
        .map(|row| {
            let (lines, overages) = (lines.remove(&row.id), overages.remove(&row.id));
            let bill = bill(row)?;
            Ok(IssuedBill { bill, lines: lines.unwrap_or_default(), overages: overages.unwrap_or_default() })
        })
        .collect()
}

fn record(bill: &Bill) -> StoreResult<Model> {
    Ok(Model {
        id: bill.id.as_uuid(),
        account_id: bill.account.as_uuid(),
        kind: bill.kind.name().to_owned(),
        status: bill.status.name().to_owned(),
        live_key: bill.live_key(),
        period_start: bill.period.start,
        period_end: bill.period.end,
        billing_period: bill.month.clone(),
        plan_code: bill.plan.to_string(),
        currency: bill.totals.total.currency().code().to_owned(),
        base_nanos: bill.totals.base.nanos(),
        overage_nanos: bill.totals.overage.nanos(),
        discount_nanos: bill.totals.discount.nanos(),
        total_nanos: bill.totals.total.nanos(),
        refunded_nanos: bill.refunded.nanos(),
        refund_of: bill.refund_of.map(BillId::as_uuid),
        activates: bill.activates.as_ref().map(|choice| to_json(choice, TABLE, "activates")).transpose()?,
        coupon: bill.coupon.clone(),
        remark: bill.remark.clone(),
        issued_at: bill.issued_at,
        due_at: bill.due_at,
        paid_at: bill.paid_at,
        voided_at: bill.voided_at,
        chased: bill.chased.name().to_owned(),
        chase_at: bill.chase_at,
        updated_at: bill.updated_at,
    })
}

fn bill(row: Model) -> StoreResult<Bill> {
    let currency = currency(&row.currency, TABLE)?;
    let money = |nanos| Money::from_nanos(nanos, currency);
    Ok(Bill {
        id: BillId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        kind: BillKind::parse(&row.kind).ok_or(corrupt(TABLE, "kind"))?,
        status: BillStatus::parse(&row.status).ok_or(corrupt(TABLE, "status"))?,
        period: Period { start: row.period_start, end: row.period_end },
        month: row.billing_period,
        plan: PlanCode::parse(&row.plan_code).ok_or(corrupt(TABLE, "plan_code"))?,
        totals: Totals {
            base: money(row.base_nanos),
            overage: money(row.overage_nanos),
            discount: money(row.discount_nanos),
            total: money(row.total_nanos),
        },
        refunded: money(row.refunded_nanos),
        refund_of: row.refund_of.map(BillId::from_uuid),
        activates: row.activates.map(|json| from_json(&json, TABLE, "activates")).transpose()?,
        coupon: row.coupon,
        remark: row.remark,
        issued_at: row.issued_at,
        due_at: row.due_at,
        paid_at: row.paid_at,
        voided_at: row.voided_at,
        chased: Chased::parse(&row.chased).ok_or(corrupt(TABLE, "chased"))?,
        chase_at: row.chase_at,
        updated_at: row.updated_at,
    })
}

fn line_row(bill: BillId, line: &BillLine) -> StoreResult<billing_line::Model> {
    let used = line.used.as_ref();
    Ok(billing_line::Model {
        bill_id: bill.as_uuid(),
        number: i32::try_from(line.number).map_err(|_| corrupt(LINES, "number"))?,
        kind: line.kind.name().to_owned(),
        plan_code: line.plan.to_string(),
        plan_version_id: line.version.map(PlanVersionId::as_uuid),
        plan_interval: line.interval.map(|interval| interval.name().to_owned()),
        seats: i32::try_from(line.seats).map_err(|_| corrupt(LINES, "seats"))?,
        period_start: line.period.start,
        period_end: line.period.end,
        meter: used.map(|used| used.meter.to_string()),
        quantity: used.map(|used| used.quantity.as_atoms()),
        display_quantity: used.map(|used| used.display.clone()),
        display_unit: used.map(|used| used.unit.clone()),
        tier: line.tier.as_ref().map(|tier| to_json(tier, LINES, "tier")).transpose()?,
        currency: line.amount.currency().code().to_owned(),
        amount_nanos: line.amount.nanos(),
        discount_nanos: line.discount.nanos(),
    })
}

fn line(row: &billing_line::Model) -> StoreResult<BillLine> {
    let currency = currency(&row.currency, LINES)?;
    Ok(BillLine {
        number: u32::try_from(row.number).map_err(|_| corrupt(LINES, "number"))?,
        kind: LineKind::parse(&row.kind).ok_or(corrupt(LINES, "kind"))?,
        plan: PlanCode::parse(&row.plan_code).ok_or(corrupt(LINES, "plan_code"))?,
        version: row.plan_version_id.map(PlanVersionId::from_uuid),
        interval: match &row.plan_interval {
            Some(name) => Some(Interval::parse(name).ok_or(corrupt(LINES, "plan_interval"))?),
            None => None,
        },
        seats: u32::try_from(row.seats).map_err(|_| corrupt(LINES, "seats"))?,
        period: Period { start: row.period_start, end: row.period_end },
        used: used(row)?,
        tier: row.tier.as_ref().map(|json| from_json(json, LINES, "tier")).transpose()?,
        amount: Money::from_nanos(row.amount_nanos, currency),
        discount: Money::from_nanos(row.discount_nanos, currency),
    })
}

fn used(row: &billing_line::Model) -> StoreResult<Option<Shown>> {
    let Some(code) = &row.meter else { return Ok(None) };
    Ok(Some(Shown {
        meter: meter(code, LINES)?,
        quantity: Quantity::atoms(row.quantity.ok_or(corrupt(LINES, "quantity"))?),
        display: row.display_quantity.clone().ok_or(corrupt(LINES, "display_quantity"))?,
        unit: row.display_unit.clone().ok_or(corrupt(LINES, "display_unit"))?,
    }))
}

fn overage_row(overage: &BillOverage) -> billing_overage::Model {
    billing_overage::Model {
        bill_id: overage.bill.as_uuid(),
        meter: overage.used.meter.to_string(),
        quantity: overage.used.quantity.as_atoms(),
        display_quantity: overage.used.display.clone(),
        display_unit: overage.used.unit.clone(),
        currency: overage.fee.currency().code().to_owned(),
        fee_nanos: overage.fee.nanos(),
    }
}

fn overage(row: &billing_overage::Model) -> StoreResult<BillOverage> {
    let currency: Currency = currency(&row.currency, OVERAGES)?;
    Ok(BillOverage {
        bill: BillId::from_uuid(row.bill_id),
        used: Shown {
            meter: meter(&row.meter, OVERAGES)?,
            quantity: Quantity::atoms(row.quantity),
            display: row.display_quantity.clone(),
            unit: row.display_unit.clone(),
        },
        fee: Money::from_nanos(row.fee_nanos, currency),
    })
}
