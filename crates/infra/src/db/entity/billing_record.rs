//! A row of `billing_records`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "billing_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub kind: String,
    pub status: String,
    pub live_key: Option<String>,
    pub period_start: DateTimeUtc,
    pub period_end: DateTimeUtc,
    pub billing_period: String,
    pub plan_code: String,
    pub currency: String,
    pub base_nanos: i64,
    pub overage_nanos: i64,
    pub discount_nanos: i64,
    pub total_nanos: i64,
    pub refunded_nanos: i64,
    pub refund_of: Option<Uuid>,
    pub activates: Option<String>,
    pub coupon: Option<String>,
    pub remark: Option<String>,
    pub issued_at: DateTimeUtc,
    pub due_at: DateTimeUtc,
    pub paid_at: Option<DateTimeUtc>,
    pub voided_at: Option<DateTimeUtc>,
    pub chased: String,
    pub chase_at: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
