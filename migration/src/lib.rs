//! The schema, one step per change, the same on SQLite, PostgreSQL and MariaDB.

mod billing;
pub mod columns;
mod identity;
mod incentives;
mod invoices;
mod kernel;
mod lookups;
mod metering;
mod mirrors;
mod notices;
mod operators;
mod orders;
mod plans;
mod quota;
mod reservations;
mod retention;
mod settlement;
mod teams;
mod verification;
mod wallet;

use sea_orm_migration::prelude::*;

pub use sea_orm_migration::{IntoSchemaManagerConnection, MigrationStatus, MigratorTrait};

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        [core(), people(), money()].into_iter().flatten().collect()
    }
}

/// Plans, identity, quota and metering.
fn core() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(kernel::AuditLog),
        Box::new(kernel::Outbox),
        Box::new(kernel::OutboxDue),
        Box::new(kernel::IdempotencyKeys),
        Box::new(kernel::Leases),
        Box::new(kernel::Options),
        Box::new(plans::PlanVersions),
        Box::new(plans::UserSubscriptions),
        Box::new(plans::UserSubscriptionsDue),
        Box::new(plans::QuotaPeriods),
        Box::new(identity::Users),
        Box::new(identity::UsersByRole),
        Box::new(identity::Sessions),
        Box::new(identity::SessionsByExpiry),
        Box::new(identity::ApiKeys),
        Box::new(identity::LoginThrottles),
        Box::new(identity::Accounts),
        Box::new(identity::AccountsByOwner),
        Box::new(quota::QuotaCounters),
        Box::new(quota::QuotaGrants),
        Box::new(quota::QuotaWarnings),
        Box::new(metering::UsageRecords),
        Box::new(metering::UsageKeys),
        Box::new(metering::UsageHourly),
        Box::new(metering::UsageDaily),
        Box::new(metering::MonthlyUsage),
        Box::new(reservations::Reservations),
        Box::new(reservations::ReservationsById),
        Box::new(reservations::ReservationsDue),
        Box::new(reservations::CountersHeldGrants),
        Box::new(reservations::GrantsHeld),
        Box::new(reservations::GrantsRevokedAt),
        Box::new(reservations::ApiKeysAllowanceHeld),
        Box::new(reservations::AccountDebts),
        Box::new(reservations::AccountDebtsById),
        Box::new(retention::UsageCatchAll),
        Box::new(retention::QuotaPeriodsOpen),
    ]
}

/// Operators, notices and teams.
fn people() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(operators::AuditPosition),
        Box::new(operators::AuditPreviousHash),
        Box::new(operators::AuditHash),
        Box::new(operators::AuditByPosition),
        Box::new(operators::AuditHeads),
        Box::new(operators::AuditGenesis),
        Box::new(operators::AuditByActor),
        Box::new(operators::AuditByTarget),
        Box::new(operators::AuditByAction),
        Box::new(operators::AuditByAccount),
        Box::new(operators::OAuthIdentities),
        Box::new(operators::OAuthFlows),
        Box::new(operators::OAuthFlowsByExpiry),
        Box::new(operators::UsersWalkUsername),
        Box::new(operators::UsersWalkEmail),
        Box::new(operators::UsersWalkPhone),
        Box::new(operators::UsersWalkExternalId),
        Box::new(operators::AccountsWalkExternalId),
        Box::new(operators::AccountsWalkName),
        Box::new(notices::OutboxWithoutOrder),
        Box::new(notices::OutboxInOrder),
        Box::new(notices::OutboxWaiting),
        Box::new(notices::Notices),
        Box::new(notices::NoticesInOrder),
        Box::new(notices::NoticesByAge),
        Box::new(notices::WebhookEndpoints),
        Box::new(notices::WebhookEndpointsByAccount),
        Box::new(notices::DeliveryLanes),
        Box::new(notices::DeliveryLanesDue),
        Box::new(notices::Deliveries),
        Box::new(notices::DeliveriesById),
        Box::new(notices::DeliveriesWaiting),
        Box::new(notices::DeliveriesByStatus),
        Box::new(teams::LongAccountNames),
        Box::new(teams::Teams),
        Box::new(teams::TeamMembers),
        Box::new(teams::TeamMembersByUser),
        Box::new(teams::TeamAllocations),
        Box::new(teams::TeamInvitations),
        Box::new(teams::ApiKeysByAccount),
    ]
}

