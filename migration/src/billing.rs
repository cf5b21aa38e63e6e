//! Bills, their lines and payments, coupons, and where tariffs changed within a period.

use crate::columns::{self as c, added_column, dropped_index_step, index_step, named, table};
use sea_orm_migration::prelude::*;

const KINDS: [&str; 4] = ["subscription", "month", "overage", "refund"];
const STATUSES: [&str; 3] = ["unpaid", "paid", "void"];
const CHASED: [&str; 5] = ["issued", "reminded", "past_due", "suspended", "given_up"];
const LINES: [&str; 6] = ["base", "credit", "overage", "adjustment", "correction", "refund"];
const METHODS: [&str; 6] = ["wallet", "nothing", "wechat", "alipay", "stripe", "manual"];

/// `billing_records`: what an account owes for a period. Amounts never change once a bill is issued.
pub struct BillingRecords;
named!(BillingRecords, "m0450_billing_records");

#[async_trait::async_trait]
impl MigrationTrait for BillingRecords {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let bills = table(m, "billing_records")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::word("kind", &KINDS))
            .col(c::word("status", &STATUSES))
            .col(c::optional_text("live_key", 64))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "period_end"))
            .col(c::text("billing_period", 7))
            .col(c::text("plan_code", 32))
            .col(c::text("currency", 3))
            .col(c::integer(m, "base_nanos"))
            .col(c::integer(m, "overage_nanos"))
            .col(c::integer(m, "discount_nanos"))
            .col(c::integer(m, "total_nanos"))
            .col(c::integer(m, "refunded_nanos"))
            .col(c::optional_id("refund_of"))
            .col(c::optional_long_text("activates"))
            .col(c::optional_text("coupon", 32))
            .col(c::optional_text("remark", 255))
            .col(c::time(m, "issued_at"))
            .col(c::time(m, "due_at"))
            .col(c::optional_time(m, "paid_at"))
            .col(c::optional_time(m, "voided_at"))
            .col(c::word("chased", &CHASED))
            .col(c::optional_time(m, "chase_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .check(Expr::cust("total_nanos = base_nanos + overage_nanos - discount_nanos"))
            .check(Expr::cust("total_nanos >= 0 AND discount_nanos >= 0"))
            .check(Expr::cust("refunded_nanos >= 0 AND refunded_nanos <= total_nanos"))
            .check(Expr::cust("(status = 'void') = (live_key IS NULL)"))
            .check(Expr::cust("(kind = 'refund') = (refund_of IS NOT NULL)"))
            .to_owned();
        m.create_table(bills).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("billing_records").to_owned()).await
    }
}

index_step!(
    /// One bill of a kind and period that is not void: the key of void ones is NULL, which no index compares.
    BillingRecordsLive, "m0451_billing_records_live", "billing_records", ["account_id", "kind", "live_key"], true
);
index_step!(
    /// The bills of a quota period or a term.
    BillingRecordsByPeriod, "m0452_billing_records_by_period", "billing_records",
    ["account_id", "period_start", "kind"], false
);
index_step!(
    /// An account's bills, newest first.
    BillingRecordsByAccount, "m0453_billing_records_by_account", "billing_records", ["account_id", "id"], false
);
index_step!(
    /// Unpaid bills that are to be chased.
    BillingRecordsToChase, "m0454_billing_records_to_chase", "billing_records", ["status", "chase_at"], false
);
index_step!(
    /// The bills of a month.
    BillingRecordsByMonth, "m0455_billing_records_by_month", "billing_records", ["billing_period", "id"], false
);

/// `billing_lines`: what a bill is made of.
pub struct BillingLines;
named!(BillingLines, "m0456_billing_lines");

#[async_trait::async_trait]
impl MigrationTrait for BillingLines {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let lines = table(m, "billing_lines")
            .await?
            .col(c::id("bill_id"))
            .col(c::small("number"))
            .col(c::word("kind", &LINES))
            .col(c::text("plan_code", 32))
            .col(c::optional_text("plan_interval", 8))
            .col(c::small("seats"))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "period_end"))
            .col(c::optional_text("meter", 32))
            .col(c::optional_integer(m, "quantity"))
            .col(c::optional_text("display_quantity", 48))
            .col(c::optional_text("display_unit", 64))
            .col(c::optional_long_text("tier"))
            .col(c::text("currency", 3))
            .col(c::integer(m, "amount_nanos"))
            .col(c::integer(m, "discount_nanos"))
            .primary_key(&mut c::key(&["bill_id", "number"]))
            .to_owned();
        m.create_table(lines).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("billing_lines").to_owned()).await
    }
}

/// `billing_overages`: what a bill comes to for each meter.
pub struct BillingOverages;
named!(BillingOverages, "m0457_billing_overages");

#[async_trait::async_trait]
impl MigrationTrait for BillingOverages {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let overages = table(m, "billing_overages")
            .await?
            .col(c::id("bill_id"))
            .col(c::text("meter", 32))
            .col(c::integer(m, "quantity"))
            .col(c::text("display_quantity", 48))
            .col(c::text("display_unit", 64))
            .col(c::text("currency", 3))
            .col(c::integer(m, "fee_nanos"))
            .primary_key(&mut c::key(&["bill_id", "meter"]))
            .to_owned();
        m.create_table(overages).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("billing_overages").to_owned()).await
    }
}

