//! A row of `ledger_transfers`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub reference: String,
    pub from_code: String,
    pub from_account_id: Option<Uuid>,
    pub to_code: String,
    pub to_account_id: Option<Uuid>,
    pub amount: i64,
    pub currency: String,
    pub account_id: Option<Uuid>,
    pub reason: Option<String>,
    pub booked_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
