//! Charges that a provider made by itself for a subscription, as they were collected.

use crate::id::{AccountId, MirrorId};
use crate::money::Money;
use crate::wallet::Provider;
use chrono::{DateTime, Utc};

/// One charge. Its transfer, of kind `collected`, has the same reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub provider: Provider,
    /// The provider's id of it; unique per provider.
    pub reference: String,
    pub account: AccountId,
    pub subscription: MirrorId,
    /// Above zero.
    pub amount: Money,
    /// As the provider says.
    pub charged_at: DateTime<Utc>,
    pub collected_at: DateTime<Utc>,
}
