//! A row of `redemption_batches`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redemption_batches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub amount_nanos: Option<i64>,
    pub currency: Option<String>,
    pub meter: Option<String>,
    pub quantity: Option<i64>,
    pub models: Option<String>,
    pub valid_days: Option<i32>,
    pub is_gift: bool,
    pub count: i32,
    pub max_uses: i64,
    pub valid_from: Option<DateTimeUtc>,
    pub valid_until: Option<DateTimeUtc>,
    pub created_by: Uuid,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