/// Wallets, bills, orders and incentives.
fn money() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(wallet::Wallets),
        Box::new(wallet::LedgerTransfers),
        Box::new(wallet::WalletEntries),
        Box::new(wallet::LedgerAdjustments),
        Box::new(wallet::CountersWalletPaid),
        Box::new(wallet::CountersWalletHeld),
        Box::new(wallet::UsageTransfer),
        Box::new(billing::BillingRecords),
        Box::new(billing::BillingRecordsLive),
        Box::new(billing::BillingRecordsByPeriod),
        Box::new(billing::BillingRecordsByAccount),
        Box::new(billing::BillingRecordsToChase),
        Box::new(billing::BillingRecordsByMonth),
        Box::new(billing::BillingLines),
        Box::new(billing::BillingOverages),
        Box::new(billing::BillingPayments),
        Box::new(billing::BillingPaymentsByBill),
        Box::new(billing::Coupons),
        Box::new(billing::BillingTariffMarks),
        Box::new(billing::UserSubscriptionsAutoPay),
        Box::new(billing::UserSubscriptionsByTerm),
        Box::new(invoices::BillingInvoices),
        Box::new(invoices::BillingInvoicesStanding),
        Box::new(invoices::BillingInvoicesByAccount),
        Box::new(invoices::BillingInvoicesByBill),
        Box::new(orders::Products),
        Box::new(orders::Orders),
        Box::new(orders::OrdersById),
        Box::new(orders::OrdersDue),
        Box::new(orders::Payments),
        Box::new(orders::PaymentsById),
        Box::new(orders::PaymentsByOrder),
        Box::new(orders::PaymentsDue),
        Box::new(orders::PaymentsByTransaction),
        Box::new(orders::PaymentsByDay),
        Box::new(orders::Refunds),
        Box::new(orders::RefundsById),
        Box::new(orders::RefundsByPayment),
        Box::new(orders::RefundsDue),
        Box::new(settlement::SuspenseItems),
        Box::new(settlement::SuspenseItemsById),
        Box::new(settlement::PaymentMessages),
        Box::new(settlement::ReconciliationItems),
        Box::new(settlement::ReconciledDays),
        Box::new(settlement::RefundsByDay),
        Box::new(incentives::RedemptionBatches),
        Box::new(incentives::RedemptionCodes),
        Box::new(incentives::RedemptionCodesByBatch),
        Box::new(incentives::RedemptionUses),
        Box::new(incentives::RedemptionUsesByBatch),
        Box::new(incentives::CheckIns),
        Box::new(incentives::Referrals),
        Box::new(incentives::ReferralRewards),
        Box::new(verification::UserVerifications),
        Box::new(mirrors::ProviderSubscriptions),
        Box::new(mirrors::ProviderSubscriptionsByReference),
        Box::new(mirrors::ProviderSubscriptionsByAccount),
        Box::new(mirrors::ProviderCharges),
        Box::new(mirrors::ProviderChargesByDay),
        Box::new(mirrors::ProviderChargesByAccount),
        Box::new(mirrors::ProviderSubscriptionsRevision),
        Box::new(mirrors::ProviderSubscriptionsCheckout),
        Box::new(invoices::BillingInvoicesOutdated),
        Box::new(orders::OrdersBill),
        Box::new(orders::OrdersByBill),
        Box::new(billing::OverageDues),
        Box::new(billing::BillingTariffMarksSeats),
        Box::new(billing::BillingLinesVersion),
        Box::new(billing::UserSubscriptionsDueInOrder),
        Box::new(billing::QuotaPeriodsOpenInOrder),
        Box::new(billing::BillingRecordsToChaseInOrder),
        Box::new(billing::UserSubscriptionsDueDropped),
        Box::new(billing::QuotaPeriodsOpenDropped),
        Box::new(lookups::IdempotencyKeysByAge),
        Box::new(lookups::LoginThrottlesByAge),
        Box::new(lookups::SuspenseItemsByStatus),
        Box::new(lookups::LedgerAdjustmentsByStatus),
        Box::new(lookups::ProviderSubscriptionsByStatus),
        Box::new(lookups::BillingInvoicesByStatus),
    ]
}
