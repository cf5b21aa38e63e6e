//! A row of `quota_counters`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quota_counters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub period_start: DateTimeUtc,
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub meter: String,
    pub period_end: DateTimeUtc,
    pub used: i64,
    pub reserved: i64,
    pub held_grants: i64,
    pub peak: i64,
    pub from_allowance: i64,
    pub from_grants: i64,
    pub from_overage: i64,
    pub from_wallet: i64,
    pub overage_fee_nanos: i64,
    pub wallet_paid_nanos: i64,
    pub wallet_held_nanos: i64,
    pub currency: String,
    pub warnings_fired: String,
    pub warned_limit: i64,
    pub warning_generation: i32,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
