//! Payments of bills: what came in for which bill, and how.

use crate::id::{AccountId, BillId, BillPaymentId};
use crate::money::Money;
use crate::wallet::Provider;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a bill is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BillMethod {
    /// From the account's prepaid balance.
    Wallet,
    Provider(Provider),
    /// There was nothing to pay.
    Nothing,
}

impl BillMethod {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Provider(provider) => provider.name(),
            Self::Nothing => "nothing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "wallet" => Some(Self::Wallet),
            "nothing" => Some(Self::Nothing),
            other => Provider::parse(other).map(Self::Provider),
        }
    }
}

impl TryFrom<String> for BillMethod {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text} is no way to pay a bill"))
    }
}

impl From<BillMethod> for String {
    fn from(method: BillMethod) -> Self {
        method.name().to_owned()
    }
}

/// Money that came in for a bill, or went back of it: then it belongs to the refund bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillPayment {
    pub id: BillPaymentId,
    pub account: AccountId,
    pub bill: BillId,
    pub method: BillMethod,
    /// Not negative.
    pub amount: Money,
    /// The provider's own number, or an operator's note of an outside transfer.
    pub transaction: Option<String>,
    pub paid_at: DateTime<Utc>,
}
