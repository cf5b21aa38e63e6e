//! The extractor that turns a request into its authenticated caller.
//!
//! A token comes in exactly one `Authorization: Bearer` header. One in the query is refused even when it would
//! be right, for addresses end up in logs.

use crate::client_address::client_address;
use crate::http::problem::ApiError;
use crate::known_callers::KnownCallers;
use crate::request_rate::{RateStanding, RequestRates};
use crate::services::Services;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, body::MessageBody, dev::ServiceRequest, dev::ServiceResponse, web,
};
use domain::actor::Actor;
use domain::error::{Error, Result};
use domain::identity::{Authenticated, Token};
use futures_util::future::LocalBoxFuture;
use ipnet::IpNet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

/// What it takes to know a caller; one for all workers.
pub struct Doorkeeper {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub known: KnownCallers,
    pub rates: RequestRates,
}

impl Doorkeeper {
    pub fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self { trusted_proxies, known: KnownCallers::default(), rates: RequestRates::default() }
    }

    async fn admit(&self, services: &Arc<Services>, token: &Token, ip: Option<IpAddr>) -> Result<Authenticated> {
        let look_up = || {
            let presented = token.clone();
            services.run(move |all| async move { all.identity.authenticate(presented.expose(), ip).await })
        };
        self.known.find(token.hash(), ip, look_up).await
    }

    /// How a limited key stands, and whether this request may go on.
    fn count(&self, caller: &Authenticated) -> (Option<RateStanding>, Result<()>) {
        let per_minute = caller.requests_per_minute.and_then(NonZeroU32::new);
        let (Some(key), Some(per_minute)) = (&caller.actor.key, per_minute) else { return (None, Ok(())) };
        match self.rates.count(key.id, per_minute) {
            Ok(standing) => (Some(standing), Ok(())),
            Err(error) => (Some(RateStanding::exhausted(per_minute)), Err(error)),
        }
    }
}

/// The authenticated caller of a request.
pub struct Caller {
    pub authenticated: Authenticated,
    pub token: Token,
}

impl Caller {
    pub fn actor(&self) -> &Actor {
        &self.authenticated.actor
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, std::result::Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let door = request.app_data::<web::Data<Doorkeeper>>().ok_or(Error::Unavailable)?;
            let services = request.app_data::<web::Data<Arc<Services>>>().ok_or(Error::Unavailable)?;
            let token = presented_token(&request)?;
            let authenticated = door.admit(services, &token, client_ip(&request)).await?;
            let (standing, verdict) = door.count(&authenticated);
            if let Some(standing) = standing {
                request.extensions_mut().insert(standing);
            }
            verdict?;
            Ok(Self { authenticated, token })
        })
    }
}

/// The address of the client of a request.
pub fn client_ip(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let lines = request.headers().get_all("x-forwarded-for").map(|line| line.to_str().unwrap_or("?"));
    let trusted = request.app_data::<web::Data<Doorkeeper>>().map_or(&[][..], |door| &door.trusted_proxies);
    Some(client_address(peer, lines, trusted))
}

fn presented_token(request: &HttpRequest) -> Result<Token> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (Some(header), None) = (headers.next(), headers.next()) else { return Err(Error::Unauthenticated) };
    if has_token(request.query_string()) {
        return Err(Error::Unauthenticated);
    }
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::Unauthenticated);
    }
    Token::parse(token).ok_or(Error::Unauthenticated)
}

fn has_token(query: &str) -> bool {
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        matches!(name, "token" | "access_token" | "authorization") || Token::parse(value).is_some()
    })
}

/// Tells a limited key how it stands; wrap the API's scope in it.
pub async fn rate_limit_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> std::result::Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let standing = response.request().extensions().get::<RateStanding>().copied();
    if let Some(standing) = standing {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(standing.limit));
        headers.insert(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(standing.remaining));
        headers.insert(HeaderName::from_static("ratelimit-reset"), HeaderValue::from(standing.reset_seconds));
    }
    Ok(response)
}
