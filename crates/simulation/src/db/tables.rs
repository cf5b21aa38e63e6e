//! Every table with its primary key and its unique indexes.

use super::table::{KeyOf, Table, hash};
use super::versions::TxId;
use chrono::{DateTime, NaiveDate, Utc};
use domain::accounts::Account;
use domain::audit::Recorded;
use domain::audit_chain::{ChainHead, ChainRow};
use domain::billing::{BillPayment, Coupon, Invoice, IssuedBill, Mirror, TariffMark};
use domain::id::{
    AccountId, AdjustmentId, ApiKeyId, BillId, BillPaymentId, CouponId, DebtId, DifferenceId, GrantId, IdentityId,
    InvitationId, InvoiceId, LaneId, MirrorId, NoticeId, OrderId, PaymentId, PaymentMessageId, PlanVersionId,
    ProductId, RedemptionBatchId, RedemptionCodeId, RedemptionUseId, RefundId, ReservationId, SessionId, SuspenseId,
    TeamId, TransferId, UsageId, UserId, WarningId, WebhookEndpointId,
};
use domain::idempotency::StoredAnswer;
use domain::identity::{ApiKey, LoginThrottle, OAuthFlow, OAuthIdentity, Session, ThrottleKey, User, Verification};
use domain::incentives::{CheckIn, RedemptionBatch, RedemptionCode, RedemptionUse, Referral, ReferralReward};
use domain::metering::{Debt, Reservation, RollupKey, RollupSums, UsageRecord};
use domain::notices::{Delivery, Lane, Notice, WebhookEndpoint};
use domain::orders::{Charge, Difference, Order, Payment, PaymentMessage, Product, Refund, SuspenseItem};
use domain::outbox::StoredEvent;
use domain::plans::{OpenedPeriod, PlanVersion, Subscription};
use domain::quantity::Quantity;
use domain::quota::{Counter, FiredWarning, Grant};
use domain::teams::{Invitation, Membership, Team};
use domain::wallet::{Adjustment, Provider, Transfer, Wallet, WalletEntry};
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

/// A lane with when it is due, and whose it is for how long.
#[derive(Clone, Debug)]
pub struct LaneRow {
    pub lane: Lane,
    pub due_at: Option<DateTime<Utc>>,
    pub lease: Option<(Uuid, DateTime<Utc>)>,
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
    bills: BillId => IssuedBill,
        unique |row| row.bill.live_key().map(|key| hash(&(row.bill.account, row.bill.kind, key)));
    bill_payments: BillPaymentId => BillPayment, unique |row| Some(hash(&row.bill));
    coupons: CouponId => Coupon, unique |row| Some(hash(&row.code));
    invoices: InvoiceId => Invoice, unique |row| row.status.stands().then(|| hash(&row.bill));
    mirrors: MirrorId => Mirror,
        unique |row| Some(hash(&row.bill)),
        unique |row| row.reference.as_ref().map(|reference| hash(&(row.provider, reference)));
    marks: (AccountId, DateTime<Utc>, String, i64) => TariffMark;
    products: ProductId => Product, unique |row| Some(hash(&row.code));
    orders: OrderId => Order;
    payments: PaymentId => Payment,
        unique |row| row.transaction.as_ref().map(|number| hash(&(row.provider, number)));
    refunds: RefundId => Refund;
    suspense: SuspenseId => SuspenseItem, unique |row| Some(hash(&(row.payment, &row.transaction)));
    payment_messages: PaymentMessageId => PaymentMessage, unique |row| Some(hash(&(row.provider, &row.message)));
    charges: (Provider, String) => Charge;
    differences: DifferenceId => Difference,
        unique |row| Some(hash(&(row.provider, row.day, row.class.name(), &row.number)));
    reconciled_days: (Provider, NaiveDate) => DateTime<Utc>;
    redemption_batches: RedemptionBatchId => RedemptionBatch;
    redemption_codes: RedemptionCodeId => RedemptionCode, unique |row| Some(hash(&row.digest));
    redemption_uses: RedemptionUseId => RedemptionUse, unique |row| Some(hash(&(row.user, row.code)));
    check_ins: (UserId, NaiveDate) => CheckIn;
    referrals: UserId => Referral, unique |row| Some(hash(&row.code.as_str()));
    referral_rewards: UserId => ReferralReward;
    teams: TeamId => Team,
        unique |row| Some(hash(&row.account)),
        unique |row| row.team_code.as_ref().map(hash),
        unique |row| row.invite_code.as_ref().map(hash);
    members: Membering => Membership;
    allocations: (AccountId, UserId, String) => Quantity;
    invitations: InvitationId => Invitation, unique |row| Some(hash(&row.code));
    sessions: SessionId => Session, unique |row| Some(hash(&row.token_hash));
    throttles: ThrottleKey => LoginThrottle;
    oauth_identities: IdentityId => OAuthIdentity, unique |row| Some(hash(&(&row.provider, &row.subject)));
    oauth_flows: String => OAuthFlow;
    verifications: UserId => Verification, unique |row| Some(hash(&row.number_index));
    notices: NoticeId => Notice;
    webhooks: WebhookEndpointId => WebhookEndpoint;
    lanes: LaneId => LaneRow;
    deliveries: (LaneId, i64) => Delivery, unique |row| Some(hash(&row.id));
}
