//! A row of `api_keys`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub token_hash: String,
    pub prefix: String,
    pub name: String,
    pub scopes: String,
    pub expires_at: Option<DateTimeUtc>,
    pub allowance_meter: Option<String>,
    pub allowance_quantity: Option<i64>,
    pub allowance_used: i64,
    pub allowance_held: i64,
    pub models: Option<String>,
    pub allowed_ips: Option<String>,
    pub requests_per_minute: Option<i64>,
    pub status: String,
    pub group_name: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub last_used_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
