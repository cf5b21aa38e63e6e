//! Redemption codes, check-ins and referrals.

use crate::columns::{self as c, index_step, named, table};
use sea_orm_migration::prelude::*;

/// The columns of a reward: an amount with its currency, or a meter with a quantity.
fn reward(m: &SchemaManager<'_>, create: &mut TableCreateStatement) {
    create
        .col(c::optional_integer(m, "amount_nanos"))
        .col(c::optional_text("currency", 3))
        .col(c::optional_text("meter", 32))
        .col(c::optional_integer(m, "quantity"))
        .col(c::optional_long_text("models"))
        .col(ColumnDef::new("valid_days").integer().null().take())
        .check(Expr::cust("(amount_nanos IS NULL) = (currency IS NULL)"))
        .check(Expr::cust("(quantity IS NULL) = (meter IS NULL)"))
        .check(Expr::cust("(amount_nanos IS NULL) <> (quantity IS NULL)"))
        .check(Expr::cust("amount_nanos IS NULL OR amount_nanos > 0"))
        .check(Expr::cust("quantity IS NULL OR quantity > 0"));
}

/// `redemption_batches`: codes of one value that were made together. Rows are never changed.
pub struct RedemptionBatches;
named!(RedemptionBatches, "m0430_redemption_batches");

#[async_trait::async_trait]
impl MigrationTrait for RedemptionBatches {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let mut batches = table(m, "redemption_batches").await?;
        batches.col(c::id("id")).col(c::text("name", 64));
        reward(m, &mut batches);
        batches
            .col(c::boolean("is_gift"))
            .col(c::small("count"))
            .col(c::integer(m, "max_uses"))
            .col(c::optional_time(m, "valid_from"))
            .col(c::optional_time(m, "valid_until"))
            .col(c::id("created_by"))
            .col(c::time(m, "created_at"))
            .primary_key(&mut c::key(&["id"]));
        m.create_table(batches).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("redemption_batches").to_owned()).await
    }
}

/// `redemption_codes`: the code's hash, by which it is found, and the code itself encrypted, for its export.
pub struct RedemptionCodes;
named!(RedemptionCodes, "m0431_redemption_codes");

#[async_trait::async_trait]
impl MigrationTrait for RedemptionCodes {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let codes = table(m, "redemption_codes")
            .await?
            .col(c::id("id"))
            .col(c::id("batch_id"))
            .col(c::text("digest", 64))
            .col(c::long_text("sealed"))
            .col(c::text("hint", 8))
            .col(c::integer(m, "used"))
            .col(c::integer(m, "max_uses"))
            .col(c::boolean("enabled"))
            .col(c::time(m, "created_at"))
            .col(c::time(m, "updated_at"))
            .primary_key(&mut c::key(&["id"]))
            .index(&mut c::index("redemption_codes", &["digest"], true))
            .check(Expr::cust("used >= 0 AND used <= max_uses"))
            .to_owned();
        m.create_table(codes).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("redemption_codes").to_owned()).await
    }
}

index_step!(
    /// The codes of a batch.
    RedemptionCodesByBatch, "m0432_redemption_codes_by_batch", "redemption_codes", ["batch_id", "id"], false
);

/// `redemption_uses`: who used which code, once per user and code.
pub struct RedemptionUses;
named!(RedemptionUses, "m0433_redemption_uses");

#[async_trait::async_trait]
impl MigrationTrait for RedemptionUses {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let uses = table(m, "redemption_uses")
            .await?
            .col(c::id("user_id"))
            .col(c::id("id"))
            .col(c::id("code_id"))
            .col(c::id("batch_id"))
            .col(c::id("account_id"))
            .col(c::time(m, "redeemed_at"))
            .primary_key(&mut c::key(&["user_id", "id"]))
            .index(&mut c::index("redemption_uses", &["user_id", "code_id"], true))
            .to_owned();
        m.create_table(uses).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("redemption_uses").to_owned()).await
    }
}

index_step!(
    /// Who used the codes of a batch.
    RedemptionUsesByBatch, "m0434_redemption_uses_by_batch", "redemption_uses", ["batch_id", "id"], false
);

/// `check_ins`: one row per user and local day.
pub struct CheckIns;
named!(CheckIns, "m0435_check_ins");

#[async_trait::async_trait]
impl MigrationTrait for CheckIns {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let mut check_ins = table(m, "check_ins").await?;
        check_ins.col(c::id("user_id")).col(c::day("day")).col(c::small("streak"));
        reward(m, &mut check_ins);
        check_ins.col(c::time(m, "checked_in_at")).primary_key(&mut c::key(&["user_id", "day"]));
        m.create_table(check_ins).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("check_ins").to_owned()).await
    }
}

/// `referrals`: a user's code, who invited the user, and what the user earned by inviting.
pub struct Referrals;
named!(Referrals, "m0436_referrals");

#[async_trait::async_trait]
impl MigrationTrait for Referrals {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let referrals = table(m, "referrals")
            .await?
            .col(c::id("user_id"))
            .col(c::text("code", 16))
            .col(c::optional_id("inviter_id"))
            .col(c::integer(m, "invited"))
            .col(c::text("currency", 3))
            .col(c::integer(m, "earned"))
            .col(c::integer(m, "available"))
            .col(c::time(m, "created_at"))
            .primary_key(&mut c::key(&["user_id"]))
            .index(&mut c::index("referrals", &["code"], true))
            .check(Expr::cust("available >= 0 AND available <= earned AND invited >= 0"))
            .check(Expr::cust("inviter_id IS NULL OR inviter_id <> user_id"))
            .to_owned();
        m.create_table(referrals).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("referrals").to_owned()).await
    }
}

/// `referral_rewards`: the one reward of each invited user's coming.
pub struct ReferralRewards;
named!(ReferralRewards, "m0437_referral_rewards");

#[async_trait::async_trait]
impl MigrationTrait for ReferralRewards {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        let rewards = table(m, "referral_rewards")
            .await?
            .col(c::id("invitee_id"))
            .col(c::id("inviter_id"))
            .col(c::word("rewarded_on", &["registration", "first_payment"]))
            .col(c::integer(m, "earned"))
            .col(c::text("currency", 3))
            .col(c::time(m, "rewarded_at"))
            .primary_key(&mut c::key(&["invitee_id"]))
            .check(Expr::cust("earned >= 0"))
            .to_owned();
        m.create_table(rewards).await
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table("referral_rewards").to_owned()).await
    }
}
