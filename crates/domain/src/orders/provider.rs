//! The port to payment providers: what every one of them can be asked, and how its answers are to be understood.
//!
//! A notification is a hint and a query is the truth; both end in the same [`PaymentState`]. A call whose outcome is
//! not known is never taken for a refusal: it is repeated with the same number, which every provider treats as the
//! same payment or refund.

use crate::money::Money;
use crate::wallet::Provider;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use std::fmt;
use thiserror::Error;
use uuid::Uuid;

/// Our number of a payment attempt or refund at the provider: 32 hex digits, which fits WeChat Pay (32 characters),
/// Alipay (64) and Stripe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderNumber(Uuid);

impl ProviderNumber {
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// Reads 32 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_ours { Uuid::try_parse(text).ok().map(Self) } else { None }
    }
}

impl fmt::Display for ProviderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl fmt::Debug for ProviderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How the customer pays at a provider that has several ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayMethod {
    /// WeChat Pay Native, Alipay precreate, Stripe Checkout.
    #[default]
    Default,
    /// Alipay's page for browsers.
    Page,
}

/// A payment to be asked for. Repeating the same request asks for the same payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceRequest {
    pub number: ProviderNumber,
    pub method: PayMethod,
    /// Above zero, in whole minor units.
    pub amount: Money,
    /// What the customer reads, at most 120 characters.
    pub description: String,
    /// When the provider stops taking the payment.
    pub expires_at: DateTime<Utc>,
    /// Where the customer's browser goes afterwards.
    pub return_url: Option<String>,
}

/// What the customer does to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayAction {
    /// Scan a QR code with this content.
    ScanQr(String),
    /// Open this page.
    Open(String),
    /// Follow these words.
    Follow(String),
}

/// A payment that the provider waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub action: PayAction,
    /// The provider's id, where it has one before it is paid (Stripe's session).
    pub reference: Option<String>,
}

/// Money that a customer paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The provider's number of the transaction, at most 128 bytes.
    pub transaction: String,
    /// As the provider says it; whether it is what we asked for is not the adapter's question.
    pub amount: Money,
    pub captured_at: DateTime<Utc>,
    /// The merchant, app or account that it was paid to, as the provider names them, for the check that it is ours.
    pub payee_is_ours: bool,
}

/// Where a payment stands at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// The provider never heard of it (also Alipay's QR code that nobody scanned).
    NotFound,
    /// May still be paid.
    Open,
    Captured(Capture),
    /// Can no longer be paid.
    Closed,
    /// Was tried and failed for good.
    Failed,
}

/// What became of closing a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    Closed,
    /// It was paid before; query it.
    Paid,
    /// Nothing there to close, and it may still appear (Alipay's QR code) until it expires.
    NotFound,
}

/// Money to be given back. Repeating the same request is the same refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    pub number: ProviderNumber,
    /// The payment's number, and the provider's own of its capture.
    pub payment: ProviderNumber,
    pub transaction: String,
    /// Above zero, in whole minor units; at most what was paid less what was refunded.
    pub amount: Money,
    /// What was paid.
    pub paid: Money,
    /// At most 80 characters.
    pub reason: String,
}

/// Where a refund stands at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundState {
    NotFound,
    Processing,
    Succeeded {
        refunded_at: DateTime<Utc>,
    },
    /// Will not happen.
    Failed {
        reason: String,
    },
    /// Stuck at the provider; an operator has to look.
    Abnormal {
        reason: String,
    },
}

/// Why a provider was not of use.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// Nothing was sent, or the provider says that it did nothing: try later.
    #[error("the provider is not available")]
    Unavailable,
    /// The request may have worked: it timed out, the connection broke, or the answer could not be trusted.
    #[error("whether the provider did it is not known")]
    Unknown,
    /// The provider says no; asking again will not help.
    #[error("the provider refused: {code}")]
    Refused { code: String, message: String },
    /// Not offered by this provider.
    #[error("the provider does not offer this")]
    Unsupported,
}

pub type ProviderResult<T> = Result<T, ProviderError>;

/// A notification as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawNotification {
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A notification whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The provider's id of the message; the same when it is delivered again.
    pub message: String,
    pub about: Notified,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notified {
    Payment {
        number: ProviderNumber,
        state: PaymentState,
    },
    Refund {
        number: ProviderNumber,
        state: RefundState,
    },
    /// Of a kind that changes nothing here, or about a number that is not ours.
    Other {
        kind: String,
    },
}

/// Why a notification is not believed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotificationRefused {
    #[error("the signature is missing or wrong")]
    Signature,
    #[error("the time is too far from now")]
    Time,
    #[error("the signed content cannot be read")]
    Content,
}

/// What the provider wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: &'static str,
}

/// What a row of a provider's daily bill is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BillRowKind {
    Payment,
    Refund,
    /// The provider charged by itself, for a subscription or another invoice of its own.
    Charge,
}

/// One row of a provider's daily bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRow {
    pub kind: BillRowKind,
    /// Our number as the provider knows it, not always one of ours; of a charge the provider's id of it.
    pub number: String,
    /// The payment's, also in the row of a refund.
    pub transaction: String,
    /// Above zero for all kinds.
    pub amount: Money,
    pub fee: Option<Money>,
    pub at: DateTime<Utc>,
}

/// A payment provider. Adapters hold base URL, keys and clock; they keep no state and never log secrets.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    fn provider(&self) -> Provider;

    /// Asks for a payment. The same request again answers the same, or `Refused` when it was paid.
    async fn place(&self, request: &PlaceRequest) -> ProviderResult<Placed>;

    /// Where a payment stands; `reference` is what [`Placed`] said.
    async fn query(&self, number: ProviderNumber, reference: Option<String>) -> ProviderResult<PaymentState>;

    /// Makes an unpaid payment impossible.
    async fn close(&self, number: ProviderNumber, reference: Option<String>) -> ProviderResult<Closing>;

    async fn refund(&self, request: &RefundRequest) -> ProviderResult<RefundState>;

    async fn query_refund(&self, request: &RefundRequest) -> ProviderResult<RefundState>;

    /// Verifies and reads a notification. Nothing of the body is believed before its signature, and nothing whose time is
    /// far from the adapter's clock: that tells the real time, whatever a test clock says, as the provider's does.
    fn read_notification(&self, raw: &RawNotification) -> Result<Notification, NotificationRefused>;

    /// What to answer to a notification that was stored, or to one that was refused or could not be stored.
    fn reply(&self, accepted: bool) -> Reply;

    /// The provider's rows of one of its days.
    async fn daily_bill(&self, day: NaiveDate) -> ProviderResult<Vec<BillRow>>;
}
