//! The error answers that routes share in the OpenAPI document.

use super::problem::Problem;
use std::collections::BTreeMap;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

const UNAUTHENTICATED: (&str, &str) = ("401", "Credentials are missing or not valid.");
const FORBIDDEN: (&str, &str) = ("403", "Not allowed to this caller.");
const NOT_FOUND: (&str, &str) = ("404", "Absent, or somebody else's.");
const INVALID: (&str, &str) = ("422", "Not valid; every field is named.");
const CONFLICT: (&str, &str) = ("409", "Conflicts with what is there.");
const REFUSED: (&str, &str) = ("402", "What an operator or money would cure: a frozen account.");
const RATE_LIMITED: (&str, &str) = ("429", "Too many requests; see Retry-After.");
const UNAVAILABLE: (&str, &str) = ("503", "Busy; see Retry-After.");
const MALFORMED: (&str, &str) = ("400", "Not JSON, or without a key where one is needed.");
const TOO_LARGE: (&str, &str) = ("413", "The body is too large.");
const UNSUPPORTED: (&str, &str) = ("415", "The body has another type.");

/// What any route can answer that needs nobody to log in.
pub struct PublicErrors;
/// What any authenticated route can answer.
pub struct ReadErrors;
/// What a browser can be answered on its way to a provider and back.
pub struct OAuthErrors;
/// What a route answers besides when the account's standing or a conflict forbids a change.
pub struct ChangeErrors;
/// What a route without a body answers besides when the state of its object forbids a change.
pub struct ConflictErrors;
/// What any authenticated route with a body can answer.
pub struct WriteErrors;

type Responses = BTreeMap<String, RefOr<Response>>;

impl IntoResponses for PublicErrors {
    fn responses() -> Responses {
        problems(&[MALFORMED, TOO_LARGE, UNSUPPORTED, INVALID, RATE_LIMITED, UNAVAILABLE])
    }
}

impl IntoResponses for OAuthErrors {
    fn responses() -> Responses {
        problems(&[FORBIDDEN, NOT_FOUND, CONFLICT, INVALID, RATE_LIMITED, UNAVAILABLE])
    }
}

impl IntoResponses for ReadErrors {
    fn responses() -> Responses {
        problems(&[UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID, RATE_LIMITED, UNAVAILABLE])
    }
}

impl IntoResponses for WriteErrors {
    fn responses() -> Responses {
        let mut all = ReadErrors::responses();
        all.extend(problems(&[MALFORMED, CONFLICT, TOO_LARGE, UNSUPPORTED]));
        all
    }
}

impl IntoResponses for ChangeErrors {
    fn responses() -> Responses {
        problems(&[REFUSED, CONFLICT])
    }
}

impl IntoResponses for ConflictErrors {
    fn responses() -> Responses {
        problems(&[CONFLICT])
    }
}

fn problems(list: &[(&str, &str)]) -> Responses {
    let schema = Ref::from_schema_name(Problem::name());
    let response = |description: &str| {
        let content = ContentBuilder::new().schema(Some(schema.clone())).build();
        RefOr::T(ResponseBuilder::new().description(description).content("application/problem+json", content).build())
    };
    list.iter().map(|(status, description)| ((*status).to_owned(), response(description))).collect()
}
