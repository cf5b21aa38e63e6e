//! Walking the rows whose text begins alike, in the order of that text; the same on every database.
//!
//! PostgreSQL orders texts by the database's language unless told otherwise, so there the column is compared by bytes,
//! for which it has an index of its own.

use super::error::store_error;
use domain::page::PageRequest;
use domain::search::TextPrefix;
use domain::store::StoreResult;
use sea_orm::sea_query::{Expr, ExprTrait, Order};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// The columns of a walk: the text, and the id that tells equal texts apart.
#[derive(Clone, Copy)]
pub struct Walk<K> {
    pub text: K,
    pub id: K,
}

/// Up to `limit + 1` rows whose text begins with the prefix, after the row of the cursor.
pub async fn walk<E, K, C>(
    conn: &C,
    walk: Walk<K>,
    prefix: &TextPrefix,
    page: PageRequest,
) -> StoreResult<Vec<E::Model>>
where
    E: EntityTrait<Column = K>,
    K: ColumnTrait + IdenStatic,
    C: ConnectionTrait,
    E::Model: Send + Sync,
{
    let text = || bytewise(conn.get_database_backend(), walk.text);
    let mut begins = Condition::all().add(text().lt(prefix.beyond()));
    begins = match page.before {
        None => begins.add(text().gte(prefix.least())),
        Some(id) => {
            let Some(last) = text_of::<E, K, C>(conn, walk, id).await? else { return Ok(Vec::new()) };
            let after =
                Condition::any().add(text().gt(last.as_str())).add(text().eq(last.as_str()).and(walk.id.gt(id)));
            // A cursor of another list may lie before the prefix.
            let from = std::cmp::max(last.as_str(), prefix.least());
            begins.add(text().gte(from)).add(after)
        }
    };
    let query = E::find().filter(begins).order_by(text(), Order::Asc).order_by_asc(walk.id);
    query.limit(u64::from(page.limit) + 1).all(conn).await.map_err(store_error)
}

/// The text of the row at the cursor; a cursor whose row is gone ends the list.
async fn text_of<E, K, C>(conn: &C, walk: Walk<K>, id: Uuid) -> StoreResult<Option<String>>
where
    E: EntityTrait<Column = K>,
    K: ColumnTrait,
    C: ConnectionTrait,
{
    let query = E::find().select_only().column(walk.text).filter(walk.id.eq(id));
    let found = query.into_tuple::<Option<String>>().one(conn).await.map_err(store_error)?;
    Ok(found.flatten())
}

fn bytewise<K: ColumnTrait + IdenStatic>(backend: DbBackend, column: K) -> Expr {
    match backend {
        DbBackend::Postgres => Expr::cust(format!("{} COLLATE \"C\"", column.as_str())),
        _ => Expr::col(column),
    }
}
