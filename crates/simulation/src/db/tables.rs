//! Every table with its primary key and its unique indexes.

use super::table::{KeyOf, Table, hash};
use super::versions::TxId;
use chrono::{DateTime, NaiveDate, Utc};
use domain::accounts::Account;
use domain::audit::Recorded;
use domain::audit_chain::{ChainHead, ChainRow};
use domain::id::{
    AccountId, AdjustmentId, ApiKeyId, DebtId, GrantId, PlanVersionId, ReservationId, TransferId, UsageId, UserId,
    WarningId,
};
use domain::idempotency::StoredAnswer;
use domain::identity::{ApiKey, User};
use domain::metering::{Debt, Reservation, RollupKey, RollupSums, UsageRecord};
use domain::outbox::StoredEvent;
use domain::plans::{OpenedPeriod, PlanVersion, Subscription};
use domain::quota::{Counter, FiredWarning, Grant};
use domain::teams::Membership;
use domain::wallet::{Adjustment, Transfer, Wallet, WalletEntry};
use std::sync::Arc;
use uuid::Uuid;

/// A period of an account by its start.
pub type SlotKey = (AccountId, DateTime<Utc>);

/// A period, and when it was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub opened: OpenedPeriod,
    pub at: Option<DateTime<Utc>>,
}

/// A member of a team.
pub type Membering = (AccountId, UserId);

/// Declares the tables: primary key, row, and the keys of unique indexes.
macro_rules! tables {
    ($($name:ident: $key:ty => $row:ty $(, unique $unique:expr)*;)+) => {
        pub struct Tables {
            $(pub $name: Table<$key, $row>,)+
        }

        impl Default for Tables {
            fn default() -> Self {
                let mut number = 0;
                $(
                    number += 16;
                    let keys: &[KeyOf<$row>] = &[$($unique),*];
                    let $name = Table::new(number, stringify!($name), keys);
                )+
                Self { $($name,)+ }
            }
        }

        impl Tables {
            /// What the unit of work wrote becomes everybody's, or nobody's.
            pub fn settle(&mut self, tx: TxId, commit: bool) {
                $(self.$name.settle(tx, commit);)+
            }

            /// How many rows are committed in all.
            pub fn count_rows(&self) -> usize {
                0 $(+ self.$name.iter(super::OUTSIDE).count())+
            }
        }
    };
}

tables! {
    users: UserId => User,
        unique |row| row.username.as_ref().map(|name| hash(&("username", name.to_string()))),
        unique |row| row.external_id.as_ref().map(hash);
    accounts: AccountId => Account, unique |row| row.external_id.as_ref().map(hash);
    api_keys: ApiKeyId => ApiKey;
    plans: PlanVersionId => Arc<PlanVersion>,
        unique |row| Some(hash(&(row.plan.code.as_str(), row.number))),
        unique |row| Some(hash(&(row.plan.code.as_str(), &row.content_hash)));
    subscriptions: AccountId => Subscription;
    periods: SlotKey => Closed;
    counters: (AccountId, DateTime<Utc>, Uuid, String) => Counter;
    usage_keys: (AccountId, String) => (UsageId, String);
    usage: (AccountId, UsageId) => Arc<UsageRecord>;
    hourly: (AccountId, DateTime<Utc>, u64) => (RollupKey<DateTime<Utc>>, RollupSums);
    daily: (AccountId, NaiveDate, u64) => (RollupKey<NaiveDate>, RollupSums);
    grants: (AccountId, GrantId) => Grant,
        unique |row| Some(hash(&(row.account, row.origin, &row.reference)));
    reservations: (AccountId, ReservationId) => Reservation, unique |row| Some(hash(&(row.account, &row.key)));
    debts: DebtId => Debt, unique |row| Some(hash(&row.reservation));
    warnings: WarningId => FiredWarning;
    overage_dues: SlotKey => DateTime<Utc>;
    wallets: (AccountId, String) => Wallet;
    wallet_entries: (AccountId, String, i64) => WalletEntry;
    transfers: TransferId => Transfer, unique |row| Some(hash(&(row.kind, &row.reference)));
    adjustments: AdjustmentId => Adjustment;
    answers: (UserId, String, String) => (StoredAnswer, DateTime<Utc>);
    outbox: i64 => (StoredEvent, Option<DateTime<Utc>>);
    audit: i64 => (Recorded, ChainRow);
    audit_head: u8 => ChainHead;
    options: String => String;
    leases: String => (Uuid, DateTime<Utc>);
    members: Membering => Membership;
}
