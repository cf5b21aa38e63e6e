//! Rows of bills, their lines and their overages, and what they say.

use super::columns::{corrupt, currency, from_json, meter, to_json};
use super::entity::billing_record::Model;
use super::entity::{billing_line, billing_overage};
use domain::billing::{Bill, BillKind, BillLine, BillOverage, BillStatus, Chased, LineKind, Shown, Totals};
use domain::id::{AccountId, BillId, PlanVersionId};
use domain::money::{Currency, Money};
use domain::plans::{Interval, PlanCode};
use domain::quantity::Quantity;
use domain::store::StoreResult;
use domain::time::Period;

const TABLE: &str = "billing_records";
const LINES: &str = "billing_lines";
const OVERAGES: &str = "billing_overages";

pub fn record(bill: &Bill) -> StoreResult<Model> {
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

pub fn bill(row: Model) -> StoreResult<Bill> {
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

pub fn line_row(bill: BillId, line: &BillLine) -> StoreResult<billing_line::Model> {
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

pub fn line(row: &billing_line::Model) -> StoreResult<BillLine> {
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

pub fn overage_row(overage: &BillOverage) -> billing_overage::Model {
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

pub fn overage(row: &billing_overage::Model) -> StoreResult<BillOverage> {
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
