//! A row of `reservations`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub reservation_key: String,
    pub fingerprint: String,
    pub status: String,
    pub meter: String,
    pub quantity: i64,
    pub period_start: DateTimeUtc,
    pub user_id: Option<Uuid>,
    pub api_key_id: Option<Uuid>,
    pub dimensions: Option<String>,
    pub parts: String,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub end_key: Option<String>,
    pub captured: i64,
    pub shortfall: i64,
    pub usage_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
