//! A row of `user_subscriptions`.
#![expect(clippy::struct_field_names, reason = "the AI model and sea-orm's Model share a word")]

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_subscriptions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    pub id: Uuid,
    pub plan_version_id: Uuid,
    pub plan_code: String,
    pub plan_interval: String,
    pub seats: i32,
    pub status: String,
    pub anchor_day: String,
    pub time_zone: String,
    pub term_start: DateTimeUtc,
    pub term_end: DateTimeUtc,
    pub paid_nanos: Option<i64>,
    pub paid_currency: Option<String>,
    pub period_start: DateTimeUtc,
    pub period_end: DateTimeUtc,
    pub closed_until: Option<DateTimeUtc>,
    pub selected_ai_model: Option<String>,
    pub scheduled_change: Option<String>,
    pub awaiting_payment: Option<String>,
    pub cancel_at_term_end: bool,
    pub started_at: DateTimeUtc,
    pub cancelled_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub auto_pay: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
