//! Errors by meaning. Services return [`Error`]; one `match` in `api` turns it into an answer.

use crate::money::MoneyError;
use crate::quantity::Quantity;
use crate::store::StoreError;
use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

/// What a use case answers when it does not do what was asked.
#[derive(Debug, Error)]
pub enum Error {
    /// Absent, or somebody else's: the caller cannot tell which.
    #[error("{0} was not found")]
    NotFound(&'static str),
    #[error("the request is not valid")]
    Invalid(Vec<FieldError>),
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The account's standing forbids it, before any quantity is looked at.
    #[error("{}", .0.remedy())]
    Barred(LimitKind),
    /// A reservation, which ends only once, ended before.
    #[error("the reservation ended before: {how} at {}", at.to_rfc3339_opts(SecondsFormat::Secs, true))]
    Ended { how: &'static str, at: DateTime<Utc> },
    #[error("{detail}")]
    Conflict { code: &'static str, detail: String },
    #[error("credentials are missing or not valid")]
    Unauthenticated,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("too many requests")]
    RateLimited { retry_after_seconds: u64 },
    /// The same idempotency key came with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("the service is busy")]
    Unavailable,
    /// This server was built or set up without it.
    #[error("this server has no {0}")]
    NotAvailable(&'static str),
    /// No key of the server seals, or opens what was sealed with another one: the operator's to mend.
    #[error("the server lacks the encryption key for this")]
    KeyMissing,
    #[error("storage failed")]
    Store(#[from] StoreError),
}

pub type Result<T> = std::result::Result<T, Error>;

/// One field and why it is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: String,
    pub reason: String,
}

impl Error {
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), reason: reason.into() }])
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }
}

impl From<MoneyError> for Error {
    fn from(error: MoneyError) -> Self {
        Self::invalid("amount", error.to_string())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Which limit said no; each names who can raise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKind {
    /// The account is frozen by an operator.
    AccountStatus,
    /// The subscription is suspended for an unpaid bill.
    SubscriptionStatus,
    /// The API key's own allowance.
    ApiKeyAllowance,
    /// A team member's allocation.
    MemberAllocation,
    /// The plan's allowance and all grants together.
    PlanAllowance,
    /// The account's cap on overage fees.
    SpendCap,
    /// The prepaid balance.
    Wallet,
}

impl LimitKind {
    pub const ALL: [Self; 7] = [
        Self::AccountStatus,
        Self::SubscriptionStatus,
        Self::ApiKeyAllowance,
        Self::MemberAllocation,
        Self::PlanAllowance,
        Self::SpendCap,
        Self::Wallet,
    ];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountStatus => "account_status",
            Self::SubscriptionStatus => "subscription_status",
            Self::ApiKeyAllowance => "api_key_allowance",
            Self::MemberAllocation => "member_allocation",
            Self::PlanAllowance => "plan_allowance",
            Self::SpendCap => "spend_cap",
            Self::Wallet => "wallet",
        }
    }

    /// The stable error code of a refusal by this limit.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccountStatus => "account_frozen",
            Self::SubscriptionStatus => "subscription_suspended",
            Self::ApiKeyAllowance | Self::MemberAllocation | Self::PlanAllowance => "quota_exceeded",
            Self::SpendCap => "spend_cap_reached",
            Self::Wallet => "insufficient_balance",
        }
    }

    /// Who can raise it: `member` is whose key it is, `team_admin` an admin of the team or its owner, `owner` the
    /// account's, who pays, and `operator` whoever runs the server.
    pub const fn raised_by(self) -> &'static str {
        match self {
            Self::ApiKeyAllowance => "member",
            Self::MemberAllocation => "team_admin",
            Self::PlanAllowance | Self::SpendCap | Self::Wallet | Self::SubscriptionStatus => "owner",
            Self::AccountStatus => "operator",
        }
    }

    /// What the customer can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::AccountStatus => "The account is frozen; ask the operator to release it.",
            Self::SubscriptionStatus => "The subscription is suspended; pay the open bill to go on.",
            Self::ApiKeyAllowance => "The API key's own allowance is used up; its owner can raise it.",
            Self::MemberAllocation => "The member's allocation is used up; an admin of the team can raise it.",
            Self::PlanAllowance => "The plan's allowance is used up; upgrade, or add quota.",
            Self::SpendCap => "The spend cap is reached; the account's owner can raise it.",
            Self::Wallet => "The balance is too low; top up.",
        }
    }
}

/// A consume that was refused, and the tightest limit that refused it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} Requested {}, remaining {}.", limit.remedy(), requested.to_decimal(*scale), remaining.to_decimal(*scale))]
pub struct Refusal {
    pub limit: LimitKind,
    pub meter: String,
    /// Decimals of the quantities below.
    pub scale: u8,
    pub requested: Quantity,
    /// The most that this limit would still let through.
    pub remaining: Quantity,
}
