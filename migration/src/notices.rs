//! The outbox in the order of its events, notices, webhook endpoints, lanes and deliveries.

use crate::columns::{self as c, named, table};
use crate::kernel::{Outbox, OutboxDue};
use sea_orm_migration::prelude::*;

/// The first outbox could not tell the order of events of one instant, and nothing was ever delivered from it.
pub struct OutboxWithoutOrder;
named!(OutboxWithoutOrder, "m0321_outbox_without_order");

#[async_trait::async_trait]
impl MigrationTrait for OutboxWithoutOrder {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("outbox").to_owned()).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        Outbox.up(m).await?;
        OutboxDue.up(m).await
    }
}

/// `outbox`: what must follow a commit, numbered in that commit.
pub struct OutboxInOrder;
named!(OutboxInOrder, "m0322_outbox_in_order");

#[async_trait::async_trait]
impl MigrationTrait for OutboxInOrder {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let outbox = table(m, "outbox")
            .await?
            .col(c::number("position"))
            .col(c::id("id").unique_key().take())
            .col(c::id("account_id"))
            .col(c::text("kind", 64))
            .col(c::long_text("payload"))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "fanned_out_at"))
            .to_owned();
        m.create_table(outbox).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("outbox").to_owned()).await
    }
}

/// What was not fanned out, in order; and what was so long ago.
pub struct OutboxWaiting;
named!(OutboxWaiting, "m0323_outbox_waiting");

#[async_trait::async_trait]
impl MigrationTrait for OutboxWaiting {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("outbox", &["fanned_out_at", "position"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("outbox", &["fanned_out_at", "position"], false)).await
    }
}

/// `notices`: events as the members of an account see them.
pub struct Notices;
named!(Notices, "m0324_notices");

#[async_trait::async_trait]
impl MigrationTrait for Notices {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let notices = table(m, "notices")
            .await?
            .col(c::id("account_id"))
            .col(c::id("id"))
            .col(c::text("kind", 64))
            .col(c::long_text("payload"))
            .col(c::integer(m, "position"))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "read_at"))
            .primary_key(&mut c::key(&["account_id", "id"]))
            .to_owned();
        m.create_table(notices).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("notices").to_owned()).await
    }
}

/// Notices are listed by their events' order.
pub struct NoticesInOrder;
named!(NoticesInOrder, "m0325_notices_in_order");

#[async_trait::async_trait]
impl MigrationTrait for NoticesInOrder {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("notices", &["account_id", "position"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("notices", &["account_id", "position"], false)).await
    }
}

/// Old notices are swept.
pub struct NoticesByAge;
named!(NoticesByAge, "m0326_notices_by_age");

#[async_trait::async_trait]
impl MigrationTrait for NoticesByAge {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("notices", &["created_at"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("notices", &["created_at"], false)).await
    }
}

/// `webhook_endpoints`: where customers want events posted.
pub struct WebhookEndpoints;
named!(WebhookEndpoints, "m0327_webhook_endpoints");

#[async_trait::async_trait]
impl MigrationTrait for WebhookEndpoints {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let endpoints = table(m, "webhook_endpoints")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::text("url", 2048))
            .col(c::optional_text("description", 255))
            .col(c::optional_long_text("events"))
            .col(c::word("state", &["enabled", "disabled", "failed"]))
            .col(c::text("secret", 255))
            .col(c::optional_text("old_secret", 255))
            .col(c::optional_time(m, "old_secret_until"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .to_owned();
        m.create_table(endpoints).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("webhook_endpoints").to_owned()).await
    }
}

/// An account's endpoints, newest first.
pub struct WebhookEndpointsByAccount;
named!(WebhookEndpointsByAccount, "m0328_webhook_endpoints_by_account");

#[async_trait::async_trait]
impl MigrationTrait for WebhookEndpointsByAccount {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("webhook_endpoints", &["account_id", "id"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("webhook_endpoints", &["account_id", "id"], false)).await
    }
}

/// `delivery_lanes`: the line before each destination, and who works on it.
pub struct DeliveryLanes;
named!(DeliveryLanes, "m0329_delivery_lanes");

#[async_trait::async_trait]
impl MigrationTrait for DeliveryLanes {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let lanes = table(m, "delivery_lanes")
            .await?
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::word("kind", &["mail", "webhook"]))
            .col(c::integer(m, "failures"))
            .col(c::optional_time(m, "failing_since"))
            .col(c::optional_time(m, "due_at"))
            .col(c::optional_id("lease_holder"))
            .col(c::optional_time(m, "leased_until"))
            .primary_key(&mut c::key(&["id"]))
            .to_owned();
        m.create_table(lanes).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("delivery_lanes").to_owned()).await
    }
}

/// Couriers ask for lanes that are due.
pub struct DeliveryLanesDue;
named!(DeliveryLanesDue, "m0330_delivery_lanes_due");

#[async_trait::async_trait]
impl MigrationTrait for DeliveryLanesDue {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("delivery_lanes", &["due_at"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("delivery_lanes", &["due_at"], false)).await
    }
}

/// `deliveries`: one event for one destination.
pub struct Deliveries;
named!(Deliveries, "m0331_deliveries");

#[async_trait::async_trait]
impl MigrationTrait for Deliveries {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let deliveries = table(m, "deliveries")
            .await?
            .col(c::id("lane_id"))
            .col(c::integer(m, "position"))
            .col(c::id("id"))
            .col(c::id("account_id"))
            .col(c::id("event_id"))
            .col(c::text("kind", 64))
            .col(c::word("status", &["waiting", "delivered", "dead", "cancelled"]))
            .col(c::small("attempts"))
            .col(c::optional_integer(m, "response_code"))
            .col(c::optional_text("failure", 32))
            .col(c::time(m, "created_at"))
            .col(c::optional_time(m, "attempted_at"))
            .primary_key(&mut c::key(&["lane_id", "position"]))
            .to_owned();
        m.create_table(deliveries).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("deliveries").to_owned()).await
    }
}

/// A delivery is replayed by its id.
pub struct DeliveriesById;
named!(DeliveriesById, "m0332_deliveries_by_id");

#[async_trait::async_trait]
impl MigrationTrait for DeliveriesById {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("deliveries", &["id"], true)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("deliveries", &["id"], true)).await
    }
}

/// What waits in a lane, first events first.
pub struct DeliveriesWaiting;
named!(DeliveriesWaiting, "m0333_deliveries_waiting");

#[async_trait::async_trait]
impl MigrationTrait for DeliveriesWaiting {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("deliveries", &["lane_id", "status", "position"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("deliveries", &["lane_id", "status", "position"], false)).await
    }
}

/// Dead letters, and what is old enough to be swept.
pub struct DeliveriesByStatus;
named!(DeliveriesByStatus, "m0334_deliveries_by_status");

#[async_trait::async_trait]
impl MigrationTrait for DeliveriesByStatus {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_index(c::index("deliveries", &["status", "id"], false)).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_index(c::index_drop("deliveries", &["status", "id"], false)).await
    }
}
