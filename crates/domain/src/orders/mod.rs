//! What is bought and paid: orders, payments, refunds, and the providers that move the money.

mod provider;

pub use provider::{
    BillRow, BillRowKind, Capture, Closing, Notification, NotificationRefused, Notified, PayAction, PayMethod,
    PaymentProvider, PaymentState, PlaceRequest, Placed, ProviderError, ProviderNumber, ProviderResult,
    RawNotification, RefundRequest, RefundState, Reply,
};
