//! Keyset paging on the wire: `?limit=&cursor=` in, `data` and `next_cursor` out.

use super::problem::{ApiError, ApiResult};
use domain::page::{DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Rows on the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageParams {
    pub fn request(&self) -> ApiResult<PageRequest> {
        page_request(self.limit, self.cursor.as_deref())
    }
}

/// Reads the two paging parameters, for lists that have further ones.
pub fn page_request(limit: Option<u32>, cursor: Option<&str>) -> ApiResult<PageRequest> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::invalid("limit", format!("must be 1 to {MAX_LIMIT}")));
    }
    let invalid = |_| ApiError::invalid("cursor", "is not a cursor of this list");
    let before = cursor.map(|cursor| Uuid::try_parse(cursor).map_err(invalid)).transpose()?;
    Ok(PageRequest { limit, before })
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    pub data: Vec<T>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Listed<T> {
    pub fn of<U>(page: Page<U>, each: impl FnMut(U) -> T) -> Self {
        let page = page.map(each);
        Self { next_cursor: page.next.map(|id| id.simple().to_string()), data: page.rows }
    }

    /// A list that is never cut.
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, next_cursor: None }
    }
}
