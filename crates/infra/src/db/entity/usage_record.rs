//! A row of `usage_records`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub usage_key: String,
    pub meter: String,
    pub quantity: i64,
    pub period_start: DateTimeUtc,
    pub occurred_at: DateTimeUtc,
    pub recorded_at: DateTimeUtc,
    pub adjustment: bool,
    pub user_id: Option<Uuid>,
    pub api_key_id: Option<Uuid>,
    pub model: String,
    pub dimensions: Option<String>,
    pub from_allowance: i64,
    pub from_grants: i64,
    pub from_overage: i64,
    pub from_wallet: i64,
    pub grants: Option<String>,
    pub amount_nanos: i64,
    pub currency: String,
    pub remaining: Option<i64>,
    pub warnings: String,
    pub transfer_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
