//! A row of `billing_lines`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "billing_lines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub bill_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub kind: String,
    pub plan_code: String,
    pub plan_version_id: Option<Uuid>,
    pub plan_interval: Option<String>,
    pub seats: i32,
    pub period_start: DateTimeUtc,
    pub period_end: DateTimeUtc,
    pub meter: Option<String>,
    pub quantity: Option<i64>,
    pub display_quantity: Option<String>,
    pub display_unit: Option<String>,
    pub tier: Option<String>,
    pub currency: String,
    pub amount_nanos: i64,
    pub discount_nanos: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
