//! The `Idempotency-Key` header of calls that create a charge.

use super::problem::{ApiError, ApiResult};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use domain::id::UserId;
use domain::idempotency::{Answered, IdempotentRequest, is_valid_key};
use domain::text::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

const HEADER: &str = "Idempotency-Key";
const REPLAYED: &str = "Idempotent-Replayed";

/// Reads the header; two of them, or an unprintable one, are refused.
pub fn header(request: &HttpRequest) -> ApiResult<Option<String>> {
    let mut values = request.headers().get_all(HEADER);
    let first = values.next();
    if values.next().is_some() {
        return Err(ApiError::malformed("There is more than one Idempotency-Key."));
    }
    let Some(value) = first else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| is_valid_key(key));
    let key = key.ok_or_else(|| ApiError::malformed("Idempotency-Key must be 1 to 255 printable ASCII characters."))?;
    Ok(Some(key.to_owned()))
}

/// Binds the key to its sender, route and content; `content` is what the request asks for.
pub fn required(
    request: &HttpRequest,
    user: UserId,
    scope: &'static str,
    content: &impl Serialize,
) -> ApiResult<IdempotentRequest> {
    let key = header(request)?.ok_or_else(|| {
        let detail = "This call creates a charge; send an Idempotency-Key header.";
        ApiError::plain(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
    })?;
    let json = serde_json::to_vec(&(request.path(), content)).map_err(|_| ApiError::malformed("Not a JSON body."))?;
    let fingerprint = hex(&Sha256::digest(&json));
    Ok(IdempotentRequest { user, scope, key, fingerprint })
}

/// Answers with the result, marked when it is the first answer given again.
pub fn answer<T, B: Serialize>(status: StatusCode, answered: Answered<T>, body: impl FnOnce(T) -> B) -> HttpResponse {
    let mut response = HttpResponseBuilder::new(status);
    if answered.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    response.json(body(answered.value))
}
