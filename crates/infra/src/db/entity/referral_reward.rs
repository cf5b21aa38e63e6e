//! A row of `referral_rewards`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "referral_rewards")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub invitee_id: Uuid,
    pub inviter_id: Uuid,
    pub rewarded_on: String,
    pub earned: i64,
    pub currency: String,
    pub rewarded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
