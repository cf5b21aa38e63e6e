//! A row of `check_ins`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "check_ins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    pub streak: i32,
    pub amount_nanos: Option<i64>,
    pub currency: Option<String>,
    pub meter: Option<String>,
    pub quantity: Option<i64>,
    pub models: Option<String>,
    pub valid_days: Option<i32>,
    pub checked_in_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
