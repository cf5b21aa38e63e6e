//! Query strings and path segments, read strictly.

use super::problem::{ApiError, ApiResult};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::str::FromStr;

/// The query string; unknown names are refused.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = web::Query::<T>::from_query(request.query_string());
        ready(parsed.map(|query| Self(query.into_inner())).map_err(|error| {
            let text = error.to_string();
            ApiError::invalid("query", text.rsplit(": ").next().unwrap_or("is not valid"))
        }))
    }
}

/// An id in the path; what is not an id of that kind does not exist.
pub fn path_id<T: FromStr>(text: &str, what: &'static str) -> ApiResult<T> {
    text.parse().map_err(|_| ApiError::not_found(what))
}
