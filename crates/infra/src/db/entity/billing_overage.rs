//! A row of `billing_overages`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "billing_overages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub bill_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub meter: String,
    pub quantity: i64,
    pub display_quantity: String,
    pub display_unit: String,
    pub currency: String,
    pub fee_nanos: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
