//! A row of `billing_invoices`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "billing_invoices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub bill_id: Uuid,
    pub standing_bill_id: Option<Uuid>,
    pub status: String,
    pub kind: String,
    pub title: String,
    pub tax_id: Option<String>,
    pub currency: String,
    pub amount_nanos: i64,
    pub number: Option<String>,
    pub url: Option<String>,
    pub reason: Option<String>,
    pub requested_at: DateTimeUtc,
    pub issued_at: Option<DateTimeUtc>,
    pub outdated_at: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
