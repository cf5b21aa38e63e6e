//! Errors as `application/problem+json` (RFC 9457). One `match` turns the domain's errors into answers.

use super::{request_id, time};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use domain::error::{Error, FieldError, LimitKind, Refusal};
use domain::store::StoreError;
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// How long a client waits before it tries a busy server again.
const BUSY_SECONDS: u64 = 1;

/// Why a request was not done.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "account was not found", "request_id": "req_0198a6f0c1d27d3e8b3f6a5c4d3e2f10"}))]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    status: u16,
    /// Stable; programs decide by it.
    pub code: &'static str,
    pub detail: String,
    /// That of the answer; an event of a batch has none of its own.
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
    /// For `invalid`: every field that is not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<InvalidField>,
    /// For refusals: the limit that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    /// Who can raise that limit: `member` (whose key it is), `team_admin`, `owner` or `operator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    raised_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<String>,
    /// The most that the limit would still let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<String>,
    /// For `reservation_closed`: how and when it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<EndedHow>,
}

/// How and when something ended that ends only once.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedHow {
    /// `captured`, `released` or `expired`.
    status: &'static str,
    at: String,
}

/// One field and why it is not valid.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvalidField {
    field: String,
    reason: String,
}

/// What a handler answers when it does not succeed.
#[derive(Debug)]
pub enum ApiError {
    Domain(Error),
    /// Said by HTTP itself, before any use case.
    Plain {
        status: StatusCode,
        code: &'static str,
        detail: String,
    },
}

/// The answer of a handler.
pub type ApiResult<T = HttpResponse> = Result<T, ApiError>;

impl ApiError {
    pub fn plain(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Plain { status, code, detail: detail.into() }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Domain(Error::invalid(field, reason))
    }

    pub fn not_found(what: &'static str) -> Self {
        Self::Domain(Error::NotFound(what))
    }

    /// Status and body.
    pub fn problem(&self) -> (StatusCode, Problem) {
        let (status, problem) = match self {
            Self::Plain { status, code, detail } => (*status, said(code, detail)),
            Self::Domain(error) => of_domain(error),
        };
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        let request_id = request_id::current();
        (status, Problem { kind: "about:blank", title, status: status.as_u16(), request_id, ..problem })
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Domain(Error::RateLimited { retry_after_seconds }) => Some(*retry_after_seconds),
            _ if self.problem().0 == StatusCode::SERVICE_UNAVAILABLE => Some(BUSY_SECONDS),
            _ => None,
        }
    }
}

fn said(code: &'static str, detail: impl fmt::Display) -> Problem {
    Problem { code, detail: detail.to_string(), ..Problem::default() }
}

fn of_domain(error: &Error) -> (StatusCode, Problem) {
    match error {
        Error::NotFound(_) => (StatusCode::NOT_FOUND, said("not_found", error)),
        Error::Invalid(fields) => (StatusCode::UNPROCESSABLE_ENTITY, invalid(fields)),
        Error::Refused(refusal) => (StatusCode::PAYMENT_REQUIRED, refused(refusal)),
        Error::Barred(limit) => (StatusCode::PAYMENT_REQUIRED, by_limit(*limit, error)),
        Error::Ended { how, at, .. } => {
            let ended = EndedHow { status: how, at: time::text(*at) };
            (StatusCode::CONFLICT, Problem { ended: Some(ended), ..said("reservation_closed", error) })
        }
        Error::Conflict { code, .. } => (StatusCode::CONFLICT, said(code, error)),
        Error::Unauthenticated => (StatusCode::UNAUTHORIZED, said("unauthenticated", error)),
        Error::Forbidden(_) => (StatusCode::FORBIDDEN, said("forbidden", error)),
        Error::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, said("rate_limited", error)),
        Error::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, said("idempotency_key_reused", error)),
        Error::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, said("unavailable", error)),
        Error::NotAvailable(_) => (StatusCode::NOT_IMPLEMENTED, said("not_available", error)),
        Error::KeyMissing => {
            tracing::error!("no key in security.encryption_keys seals or opens what was asked for");
            (StatusCode::SERVICE_UNAVAILABLE, said("encryption_key_missing", error))
        }
        Error::Store(StoreError::Duplicate | StoreError::Contended | StoreError::Unavailable(_)) => {
            tracing::warn!(error = ?error, "storage is not available");
            (StatusCode::SERVICE_UNAVAILABLE, said("unavailable", "The service is busy; try again."))
        }
        Error::Store(StoreError::Corrupt { .. } | StoreError::Other(_)) => {
            tracing::error!(error = ?error, "storage failed");
            (StatusCode::INTERNAL_SERVER_ERROR, said("internal", "Something went wrong on our side."))
        }
    }
}

fn invalid(fields: &[FieldError]) -> Problem {
    let errors: Vec<_> =
        fields.iter().map(|field| InvalidField { field: field.field.clone(), reason: field.reason.clone() }).collect();
    let detail = errors.iter().map(|error| format!("{} {}", error.field, error.reason)).collect::<Vec<_>>().join("; ");
    Problem { errors, ..said("invalid", detail) }
}

fn by_limit(limit: LimitKind, detail: impl fmt::Display) -> Problem {
    Problem { limit: Some(limit.name()), raised_by: Some(limit.raised_by()), ..said(limit.code(), detail) }
}

fn refused(refusal: &Refusal) -> Problem {
    Problem {
        meter: Some(refusal.meter.clone()),
        requested: Some(refusal.requested.to_decimal(refusal.scale)),
        remaining: Some(refusal.remaining.to_decimal(refusal.scale)),
        ..by_limit(refusal.limit, refusal)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem().1.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.problem().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, problem) = self.problem();
        let mut response = HttpResponseBuilder::new(status);
        if let Some(seconds) = self.retry_after() {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if status == StatusCode::REQUEST_TIMEOUT {
            response.force_close();
        }
        response.insert_header((CONTENT_TYPE, "application/problem+json")).json(problem)
    }
}
