//! Verified identities in `user_verifications`: ciphertexts and a keyed hash.

use super::entity::user_verification::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::id::UserId;
use domain::identity::{Verification, VerificationRepository};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> VerificationRepository for Repos<C> {
    async fn insert(&self, verification: &Verification) -> StoreResult<()> {
        let row = Model {
            user_id: verification.user.as_uuid(),
            real_name: verification.real_name.clone(),
            id_number: verification.id_number.clone(),
            mask: verification.mask.clone(),
            number_index: verification.number_index.clone(),
            verified_at: verification.verified_at,
        };
        let insert = Entity::insert(row.into_active_model()).exec_without_returning(&self.conn);
        insert.await.map(drop).map_err(store_error)
    }

    async fn find(&self, user: UserId) -> StoreResult<Option<Verification>> {
        Ok(Entity::find_by_id(user.as_uuid()).one(&self.conn).await.map_err(store_error)?.map(verification))
    }

    async fn find_by_index(&self, number_index: &str) -> StoreResult<Option<Verification>> {
        let query = Entity::find().filter(Column::NumberIndex.eq(number_index));
        Ok(query.one(&self.conn).await.map_err(store_error)?.map(verification))
    }

    async fn delete(&self, user: UserId) -> StoreResult<bool> {
        let delete = Entity::delete_by_id(user.as_uuid()).exec(&self.conn);
        delete.await.map(|done| done.rows_affected == 1).map_err(store_error)
    }
}

fn verification(row: Model) -> Verification {
    Verification {
        user: UserId::from_uuid(row.user_id),
        real_name: row.real_name,
        id_number: row.id_number,
        mask: row.mask,
        number_index: row.number_index,
        verified_at: row.verified_at,
    }
}
