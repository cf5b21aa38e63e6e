//! A row of `reconciliation_items`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reconciliation_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider: String,
    pub day: String,
    pub class: String,
    pub number: String,
    pub transaction_id: String,
    pub ours: Option<i64>,
    pub theirs: Option<i64>,
    pub our_currency: Option<String>,
    pub their_currency: Option<String>,
    pub status: String,
    pub note: Option<String>,
    pub resolved_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub resolved_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
