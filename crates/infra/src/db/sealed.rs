//! Ciphertexts wherever they lie, for encrypting them anew.

use super::entity::{redemption_code, user_verification, webhook_endpoint};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use domain::sealed::{SealedColumn, SealedRepository, SealedText};
use domain::store::StoreResult;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The same work on the table and columns of one kind of ciphertext.
macro_rules! on {
    ($column:expr, $work:ident ( $($argument:expr),* )) => {
        match $column {
            SealedColumn::WebhookSecret => {
                use webhook_endpoint::{Column, Entity};
                $work::<Entity>((Column::Id, Column::Secret), $($argument),*).await
            }
            SealedColumn::WebhookOldSecret => {
                use webhook_endpoint::{Column, Entity};
                $work::<Entity>((Column::Id, Column::OldSecret), $($argument),*).await
            }
            SealedColumn::RedemptionCode => {
                use redemption_code::{Column, Entity};
                $work::<Entity>((Column::Id, Column::Sealed), $($argument),*).await
            }
            SealedColumn::RealName => {
                use user_verification::{Column, Entity};
                $work::<Entity>((Column::UserId, Column::RealName), $($argument),*).await
            }
            SealedColumn::IdNumber => {
                use user_verification::{Column, Entity};
                $work::<Entity>((Column::UserId, Column::IdNumber), $($argument),*).await
            }
            SealedColumn::IdentityMask => {
                use user_verification::{Column, Entity};
                $work::<Entity>((Column::UserId, Column::Mask), $($argument),*).await
            }
        }
    };
}

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> SealedRepository for Repos<C> {
    async fn stale(
        &self,
        column: SealedColumn,
        newest: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> StoreResult<Vec<SealedText>> {
        on!(column, stale(&self.conn, newest, after, limit))
    }

    async fn count_stale(&self, column: SealedColumn, newest: &str) -> StoreResult<u64> {
        on!(column, count(&self.conn, newest))
    }

    async fn replace(&self, column: SealedColumn, old: &SealedText, new: &str) -> StoreResult<bool> {
        on!(column, replace(&self.conn, old, new))
    }
}

/// Rows whose text is not under the newest key. A prefix has no wildcard in it: names of keys are letters and digits.
async fn stale<E: EntityTrait>(
    (id, text): (E::Column, E::Column),
    conn: &impl ConnectionTrait,
    newest: &str,
    after: Option<Uuid>,
    limit: u32,
) -> StoreResult<Vec<SealedText>> {
    let mut query = E::find()
        .select_only()
        .column(id)
        .column(text)
        .filter(text.is_not_null())
        .filter(text.not_like(format!("{newest}%")))
        .order_by_asc(id)
        .limit(u64::from(limit));
    if let Some(after) = after {
        query = query.filter(id.gt(after));
    }
    let rows: Vec<(Uuid, String)> = query.into_tuple().all(conn).await.map_err(store_error)?;
    Ok(rows.into_iter().map(|(row, text)| SealedText { row, text }).collect())
}

async fn count<E: EntityTrait>(
    (_, text): (E::Column, E::Column),
    conn: &impl ConnectionTrait,
    newest: &str,
) -> StoreResult<u64>
where
    E::Model: Sync,
{
    let query = E::find().filter(text.is_not_null()).filter(text.not_like(format!("{newest}%")));
    query.count(conn).await.map_err(store_error)
}

async fn replace<E: EntityTrait>(
    (id, text): (E::Column, E::Column),
    conn: &impl ConnectionTrait,
    old: &SealedText,
    new: &str,
) -> StoreResult<bool> {
    let update =
        E::update_many().col_expr(text, Expr::value(new)).filter(id.eq(old.row)).filter(text.eq(old.text.as_str()));
    update.exec(conn).await.map(|done| done.rows_affected == 1).map_err(store_error)
}
