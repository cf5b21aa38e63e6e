//! Billing: bills, how they come about, how they are paid, and how they are explained.
//!
//! | where | what |
//! |---|---|
//! | `bill`, `line` | bills, their lines and sums |
//! | `rating` | the overage of a period as lines, a tier each |
//! | `coupon` | discounts, and how they are spread over lines |
//! | `payment`, `paying` | what came in for a bill, and what begins with it |
//! | `purchasing`, `renewing` | bills of terms, in advance |
//! | `closing` | bills of quota periods that ended |
//! | `chasing` | what happens when nobody pays |

mod bill;
mod chasing;
mod closing;
mod coupon;
mod coupons;
mod hook;
mod issuing;
mod line;
mod paying;
mod payment;
mod ports;
mod purchasing;
mod rating;
mod renewing;
mod service;

pub use bill::{Bill, BillKind, BillStatus, Chased, IssuedBill, Totals, month_label};
pub use closing::CloseWish;
pub use coupon::{Coupon, CouponRefused, MAX_CODE_LENGTH, Reduction, spread};
pub use coupons::CouponWish;
pub use hook::BillingHook;
pub use issuing::{Draft, issue, void};
pub use line::{BillLine, BillOverage, LineKind, PricedBy, Shown, display};
pub use paying::{Desk, Funds};
pub use payment::{BillMethod, BillPayment};
pub use ports::{
    BillFilter, BillPaymentRepository, BillRepository, ClosingRepository, CouponRepository, Slot, TariffMark, UsageSum,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockBillPaymentRepository, MockBillRepository, MockClosingRepository, MockCouponRepository};
pub use purchasing::Bought;
pub use rating::{MeterUse, Stretch};
pub use renewing::Progress;
pub use service::{BillView, BillingService, RefundTo, RefundWish};
