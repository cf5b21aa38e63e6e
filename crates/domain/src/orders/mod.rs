//! What is bought and paid: orders, payments, refunds, and the providers that move the money.

mod provider;
mod subscription_provider;

pub use provider::{
    BillRow, BillRowKind, Capture, Closing, Notification, NotificationRefused, Notified, PayAction, PayMethod,
    PaymentProvider, PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult,
    RawNotification, RefundRequest, RefundState, Reply,
};
pub use subscription_provider::{
    CancelWhen, Checkout, CheckoutRequest, ProviderInvoice, ProviderSubscription, ProviderSubscriptionStatus,
    SubscriptionEvent, SubscriptionMessage, SubscriptionProvider,
};
