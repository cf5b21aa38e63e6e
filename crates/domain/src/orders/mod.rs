//! What is bought and paid: orders, payments, refunds, and the providers that move the money.

mod asking_refunds;
mod attempts;
mod charge;
mod closing;
mod confirming;
mod delivering;
mod drafting;
mod gathering;
mod hooks;
mod message;
mod notifications;
mod order;
mod order_status;
mod payment;
mod payment_status;
mod polling;
mod ports;
mod product;
mod provider;
mod reconciliation;
mod reconciling;
mod refund;
mod refunding;
mod resolving;
mod rules;
mod service;
mod settling;
mod shop;
mod subscription_provider;
mod suspense;
mod telling;

pub use asking_refunds::REFUND_CHUNK;
pub use attempts::{Attempt, Draft};
pub use charge::Charge;
pub use closing::{EXPIRE_CHUNK, call_off};
pub use confirming::ConfirmWish;
pub use delivering::{ProductDelivery, TopUpDelivery};
pub use hooks::{ChargeCollector, Delivery, PaidHook};
pub use message::{MessageOutcome, PaymentMessage};
pub use order::{CloseReason, Order, Purpose};
pub use order_status::{NoSuchStep, OrderStatus};
pub use payment::Payment;
pub use payment_status::{NoSuchPaymentStep, PaymentStatus};
pub use polling::POLL_CHUNK;
pub use ports::{
    ChargeRepository, OrderFilter, OrderRepository, PaymentFilter, PaymentMessageRepository, PaymentRepository,
    ProductRepository, ReconciliationRepository, RefundRepository, SuspenseRepository,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockChargeRepository, MockOrderRepository, MockPaymentMessageRepository, MockPaymentRepository,
    MockProductRepository, MockReconciliationRepository, MockRefundRepository, MockSuspenseRepository,
};
pub use product::{Pack, Product, SoldProduct};
pub use provider::{
    BillRow, BillRowKind, Capture, Closing, Notification, NotificationRefused, Notified, PayAction, PayMethod,
    PaymentProvider, PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult,
    RawNotification, RefundRequest, RefundState, Reply,
};
pub use reconciliation::{Difference, DifferenceClass, DifferenceStatus, Found, OurSide, compare};
pub use reconciling::Reconciled;
pub use refund::{NoSuchRefundStep, Refund, RefundStatus, share_of};
pub use refunding::RefundWish;
pub use resolving::ResolveWish;
pub use rules::{PaymentProviders, PaymentRules};
pub use service::{OrderService, OrderView, OrderWish, Wanted};
pub use settling::{Fact, Mode, Settled, Settlement};
pub use shop::{ProductChange, ProductWish, ShopService};
pub use subscription_provider::{
    CHECKED_OUT, CancelWhen, Checkout, CheckoutRequest, ProviderInvoice, ProviderSubscription,
    ProviderSubscriptionStatus, SubscriptionEvent, SubscriptionMessage, SubscriptionProvider,
};
pub use suspense::{Resolution, SuspenseItem, SuspenseReason, SuspenseStatus};
