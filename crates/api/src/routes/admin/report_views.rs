//! Reports as the API shows them.

use crate::services::Services;
use domain::billing::{Cell, OverageRow, ReceivablesRow, RefundsRow, RevenueRow};
use domain::decimal::format_scaled;
use domain::money::decimal_of_nanos;
use serde::Serialize;
use utoipa::ToSchema;

/// Rows by month and currency, oldest first; months and currencies in which nothing was are left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report<T> {
    #[schema(example = "2026-01")]
    pub from: String,
    #[schema(example = "2026-11")]
    pub to: String,
    /// Months begin at midnight in this zone.
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: String,
    pub data: Vec<T>,
}

/// What was earned, as the ledger says.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RevenueView {
    #[schema(example = "2026-11")]
    month: String,
    #[schema(example = "CNY")]
    currency: String,
    /// Fees of terms on bills that were issued, less credits.
    #[schema(example = "990.00")]
    base: String,
    /// On bills that were issued.
    #[schema(example = "52.58")]
    overage: String,
    #[schema(example = "10.00")]
    discount: String,
    /// `base + overage - discount`.
    #[schema(example = "1032.58")]
    billed: String,
    /// Bills that were taken back.
    #[schema(example = "99.00")]
    voided: String,
    /// Products that were delivered.
    #[schema(example = "30.00")]
    sales: String,
    /// Usage that wallets paid, to the nano.
    #[schema(example = "4.00")]
    usage: String,
    /// What was set aside to go back, less what did not.
    #[schema(example = "20.00")]
    refunded: String,
    /// Corrections by operators.
    #[schema(example = "0.00")]
    other: String,
    /// `billed - voided + sales + usage - refunded + other`.
    #[schema(example = "947.58")]
    net: String,
}

/// What was billed beyond allowances, by meter, on bills that are not void.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct OverageReportView {
    month: String,
    currency: String,
    #[schema(example = "words")]
    meter: String,
    #[schema(example = "word")]
    unit: String,
    bills: i64,
    /// In `unit`.
    #[schema(example = "105001")]
    quantity: String,
    #[schema(example = "52.50")]
    fee: String,
}

/// What customers owed on bills.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ReceivablesView {
    month: String,
    currency: String,
    /// When the month began.
    #[schema(example = "99.00")]
    opening: String,
    #[schema(example = "1032.58")]
    issued: String,
    #[schema(example = "900.00")]
    paid: String,
    #[schema(example = "99.00")]
    voided: String,
    /// `opening + issued - paid - voided`: when the month ended, or now.
    #[schema(example = "132.58")]
    closing: String,
    /// What of `closing` was past its due day.
    #[schema(example = "33.58")]
    overdue: String,
}

/// What went back to customers.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RefundsView {
    month: String,
    currency: String,
    count: i64,
    /// Of bills.
    #[schema(example = "20.00")]
    bills: String,
    /// Of orders, and of money that belonged to none.
    #[schema(example = "4.00")]
    orders: String,
    #[schema(example = "20.00")]
    to_wallets: String,
    /// To providers, and outside by operators.
    #[schema(example = "4.00")]
    to_providers: String,
    /// `bills + orders`, and `to_wallets + to_providers`.
    #[schema(example = "24.00")]
    total: String,
}

/// The name of a month, that of a currency, and how its sums are written.
pub(super) struct Named {
    pub month: String,
    pub cell: Cell,
}

impl Named {
    fn currency(&self) -> String {
        self.cell.1.to_string()
    }

    fn sum(&self, nanos: i128) -> String {
        decimal_of_nanos(nanos, self.cell.1)
    }
}

pub(super) fn revenue(named: Named, row: &RevenueRow) -> RevenueView {
    RevenueView {
        currency: named.currency(),
        base: named.sum(row.base),
        overage: named.sum(row.overage),
        discount: named.sum(row.discount),
        billed: named.sum(row.billed),
        voided: named.sum(row.voided),
        sales: named.sum(row.sales),
        usage: named.sum(row.usage),
        refunded: named.sum(row.refunded),
        other: named.sum(row.other),
        net: named.sum(row.net),
        month: named.month,
    }
}

pub(super) fn overage(named: Named, row: &OverageRow, services: &Services) -> OverageReportView {
    let meter = services.catalogue.meters.get(&row.meter);
    OverageReportView {
        currency: named.currency(),
        meter: row.meter.to_string(),
        unit: meter.map_or_else(|| row.meter.to_string(), |meter| meter.unit.clone()),
        bills: row.bills,
        quantity: format_scaled(row.quantity, meter.map_or(0, |meter| meter.scale), 0),
        fee: named.sum(row.fee),
        month: named.month,
    }
}

pub(super) fn receivables(named: Named, row: &ReceivablesRow) -> ReceivablesView {
    ReceivablesView {
        currency: named.currency(),
        opening: named.sum(row.opening),
        issued: named.sum(row.issued),
        paid: named.sum(row.paid),
        voided: named.sum(row.voided),
        closing: named.sum(row.closing),
        overdue: named.sum(row.overdue),
        month: named.month,
    }
}

pub(super) fn refunds(named: Named, row: &RefundsRow) -> RefundsView {
    RefundsView {
        currency: named.currency(),
        count: row.count,
        bills: named.sum(row.bills),
        orders: named.sum(row.orders),
        to_wallets: named.sum(row.to_wallets),
        to_providers: named.sum(row.to_providers),
        total: named.sum(row.total),
        month: named.month,
    }
}
