//! Products, orders, payment attempts and refunds.

use crate::columns::{self as c, added_column, index_step, named, table};
use sea_orm_migration::prelude::*;

pub(crate) const PROVIDERS: [&str; 4] = ["wechat", "alipay", "stripe", "manual"];

/// `products`: packs of quota on sale, and those that were.
pub struct Products;
named!(Products, "m0410_products");

#[async_trait::async_trait]
impl MigrationTrait for Products {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let products = table(m, "products")
            .await?
            .col(c::id("id"))
            .col(c::text("code", 64))
            .col(c::text("name", 64))
            .col(c::optional_text("description", 512))
            .col(c::text("meter", 32))
            .col(c::integer(m, "quantity"))
            .col(c::optional_long_text("models"))
            .col(c::optional_integer(m, "valid_days"))
            .col(c::integer(m, "price"))
            .col(c::text("currency", 3))
            .col(c::small("sort"))
            .col(c::boolean("enabled"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("products", &["code"], true))
            .check(Expr::cust("price > 0 AND quantity > 0"))
            .to_owned();
        m.create_table(products).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("products").to_owned()).await
    }
}

/// `orders`: what accounts buy. `purpose` keeps what was on sale when it was ordered.
pub struct Orders;
named!(Orders, "m0411_orders");

#[async_trait::async_trait]
impl MigrationTrait for Orders {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let statuses = ["created", "awaiting_delivery", "delivered", "closing", "closed"];
        let orders = table(m, "orders")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("user_id"))
            .col(c::word("purpose_kind", &["product", "top_up", "bill"]))
            .col(c::optional_id("product_id"))
            .col(c::long_text("purpose"))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::text("description", 120))
            .col(c::word("status", &statuses))
            .col(c::optional_id("paid_by"))
            .col(c::optional_text("close_reason", 32))
            .col(c::time(m, "expires_at"))
            .col(c::optional_time(m, "delivered_at"))
            .col(c::optional_time(m, "closed_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .check(Expr::cust("amount > 0"))
            .check(Expr::cust("(status = 'delivered') = (delivered_at IS NOT NULL)"))
            .check(Expr::cust("status <> 'delivered' OR paid_by IS NOT NULL"))
            .to_owned();
        m.create_table(orders).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("orders").to_owned()).await
    }
}

index_step!(
    /// A path names an order by its own id; operators list those of all accounts.
    OrdersById, "m0412_orders_by_id", "orders", ["id"], true
);
index_step!(
    /// The loop asks for what is unpaid and due.
    OrdersDue, "m0413_orders_due", "orders", ["status", "expires_at"], false
);

/// `payments`: attempts to pay an order. The provider knows each by the digits of its id.
pub struct Payments;
named!(Payments, "m0414_payments");

#[async_trait::async_trait]
impl MigrationTrait for Payments {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let statuses = ["unknown", "pending", "paid", "failed", "cancelled", "partially_refunded", "refunded"];
        let payments = table(m, "payments")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("order_id"))
            .col(c::word("provider", &PROVIDERS))
            .col(c::word("method", &["default", "page"]))
            .col(c::word("status", &statuses))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::optional_integer(m, "captured"))
            .col(c::optional_text("captured_currency", 3))
            .col(c::optional_text("transaction_id", 128))
            .col(c::optional_text("provider_reference", 255))
            .col(c::optional_text("action", 16))
            .col(c::optional_long_text("pay_url"))
            .col(c::integer(m, "refunding"))
            .col(c::integer(m, "refunded"))
            .col(c::time(m, "expires_at"))
            .col(c::optional_time(m, "paid_at"))
            .col(c::integer(m, "polls"))
            .col(c::optional_time(m, "next_poll_at"))
            .col(c::optional_time(m, "polled_at"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .check(Expr::cust("amount > 0 AND (captured IS NULL OR captured > 0)"))
            .check(Expr::cust("0 <= refunded AND refunded <= refunding"))
            .check(Expr::cust("refunding <= COALESCE(captured, 0)"))
            .check(Expr::cust("(captured IS NULL) = (transaction_id IS NULL)"))
            .to_owned();
        m.create_table(payments).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("payments").to_owned()).await
    }
}

index_step!(
    /// Notifications and paths name a payment by its own id.
    PaymentsById, "m0415_payments_by_id", "payments", ["id"], true
);
index_step!(
    /// The attempts of an order.
    PaymentsByOrder, "m0416_payments_by_order", "payments", ["order_id"], false
);
index_step!(
    /// The loop asks for the attempts whose provider is to be asked.
    PaymentsDue, "m0417_payments_due", "payments", ["next_poll_at"], false
);
index_step!(
    /// A capture pays once.
    PaymentsByTransaction, "m0418_payments_by_transaction", "payments", ["provider", "transaction_id"], true
);
index_step!(
    /// Reconciliation asks for what a provider took on a day.
    PaymentsByDay, "m0419_payments_by_day", "payments", ["provider", "paid_at"], false
);

/// `refunds`: money on its way back.
pub struct Refunds;
named!(Refunds, "m0420_refunds");

#[async_trait::async_trait]
impl MigrationTrait for Refunds {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let refunds = table(m, "refunds")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::id("payment_id"))
            .col(c::id("order_id"))
            .col(c::integer(m, "amount"))
            .col(c::text("currency", 3))
            .col(c::text("reason", 80))
            .col(c::word("status", &["unknown", "processing", "succeeded", "failed", "abnormal"]))
            .col(c::optional_text("problem", 255))
            .col(c::id("operator_id"))
            .col(c::optional_id("suspense_id"))
            .col(c::boolean("even_if_used"))
            .col(c::integer(m, "taken_back"))
            .col(c::integer(m, "checks"))
            .col(c::optional_time(m, "next_check_at"))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "ended_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .check(Expr::cust("amount > 0 AND taken_back >= 0"))
            .check(Expr::cust("(status IN ('succeeded','failed')) = (ended_at IS NOT NULL)"))
            .to_owned();
        m.create_table(refunds).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("refunds").to_owned()).await
    }
}

index_step!(
    /// Notifications and paths name a refund by its own id.
    RefundsById, "m0421_refunds_by_id", "refunds", ["id"], true
);
index_step!(
    /// The refunds of a payment.
    RefundsByPayment, "m0422_refunds_by_payment", "refunds", ["payment_id"], false
);
index_step!(
    /// The loop asks for refunds that are not over.
    RefundsDue, "m0423_refunds_due", "refunds", ["next_check_at"], false
);

added_column!(
    /// The bill that an order pays.
    OrdersBill, "m0510_orders_bill", "orders", "bill_id", |_| c::optional_id("bill_id")
);
index_step!(
    /// The orders of a bill.
    OrdersByBill, "m0511_orders_by_bill", "orders", ["bill_id"], false
);
