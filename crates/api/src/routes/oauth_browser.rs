//! What ties a log-in at another provider to the browser that began it: a cookie that only comes back here.

use crate::openapi::BASE;
use crate::settings::OAuth;
use actix_web::HttpRequest;
use actix_web::http::header::{COOKIE, HeaderValue};
use domain::identity::{FLOW_LASTS, Token};

const NAME: &str = "suanpan_oauth";

/// The cookie for a flow just begun. Lax, so that it comes along when the provider sends the browser back.
pub fn keeping(browser: &Token, oauth: &OAuth) -> String {
    written(browser.expose(), FLOW_LASTS.num_seconds(), oauth)
}

/// The cookie that ends the other.
pub fn forgetting(oauth: &OAuth) -> String {
    written("", 0, oauth)
}

fn written(value: &str, seconds: i64, oauth: &OAuth) -> String {
    let secure = if oauth.public_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{NAME}={value}; Path={BASE}/auth/oauth; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// What the browser kept; empty when it kept nothing, or says two things.
pub fn kept(request: &HttpRequest) -> String {
    let lines = request.headers().get_all(COOKIE).filter_map(|line| HeaderValue::to_str(line).ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_owned(),
        _ => String::new(),
    }
}
