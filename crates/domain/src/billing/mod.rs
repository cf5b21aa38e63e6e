//! Billing: bills, how they come about, how they are paid, and how they are explained.
//!
//! | where | what |
//! |---|---|
//! | `bill`, `line` | bills, their lines and sums |
//! | `rating` | the overage of a period as lines, a tier each |
//! | `coupon` | discounts, and how they are spread over lines |
//! | `payment`, `paying` | what came in for a bill, and what begins with it |
//! | `charging` | bills paid at a provider, by an order each |
//! | `refunding` | what goes back of a bill |
//! | `purchasing`, `renewing` | bills of terms, in advance |
//! | `mirror`, `recurring`, `mirroring` | subscriptions at a provider that charges by itself, and what it charged |
//! | `closing`, `interim` | bills of quota periods that ended, and of those that run |
//! | `recomputing`, `deriving` | bills derived again, and what differs |
//! | `chasing` | what happens when nobody pays |
//! | `receipt`, `document`, `words` | what a receipt says |
//! | `describing`, `line_words`, `receipting` | the receipt of a bill |
//! | `months`, `report`, `reporting` | what operators ask over months |
//! | `invoice`, `invoicing`, `tax_id` | 发票, which others issue |

mod bill;
mod charging;
mod chasing;
mod closing;
mod coupon;
mod coupons;
mod deriving;
mod describing;
mod document;
mod evidence;
mod hook;
mod interim;
mod invoice;
mod invoicing;
mod issuing;
mod line;
mod line_words;
mod mirror;
mod mirroring;
mod months;
mod paying;
mod payment;
mod ports;
mod purchasing;
mod rating;
mod receipt;
mod receipting;
mod recomputing;
mod recurring;
mod refunding;
mod renewing;
mod report;
mod reporting;
mod service;
mod tax_id;
mod words;

use crate::error::Result;
use async_trait::async_trait;

pub use bill::{Bill, BillKind, BillStatus, Chased, IssuedBill, Totals, month_label};
pub use charging::{BillDelivery, ChargingService};
pub use closing::CloseWish;
pub use coupon::{Coupon, CouponRefused, MAX_CODE_LENGTH, Reduction, spread};
pub use coupons::CouponWish;
pub use document::{Document, Mark, Row};
pub use hook::BillingHook;
pub use invoice::{
    Invoice, InvoiceEnd, InvoiceKind, InvoiceStatus, InvoiceTitle, MAX_TITLE, NoSuchChange, may_be_requested,
};
pub use invoicing::{InvoiceFilter, InvoiceWish};
pub use issuing::{Draft, issue, void};
pub use line::{BillLine, BillOverage, LineKind, PricedBy, Shown, display};
pub use mirror::{Mirror, MirrorStatus};
pub use mirroring::MIRROR_CHUNK;
pub use months::{MAX_MONTHS, Months, Place};
pub use paying::{Desk, Funds};
pub use payment::{BillMethod, BillPayment};
pub use ports::{
    BillFilter, BillPaymentRepository, BillRepository, BilledRows, ClosingRepository, CouponRepository,
    InvoiceRepository, MirrorRepository, ReportRepository, Slot, TariffMark, UsageSum,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockBillPaymentRepository, MockBillRepository, MockClosingRepository, MockCouponRepository, MockInvoiceRepository,
    MockMirrorRepository, MockReportRepository,
};
pub use purchasing::Bought;
pub use rating::{MeterUse, Stretch};
pub use receipt::{
    MAX_LINES, MAX_PARTY_LINES, MAX_PAYMENTS, Party, Receipt, ReceiptLine, ReceiptMistake, ReceiptPayment,
    ReceiptState, ReceiptTitle, Sum, SumKind,
};
pub use receipting::ReceiptService;
pub use recomputing::{Difference, EndedPeriods, Recomputed, Walked};
pub use recurring::RecurringService;
pub use refunding::{RefundTo, RefundWish, Refunded};
pub use renewing::Progress;
pub use report::{
    Cell, EarnedSum, IssuedSum, OverageRow, OwedSum, ReceivablesRow, RefundsRow, ReturnedSum, RevenueRow,
};
pub use service::{BillView, BillingService};
pub use tax_id::{TaxId, TaxIdDoubt};

/// Turns a document into a PDF. The same document always gives the same bytes.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ReceiptRenderer: Send + Sync {
    /// `Error::Unavailable` when too many are being made, and `Error::NotAvailable` where the server makes none.
    async fn render(&self, document: Document) -> Result<Vec<u8>>;
}
