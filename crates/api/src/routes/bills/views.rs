//! Bills as the API shows them.

use crate::http::time;
use crate::routes::subscription_views::PeriodView;
use domain::billing::{Bill, BillLine, BillOverage, BillPayment, BillView as View, IssuedBill, PricedBy, Shown};
use domain::money::Currency;
use serde::Serialize;
use utoipa::ToSchema;

/// A bill without its lines.
#[derive(Debug, Serialize, ToSchema)]
pub struct BillSummary {
    #[schema(example = "bil_0198a6f0c1d27d3e8b3f6a5c4d3e2f13")]
    id: String,
    account: String,
    /// `subscription`, `month`, `overage` or `refund`.
    #[schema(example = "month")]
    kind: &'static str,
    /// `unpaid`, `paid` or `void`.
    #[schema(example = "unpaid")]
    status: &'static str,
    #[schema(example = "professional")]
    plan: String,
    /// The local month in which the period began.
    #[schema(example = "2026-11")]
    month: String,
    period: PeriodView,
    /// Fees of terms, less credits.
    #[schema(example = "0.00")]
    base: String,
    #[schema(example = "12.50")]
    overage: String,
    /// `base + overage`.
    #[schema(example = "12.50")]
    subtotal: String,
    #[schema(example = "0.00")]
    discount: String,
    #[schema(example = "12.50")]
    total: String,
    /// What went back of it.
    #[schema(example = "0.00")]
    refunded: String,
    #[schema(value_type = String, example = "CNY")]
    currency: Currency,
    /// Of a refund bill: the bill that it gives back of.
    refund_of: Option<String>,
    coupon: Option<String>,
    remark: Option<String>,
    issued_at: String,
    due_at: String,
    paid_at: Option<String>,
    voided_at: Option<String>,
}

impl From<&Bill> for BillSummary {
    fn from(bill: &Bill) -> Self {
        let subtotal = bill.totals.subtotal().unwrap_or(bill.totals.total);
        Self {
            id: bill.id.to_string(),
            account: bill.account.to_string(),
            kind: bill.kind.name(),
            status: bill.status.name(),
            plan: bill.plan.to_string(),
            month: bill.month.clone(),
            period: bill.period.into(),
            base: bill.totals.base.to_decimal(),
            overage: bill.totals.overage.to_decimal(),
            subtotal: subtotal.to_decimal(),
            discount: bill.totals.discount.to_decimal(),
            total: bill.totals.total.to_decimal(),
            refunded: bill.refunded.to_decimal(),
            currency: bill.totals.total.currency(),
            refund_of: bill.refund_of.map(|id| id.to_string()),
            coupon: bill.coupon.clone(),
            remark: bill.remark.clone(),
            issued_at: time::text(bill.issued_at),
            due_at: time::text(bill.due_at),
            paid_at: bill.paid_at.map(time::text),
            voided_at: bill.voided_at.map(time::text),
        }
    }
}

/// A bill with its lines, its meters and what was paid.
#[derive(Debug, Serialize, ToSchema)]
pub struct BillDetail {
    #[serde(flatten)]
    bill: BillSummary,
    lines: Vec<LineView>,
    overages: Vec<BillOverageView>,
    payments: Vec<BillPaymentView>,
}

impl From<&View> for BillDetail {
    fn from(view: &View) -> Self {
        let payments = view.payments.iter().map(BillPaymentView::from).collect();
        Self { payments, ..Self::from(&view.issued) }
    }
}

impl From<&IssuedBill> for BillDetail {
    fn from(issued: &IssuedBill) -> Self {
        Self {
            bill: BillSummary::from(&issued.bill),
            lines: issued.lines.iter().map(LineView::from).collect(),
            overages: issued.overages.iter().map(BillOverageView::from).collect(),
            payments: Vec::new(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    number: u32,
    /// `base`, `credit`, `overage`, `adjustment` (late use of a closed period), `correction` or `refund`.
    #[schema(example = "overage")]
    kind: &'static str,
    plan: String,
    /// `month` or `year`, of fees and credits.
    interval: Option<&'static str>,
    seats: u32,
    period: PeriodView,
    meter: Option<String>,
    /// In the display unit.
    #[schema(example = "25")]
    quantity: Option<String>,
    #[schema(example = "GB")]
    unit: Option<String>,
    rate: Option<RateView>,
    /// Negative for a credit.
    #[schema(example = "12.50")]
    amount: String,
    /// The line's share of the discount.
    #[schema(example = "0.00")]
    discount: String,
}

/// The tier that priced a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct RateView {
    #[schema(example = "0.50")]
    price: String,
    /// What `price` buys, in the meter's unit.
    #[schema(example = "1000")]
    per: String,
    #[schema(example = "word")]
    unit: String,
}

impl From<&PricedBy> for RateView {
    fn from(tier: &PricedBy) -> Self {
        Self { price: tier.price.to_decimal(), per: tier.per_text.clone(), unit: tier.per_unit.clone() }
    }
}

impl From<&BillLine> for LineView {
    fn from(line: &BillLine) -> Self {
        let used = line.used.as_ref();
        Self {
            number: line.number,
            kind: line.kind.name(),
            plan: line.plan.to_string(),
            interval: line.interval.map(domain::plans::Interval::name),
            seats: line.seats,
            period: line.period.into(),
            meter: used.map(|used| used.meter.to_string()),
            quantity: used.map(|used| used.display.clone()),
            unit: used.map(|used| used.unit.clone()),
            rate: line.tier.as_ref().map(RateView::from),
            amount: line.amount.to_decimal(),
            discount: line.discount.to_decimal(),
        }
    }
}

/// What a bill comes to for a meter.
#[derive(Debug, Serialize, ToSchema)]
pub struct BillOverageView {
    meter: String,
    /// In the display unit.
    quantity: String,
    unit: String,
    fee: String,
}

impl From<&BillOverage> for BillOverageView {
    fn from(overage: &BillOverage) -> Self {
        let Shown { meter, display, unit, .. } = overage.used.clone();
        Self { meter: meter.to_string(), quantity: display, unit, fee: overage.fee.to_decimal() }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BillPaymentView {
    #[schema(example = "bpy_0198a6f0c1d27d3e8b3f6a5c4d3e2f13")]
    id: String,
    bill: String,
    /// `wallet`, `manual`, or a provider's name.
    #[schema(example = "wallet")]
    provider: &'static str,
    /// A bill is paid whole; what was begun and not paid is an order.
    #[schema(example = "paid")]
    status: &'static str,
    amount: String,
    #[schema(value_type = String, example = "CNY")]
    currency: Currency,
    /// The provider's number, or an operator's note.
    transaction: Option<String>,
    paid_at: String,
}

impl From<&BillPayment> for BillPaymentView {
    fn from(payment: &BillPayment) -> Self {
        Self {
            id: payment.id.to_string(),
            bill: payment.bill.to_string(),
            provider: payment.method.name(),
            status: "paid",
            amount: payment.amount.to_decimal(),
            currency: payment.amount.currency(),
            transaction: payment.transaction.clone(),
            paid_at: time::text(payment.paid_at),
        }
    }
}
