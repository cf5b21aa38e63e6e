//! Walking a list from its newest row, a page at a time.

use super::error::store_error;
use domain::page::{Page, PageRequest};
use domain::store::StoreResult;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

/// A page of the query's rows, newest first by the id's column, read with `read` and cut by the id that `id` tells.
pub async fn newest<E, T>(
    conn: &impl ConnectionTrait,
    (query, column): (Select<E>, E::Column),
    page: PageRequest,
    read: impl Fn(E::Model) -> StoreResult<T>,
    id: impl Fn(&T) -> Uuid,
) -> StoreResult<Page<T>>
where
    E: EntityTrait,
    E::Model: Send + Sync,
{
    let mut query = query.order_by_desc(column).limit(u64::from(page.limit) + 1);
    if let Some(before) = page.before {
        query = query.filter(column.lt(before));
    }
    let rows = query.all(conn).await.map_err(store_error)?;
    let found = rows.into_iter().map(read).collect::<StoreResult<Vec<_>>>()?;
    Ok(Page::cut(found, page.limit, id))
}
