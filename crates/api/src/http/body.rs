//! JSON bodies: read strictly, with a problem for everything that is not one.

use super::object::Object;
use super::problem::{ApiError, ApiResult};
use super::unique_keys;
use crate::services::Services;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use domain::error::Error;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A JSON body: an object.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read(&request, payload, &["application/json"]).await?;
            parse::<Object<T>>(&bytes).map(|object| Self(object.0))
        })
    }
}

/// Reads a body of one of the media types, up to the configured size.
pub async fn read(request: &HttpRequest, payload: Payload, accepted: &[&str]) -> ApiResult<web::Bytes> {
    check_type(request, accepted)?;
    let services = request.app_data::<web::Data<Arc<Services>>>().ok_or(Error::Unavailable)?;
    Ok(services.intake.read(payload, services.intake.body_bytes).await?.freeze())
}

/// Parses JSON; syntax is `malformed`, anything else `invalid` with the field's path.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::malformed("The body is not UTF-8."))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        described(if path == "." { "body" } else { &path }, error.inner())
    })?;
    json.end().map_err(|error| described("body", &error))?;
    unique_keys::check(text).map_err(|error| described("body", &error))?;
    Ok(value)
}

fn described(path: &str, error: &serde_json::Error) -> ApiError {
    if error.is_data() {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or("is not valid");
        ApiError::invalid(path, reason)
    } else {
        ApiError::malformed(format!("The body is not JSON: {error}."))
    }
}

fn check_type(request: &HttpRequest, accepted: &[&str]) -> ApiResult<()> {
    let unsupported =
        |detail: String| ApiError::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(unsupported("Encoded bodies are not read.".to_owned()));
    }
    let sent = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if accepted.contains(&media.as_str()) {
        Ok(())
    } else {
        Err(unsupported(format!("Content-Type must be {}.", accepted.join(" or "))))
    }
}
