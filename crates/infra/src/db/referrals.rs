//! Referrals in `referrals`, and their rewards in `referral_rewards`. Amounts change by UPDATEs that add.

use super::columns::{corrupt, currency};
use super::entity::{referral, referral_reward};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::UserId;
use domain::incentives::{AffCode, Referral, ReferralRepository, ReferralReward, RewardedOn};
use domain::money::Money;
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, UpdateMany};

const TABLE: &str = "referrals";
const REWARDS: &str = "referral_rewards";

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> ReferralRepository for Repos<C> {
    async fn insert(&self, new: &Referral) -> StoreResult<()> {
        let insert = referral::Entity::insert(row(new).into_active_model()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find(&self, user: UserId) -> StoreResult<Option<Referral>> {
        let query = referral::Entity::find_by_id(user.as_uuid());
        query.one(&self.conn).await.map_err(store_error)?.map(referral_of).transpose()
    }

    async fn find_by_code(&self, code: &AffCode) -> StoreResult<Option<Referral>> {
        let query = referral::Entity::find().filter(referral::Column::Code.eq(code.as_str()));
        query.one(&self.conn).await.map_err(store_error)?.map(referral_of).transpose()
    }

    async fn count_invited(&self, user: UserId) -> StoreResult<()> {
        let update = added(referral::Column::Invited, 1).filter(referral::Column::UserId.eq(user.as_uuid()));
        update.exec(&self.conn).await.map(drop).map_err(store_error)
    }

    async fn earn(&self, user: UserId, amount: Money) -> StoreResult<bool> {
        let update = added(referral::Column::Earned, amount.nanos())
            .col_expr(referral::Column::Available, Expr::col(referral::Column::Available).add(amount.nanos()));
        changed(&self.conn, update, user, amount).await
    }

    async fn spend(&self, user: UserId, amount: Money) -> StoreResult<bool> {
        let update =
            added(referral::Column::Available, -amount.nanos()).filter(referral::Column::Available.gte(amount.nanos()));
        changed(&self.conn, update, user, amount).await
    }

    async fn insert_reward(&self, reward: &ReferralReward) -> StoreResult<()> {
        let row = referral_reward::Model {
            invitee_id: reward.invitee.as_uuid(),
            inviter_id: reward.inviter.as_uuid(),
            rewarded_on: reward.rewarded_on.name().to_owned(),
            earned: reward.earned.nanos(),
            currency: reward.earned.currency().code().to_owned(),
            rewarded_at: reward.rewarded_at,
        };
        let insert = referral_reward::Entity::insert(row.into_active_model()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find_reward(&self, invitee: UserId) -> StoreResult<Option<ReferralReward>> {
        let query = referral_reward::Entity::find_by_id(invitee.as_uuid());
        query.one(&self.conn).await.map_err(store_error)?.map(|row| reward_of(&row)).transpose()
    }
}

fn added(column: referral::Column, amount: i64) -> UpdateMany<referral::Entity> {
    referral::Entity::update_many().col_expr(column, Expr::col(column).add(amount))
}

/// Whether the user's row, in the amount's currency, was changed.
async fn changed(
    conn: &impl ConnectionTrait,
    update: UpdateMany<referral::Entity>,
    user: UserId,
    amount: Money,
) -> StoreResult<bool> {
    let update = update
        .filter(referral::Column::UserId.eq(user.as_uuid()))
        .filter(referral::Column::Currency.eq(amount.currency().code()));
    update.exec(conn).await.map(|done| done.rows_affected == 1).map_err(store_error)
}

fn row(new: &Referral) -> referral::Model {
    referral::Model {
        user_id: new.user.as_uuid(),
        code: new.code.as_str().to_owned(),
        inviter_id: new.inviter.map(UserId::as_uuid),
        invited: i64::from(new.invited),
        currency: new.earned.currency().code().to_owned(),
        earned: new.earned.nanos(),
        available: new.available.nanos(),
        created_at: new.created_at,
    }
}

fn referral_of(row: referral::Model) -> StoreResult<Referral> {
    let currency = currency(&row.currency, TABLE)?;
    Ok(Referral {
        user: UserId::from_uuid(row.user_id),
        code: AffCode::from_stored(row.code),
        inviter: row.inviter_id.map(UserId::from_uuid),
        invited: u32::try_from(row.invited).map_err(|_| corrupt(TABLE, "invited"))?,
        earned: Money::from_nanos(row.earned, currency),
        available: Money::from_nanos(row.available, currency),
        created_at: row.created_at,
    })
}

fn reward_of(row: &referral_reward::Model) -> StoreResult<ReferralReward> {
    Ok(ReferralReward {
        invitee: UserId::from_uuid(row.invitee_id),
        inviter: UserId::from_uuid(row.inviter_id),
        rewarded_on: RewardedOn::parse(&row.rewarded_on).ok_or(corrupt(REWARDS, "rewarded_on"))?,
        earned: Money::from_nanos(row.earned, currency(&row.currency, REWARDS)?),
        rewarded_at: row.rewarded_at,
    })
}
