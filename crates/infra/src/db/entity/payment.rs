//! A row of `payments`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub provider: String,
    pub method: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    pub captured: Option<i64>,
    pub captured_currency: Option<String>,
    pub transaction_id: Option<String>,
    pub provider_reference: Option<String>,
    pub action: Option<String>,
    pub pay_url: Option<String>,
    pub refunding: i64,
    pub refunded: i64,
    pub expires_at: DateTimeUtc,
    pub paid_at: Option<DateTimeUtc>,
    pub polls: i64,
    pub next_poll_at: Option<DateTimeUtc>,
    pub polled_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
