//! Orders: what an account buys, for how much, and how far that has come.

use super::order_status::{NoSuchStep, OrderStatus, step};
use super::product::SoldProduct;
use crate::id::{AccountId, OrderId, PaymentId, UserId};
use crate::money::Money;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an order is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// A product, as it was when it was ordered.
    Product(SoldProduct),
    /// Money for the account's wallet.
    TopUp,
    /// A bill of the account, by the uuid of its id.
    Bill { bill: Uuid },
}

impl Purpose {
    pub const NAMES: [&'static str; 3] = ["product", "top_up", "bill"];

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Product(_) => "product",
            Self::TopUp => "top_up",
            Self::Bill { .. } => "bill",
        }
    }
}

/// Why an order takes no money any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// Its time was over.
    Expired,
    /// Somebody closed it.
    Cancelled,
    /// It was paid and could not be delivered; the money went back.
    Undeliverable,
}

impl CloseReason {
    pub const ALL: [Self; 3] = [Self::Expired, Self::Cancelled, Self::Undeliverable];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Undeliverable => "undeliverable",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }
}

/// What an account buys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub account: AccountId,
    /// Who ordered.
    pub user: UserId,
    pub purpose: Purpose,
    /// What has to be paid: above zero, in whole minor units.
    pub amount: Money,
    /// What the customer reads at the provider; 1 to 120 characters.
    pub description: String,
    pub status: OrderStatus,
    /// The payment that it was delivered for.
    pub paid_by: Option<PaymentId>,
    pub close_reason: Option<CloseReason>,
    /// From then on it is closed unless it was paid.
    pub expires_at: DateTime<Utc>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Order {
    /// The order waits for its delivery, which this payment pays.
    pub fn paid(&self, payment: PaymentId, now: DateTime<Utc>) -> Result<Self, NoSuchStep> {
        let status = step(self.status, OrderStatus::AwaitingDelivery)?;
        Ok(Self {
            status,
            paid_by: Some(payment),
            close_reason: None,
            closed_at: None,
            updated_at: now,
            ..self.clone()
        })
    }

    pub fn delivered(&self, now: DateTime<Utc>) -> Result<Self, NoSuchStep> {
        let status = step(self.status, OrderStatus::Delivered)?;
        Ok(Self { status, delivered_at: Some(now), updated_at: now, ..self.clone() })
    }

    /// The order takes no further payment; those under way are called off next.
    pub fn closing(&self, reason: CloseReason, now: DateTime<Utc>) -> Result<Self, NoSuchStep> {
        let status = step(self.status, OrderStatus::Closing)?;
        Ok(Self { status, close_reason: Some(reason), updated_at: now, ..self.clone() })
    }

    /// Nothing will come any more. An order that was closing keeps its reason.
    pub fn closed(&self, reason: CloseReason, now: DateTime<Utc>) -> Result<Self, NoSuchStep> {
        let status = step(self.status, OrderStatus::Closed)?;
        let close_reason = self.close_reason.or(Some(reason));
        Ok(Self { status, close_reason, closed_at: Some(now), updated_at: now, ..self.clone() })
    }
}

impl From<NoSuchStep> for crate::error::Error {
    fn from(no: NoSuchStep) -> Self {
        Self::conflict("conflict", format!("{no}."))
    }
}
