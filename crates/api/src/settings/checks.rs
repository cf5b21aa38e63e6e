//! What a type cannot say: ranges, and what production refuses.

use super::sections::{Profile, Sections, Tls, amount};
use domain::notices::Locale;
use infra::crypto::{IndexKey, Keyring};
use infra::mail::is_sender;
use secrecy::ExposeSecret;
use std::ops::RangeInclusive;

const CONNECTIONS: RangeInclusive<u64> = 1..=1000;
const WORKERS: RangeInclusive<u64> = 0..=1024;
const CLIENTS: RangeInclusive<u64> = 1..=1_000_000;
const BODY_LIMIT_BYTES: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;
const BODY_SECONDS: RangeInclusive<u64> = 1..=600;
const DRAIN_SECONDS: RangeInclusive<u64> = 0..=600;
const SESSION_HOURS: RangeInclusive<u64> = 1..=8760;
const BATCH_EVENTS: RangeInclusive<u64> = 1..=1000;
const COMMIT_QUEUE: RangeInclusive<u64> = 1..=1_000_000;
/// An event may come 35 days late, and its repetitions after it.
const USAGE_DAYS: RangeInclusive<u64> = 35..=36_500;
const MONTHS_AHEAD: RangeInclusive<u64> = 1..=24;
const COMMIT_BATCH: RangeInclusive<u64> = 1..=2000;
/// What a database URL begins with.
const DATABASES: [&str; 5] = ["sqlite:", "postgres:", "postgresql:", "mysql:", "mariadb:"];

/// Every value out of its range, then everything unsafe in production.
pub(super) fn check(sections: &Sections) -> Vec<String> {
    let mut mistakes = ranges(sections);
    let days = u64::from(sections.retention.usage_days);
    if days != 0 && !USAGE_DAYS.contains(&days) {
        let (least, most) = (USAGE_DAYS.start(), USAGE_DAYS.end());
        mistakes.push(format!("retention.usage_days: must be 0 or from {least} to {most}"));
    }
    if sections.wallet.adjustment_approval_above.as_deref().is_some_and(|text| amount(text).is_none()) {
        mistakes
            .push("wallet.adjustment_approval_above: must be an amount such as \"1000.00 CNY\", or null".to_owned());
    }
    let url = sections.database.url.expose_secret();
    if !DATABASES.iter().any(|scheme| url.starts_with(scheme)) {
        // The value is not repeated: it may hold a password.
        mistakes.push(format!("database.url: must begin with one of {}", DATABASES.join(" ")));
    }
    mistakes.extend(super::oauth::check(&sections.oauth, sections.profile));
    mistakes.extend(keys(sections));
    mistakes.extend(index_key(sections));
    mistakes.extend(mail(sections));
    if sections.profile == Profile::Production {
        mistakes.extend(unsafe_settings(sections));
    }
    mistakes
}

fn ranges(sections: &Sections) -> Vec<String> {
    let (server, limits) = (&sections.server, &sections.limits);
    let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    [
        ("database.max_connections", u64::from(sections.database.max_connections), CONNECTIONS),
        ("server.workers", wide(server.workers), WORKERS),
        ("server.max_clients", wide(server.max_clients), CLIENTS),
        ("server.body_limit_bytes", wide(server.body_limit_bytes), BODY_LIMIT_BYTES),
        ("server.body_seconds", server.body_seconds, BODY_SECONDS),
        ("server.drain_seconds", server.drain_seconds, DRAIN_SECONDS),
        ("sessions.ttl_hours", u64::from(sections.sessions.ttl_hours), SESSION_HOURS),
        ("limits.batch_events", wide(limits.batch_events), BATCH_EVENTS),
        ("limits.commit_queue", wide(limits.commit_queue), COMMIT_QUEUE),
        ("retention.months_ahead", u64::from(sections.retention.months_ahead), MONTHS_AHEAD),
        ("limits.commit_batch", wide(limits.commit_batch), COMMIT_BATCH),
    ]
    .into_iter()
    .filter(|(_, value, range)| !range.contains(value))
    .map(|(key, _, range)| format!("{key}: must be from {} to {}", range.start(), range.end()))
    .collect()
}

fn keys(sections: &Sections) -> Option<String> {
    let keys = &sections.security.encryption_keys;
    let parsed = Keyring::parse(keys.iter().map(ExposeSecret::expose_secret));
    let reason = parsed.err().filter(|_| !keys.is_empty())?;
    Some(format!("security.encryption_keys: {reason}"))
}

fn index_key(sections: &Sections) -> Option<String> {
    let key = sections.security.index_key.expose_secret();
    let reason = IndexKey::parse(key).err().filter(|_| !key.is_empty())?;
    Some(format!("security.index_key: {reason}"))
}

/// What is verified in production is encrypted and indexed with keys that nobody else knows.
fn unsafe_verification(sections: &Sections) -> Vec<String> {
    let security = &sections.security;
    let missing = [
        ("encryption_keys", security.encryption_keys.is_empty() && !sections.webhooks.enabled),
        ("index_key", security.index_key.expose_secret().is_empty()),
    ];
    let missing = missing.into_iter().filter(|(_, missing)| *missing && sections.verification.enabled);
    let reason =
        "must hold a key in production while verification.enabled is true; `openssl rand -base64 32` makes one";
    missing.map(|(name, _)| format!("security.{name}: {reason}")).collect()
}

fn mail(sections: &Sections) -> Vec<String> {
    let mail = &sections.mail;
    let mut mistakes = Vec::new();
    if Locale::parse(&mail.locale).is_none() {
        mistakes.push("mail.locale: must be zh or en".to_owned());
    }
    if mail.enabled && !is_sender(&mail.from) {
        mistakes.push("mail.from: must be an address such as \"Suanpan <noreply@example.com>\"".to_owned());
    }
    if mail.enabled && mail.host.trim().is_empty() {
        mistakes.push("mail.host: must not be empty".to_owned());
    }
    mistakes
}

fn unsafe_webhooks(sections: &Sections) -> Vec<String> {
    let mut mistakes = Vec::new();
    if sections.webhooks.enabled && sections.security.encryption_keys.is_empty() {
        let reason =
            "must hold a key in production while webhooks.enabled is true; `openssl rand -base64 32` makes one";
        mistakes.push(format!("security.encryption_keys: {reason}"));
    }
    if sections.webhooks.plain_http {
        mistakes.push("webhooks.plain_http: must be false in production".to_owned());
    }
    if sections.webhooks.allowed_networks.iter().any(|network| network.prefix_len() == 0) {
        mistakes.push("webhooks.allowed_networks: must not hold every address in production".to_owned());
    }
    let protected = sections.mail.tls != Tls::None || sections.mail.username.is_empty();
    if sections.mail.enabled && !protected {
        mistakes.push("mail.tls: must not be none in production with a password".to_owned());
    }
    mistakes
}

fn unsafe_settings(sections: &Sections) -> Vec<String> {
    let mut mistakes = Vec::new();
    if sections.clock.test {
        mistakes.push("clock.test: must be false in production: whoever sets the clock sets the bills".to_owned());
    }
    if sections.server.trusted_proxies.iter().any(|network| network.prefix_len() == 0) {
        mistakes.push("server.trusted_proxies: must not hold every address in production".to_owned());
    }
    if sections.database.url.expose_secret().contains(":memory:") {
        mistakes.push("database.url: must not be in memory in production: nothing would be kept".to_owned());
    }
    mistakes.extend(unsafe_webhooks(sections));
    mistakes.extend(unsafe_verification(sections));
    mistakes
}
