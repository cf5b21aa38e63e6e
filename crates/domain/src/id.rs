//! Every kind of id: a newtype over UUIDv7 with its own prefix, so that no id passes for another.

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::{NoContext, Timestamp, Uuid};

/// A text that is not an id of the wanted kind.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("is not an id of this kind")]
pub struct MalformedId;

/// Declares id types: printed `prefix_<32 hex>`, ordered by time of creation.
macro_rules! id {
    ($($(#[$note:meta])* $name:ident, $prefix:literal;)+) => {$(
        $(#[$note])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// A new id whose order follows `now`.
            pub fn new(now: DateTime<Utc>) -> Self {
                Self(uuid_v7(now))
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = MalformedId;
            fn from_str(text: &str) -> Result<Self, MalformedId> {
                parse(text, concat!($prefix, "_")).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

id! {
    /// What owns usage, quota, wallet, subscription and bills.
    AccountId, "acc";
    AdjustmentId, "adj";
    ApiKeyId, "key";
    AuditId, "aud";
    BillId, "bil";
    BillPaymentId, "bpy";
    /// A subscription at a provider.
    MirrorId, "psb";
    CouponId, "cpn";
    DebtId, "dbt";
    DeliveryId, "dlv";
    /// Something on which a provider's bill and our books differ.
    DifferenceId, "dif";
    GrantId, "grt";
    IdentityId, "idn";
    InvoiceId, "inv";
    InvitationId, "inv";
    /// Where deliveries of one destination stand in line.
    LaneId, "lan";
    NoticeId, "ntc";
    OrderId, "ord";
    OutboxId, "evt";
    /// A payment attempt; the provider knows it by the same 32 digits.
    PaymentId, "pay";
    /// A provider's message as it came in.
    PaymentMessageId, "pmg";
    PlanVersionId, "plv";
    RedemptionBatchId, "rdb";
    RedemptionCodeId, "rdc";
    RedemptionUseId, "rdu";
    ProductId, "prd";
    RefundId, "rfd";
    ReservationId, "rsv";
    SessionId, "ses";
    SubscriptionId, "sub";
    /// Money that came in and belongs to nothing yet.
    SuspenseId, "sus";
    TeamId, "team";
    TransferId, "trf";
    UsageId, "use";
    UserId, "usr";
    WarningId, "wrn";
    WebhookEndpointId, "whe";
}

/// A UUIDv7 of the given time; ids of one process never repeat and keep the order of time.
pub fn uuid_v7(now: DateTime<Utc>) -> Uuid {
    #[cfg(feature = "simulation")]
    if let Some(id) = repeatable::uuid_v7(now) {
        return id;
    }
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}

/// Ids whose random part comes from a source of the caller's, on the threads that gave one.
#[cfg(feature = "simulation")]
pub mod repeatable {
    use chrono::{DateTime, Utc};
    use std::cell::RefCell;
    use uuid::{Builder, Uuid};

    /// The next 64 bits.
    pub type Source = Box<dyn FnMut() -> u64>;

    thread_local! {
        static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
    }

    /// From here on this thread's ids follow from the source; `None` ends it.
    pub fn draw_from(source: Option<Source>) {
        SOURCE.set(source);
    }

    pub(super) fn uuid_v7(now: DateTime<Utc>) -> Option<Uuid> {
        let [high, low] = SOURCE.with_borrow_mut(|source| source.as_mut().map(|next| [next(), next()]))?;
        let mut random = [0; 10];
        random[..8].copy_from_slice(&high.to_be_bytes());
        random[8..].copy_from_slice(&low.to_be_bytes()[..2]);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Some(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

fn parse(text: &str, prefix: &str) -> Result<Uuid, MalformedId> {
    let hex = text.strip_prefix(prefix).ok_or(MalformedId)?;
    let lower = hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !lower {
        return Err(MalformedId);
    }
    Uuid::try_parse(hex).map_err(|_| MalformedId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_never_as_another_kind() {
        let id = AccountId::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        assert_eq!(id.to_string().parse::<AccountId>(), Ok(id));
        assert_eq!(id.to_string().parse::<UserId>(), Err(MalformedId));
        assert_eq!(id.to_string().to_uppercase().parse::<AccountId>(), Err(MalformedId));
        assert_eq!("acc_".parse::<AccountId>(), Err(MalformedId));
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let earlier = UsageId::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let later = UsageId::new(DateTime::from_timestamp(1_800_000_000, 2_000_000).unwrap());
        assert!(earlier < later);
    }
}