/// `billing_payments`: what came in for a bill, or went back of it.
pub struct BillingPayments;
named!(BillingPayments, "m0458_billing_payments");

#[async_trait::async_trait]
impl MigrationTrait for BillingPayments {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let payments = table(m, "billing_payments")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::id("bill_id"))
            .col(c::word("method", &METHODS))
            .col(c::text("currency", 3))
            .col(c::integer(m, "amount_nanos"))
            .col(c::optional_text("transaction_id", 128))
            .col(c::time(m, "paid_at"))
            .primary_key(&mut c::key(&["id"]))
            .check(Expr::cust("amount_nanos >= 0"))
            .to_owned();
        m.create_table(payments).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("billing_payments").to_owned()).await
    }
}

index_step!(
    /// A bill is paid once, whole.
    BillingPaymentsByBill, "m0459_billing_payments_by_bill", "billing_payments", ["bill_id"], true
);

/// `coupons`: codes that take something off the bill of a plan.
pub struct Coupons;
named!(Coupons, "m0460_coupons");

#[async_trait::async_trait]
impl MigrationTrait for Coupons {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let coupons = table(m, "coupons")
            .await?
            .col(c::id("id"))
            .col(c::text("code", 32))
            .col(c::word("kind", &["percent", "fixed"]))
            .col(c::integer(m, "value"))
            .col(c::optional_text("currency", 3))
            .col(c::optional_integer(m, "max_uses"))
            .col(c::integer(m, "uses"))
            .col(c::optional_time(m, "valid_from"))
            .col(c::optional_time(m, "valid_until"))
            .col(c::optional_text("plan_code", 32))
            .col(c::boolean("disabled"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("coupons", &["code"], true))
            .check(Expr::cust("uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)"))
            .check(Expr::cust("value > 0 AND (kind = 'fixed' OR value <= 100)"))
            .check(Expr::cust("(kind = 'fixed') = (currency IS NOT NULL)"))
            .to_owned();
        m.create_table(coupons).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("coupons").to_owned()).await
    }
}

/// `billing_tariff_marks`: up to which overage of a period an earlier plan's tariff holds.
pub struct BillingTariffMarks;
named!(BillingTariffMarks, "m0461_billing_tariff_marks");

#[async_trait::async_trait]
impl MigrationTrait for BillingTariffMarks {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let marks = table(m, "billing_tariff_marks")
            .await?
            .col(c::id("account_id"))
            .col(c::time(m, "period_start"))
            .col(c::text("meter", 32))
            .col(c::integer(m, "position"))
            .col(c::id("plan_version_id"))
            .primary_key(&mut c::key(&["account_id", "period_start", "meter", "position"]))
            .to_owned();
        m.create_table(marks).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("billing_tariff_marks").to_owned()).await
    }
}

added_column!(
    /// Whether bills are paid from the wallet as they are issued.
    UserSubscriptionsAutoPay, "m0462_user_subscriptions_auto_pay", "user_subscriptions", "auto_pay",
    |_| c::boolean("auto_pay").default(false).take()
);
index_step!(
    /// Terms that end, and are renewed.
    UserSubscriptionsByTerm, "m0463_user_subscriptions_by_term", "user_subscriptions", ["term_end", "account_id"], false
);

/// `overage_dues`: periods whose overage is to be billed before they end.
pub struct OverageDues;
named!(OverageDues, "m0512_overage_dues");

#[async_trait::async_trait]
impl MigrationTrait for OverageDues {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let dues = table(m, "overage_dues")
            .await?
            .col(c::id("account_id"))
            .col(c::time(m, "period_start"))
            .col(c::time(m, "noted_at"))
            .primary_key(&mut c::key(&["account_id", "period_start"]))
            .to_owned();
        m.create_table(dues).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("overage_dues").to_owned()).await
    }
}

added_column!(
    /// For how many seats a plan held that ended within a period.
    BillingTariffMarksSeats, "m0513_billing_tariff_marks_seats", "billing_tariff_marks", "seats",
    |_| c::small("seats").default(1).take()
);
added_column!(
    /// The version whose price a fee is.
    BillingLinesVersion, "m0514_billing_lines_version", "billing_lines", "plan_version_id",
    |_| c::optional_id("plan_version_id")
);

index_step!(
    /// Whose periods end together are rolled over in the order of this index, however many they are.
    UserSubscriptionsDueInOrder, "m0515_user_subscriptions_due_in_order", "user_subscriptions",
    ["period_end", "account_id"], false
);
index_step!(
    /// Periods that end together are closed in the order of this index.
    QuotaPeriodsOpenInOrder, "m0516_quota_periods_open_in_order", "quota_periods",
    ["closed_at", "period_start", "account_id"], false
);
index_step!(
    /// Bills that are due together are chased in the order of this index.
    BillingRecordsToChaseInOrder, "m0517_billing_records_to_chase_in_order", "billing_records",
    ["status", "chase_at", "id"], false
);
dropped_index_step!(
    /// `m0515` serves as well.
    UserSubscriptionsDueDropped, "m0518_user_subscriptions_due_dropped", "user_subscriptions", ["period_end"], false
);
dropped_index_step!(
    /// `m0516` serves as well.
    QuotaPeriodsOpenDropped, "m0519_quota_periods_open_dropped", "quota_periods", ["closed_at", "period_start"], false
);
