//! The sections of the configuration as types; unknown keys are mistakes.

use domain::money::{Currency, Money};
use domain::wallet::ApprovalRule;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The whole document, before it is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sections {
    pub(super) profile: Profile,
    pub(super) database: Database,
    pub(super) server: Server,
    pub(super) metrics: Metrics,
    pub(super) clock: Clock,
    pub(super) sessions: Sessions,
    pub(super) security: Security,
    pub(super) webhooks: Webhooks,
    pub(super) mail: Mail,
    pub(super) log: Log,
    pub(super) limits: Limits,
    pub(super) retention: Retention,
    pub(super) incentives: Incentives,
    pub(super) verification: VerificationSection,
    pub(super) wallet: Wallet,
    pub(super) meters: Value,
    pub(super) plans: Value,
    pub(super) warnings: Warnings,
    pub(super) billing: Value,
    pub(super) oauth: OAuth,
    pub(super) payments: super::payments::Payments,
}

/// How strict to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    Development,
    /// Unsafe settings refuse to start, and nothing is seeded.
    Production,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Holds a password: printed as `[REDACTED]`.
    #[serde(deserialize_with = "secret")]
    pub url: SecretString,
    pub max_connections: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: IpAddr,
    pub port: u16,
    /// 0 is one per core.
    pub workers: usize,
    pub max_clients: usize,
    pub body_limit_bytes: usize,
    pub body_seconds: u64,
    pub drain_seconds: u64,
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub host: IpAddr,
    pub port: u16,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Whether operators may set the time.
    pub test: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub ttl_hours: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// `NAME:BASE64` each; printed as `[REDACTED]`.
    #[serde(deserialize_with = "secrets")]
    pub encryption_keys: Vec<SecretString>,
    /// Base64; printed as `[REDACTED]`.
    #[serde(deserialize_with = "secret")]
    pub index_key: SecretString,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub enabled: bool,
    pub plain_http: bool,
    #[serde(deserialize_with = "networks")]
    pub allowed_networks: Vec<IpNet>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub enabled: bool,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub username: String,
    #[serde(deserialize_with = "secret")]
    pub password: SecretString,
    pub from: String,
    pub locale: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    Implicit,
    Starttls,
    None,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub batch_events: usize,
    pub commit_queue: usize,
    pub commit_batch: usize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// 0 keeps usage rows for good.
    pub usage_days: u32,
    pub months_ahead: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationSection {
    /// Whether users may claim a real name and an ID number.
    pub enabled: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incentives {
    pub(super) check_in: CheckInSection,
    pub(super) referral: ReferralSection,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckInSection {
    pub(super) reward: Option<RewardText>,
    #[serde(default, deserialize_with = "optional_digits_or_text")]
    pub(super) most: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferralSection {
    pub(super) rewarded_on: String,
    #[serde(default, deserialize_with = "optional_digits_or_text")]
    pub(super) inviter: Option<String>,
    pub(super) invitee: Option<RewardText>,
    #[serde(deserialize_with = "digits_or_text")]
    pub(super) least_transfer: String,
}

/// An amount, or a meter and a quantity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RewardText {
    #[serde(default, deserialize_with = "optional_digits_or_text")]
    pub(super) amount: Option<String>,
    pub(super) meter: Option<String>,
    #[serde(default, deserialize_with = "optional_digits_or_text")]
    pub(super) quantity: Option<String>,
    pub(super) models: Option<Vec<String>>,
    pub(super) valid_days: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// `"1000.00 CNY"`; none never asks for a second operator.
    pub adjustment_approval_above: Option<String>,
}

impl Wallet {
    /// From which amount on adjustments need a second operator; checked when the settings were read.
    pub fn approval(&self) -> ApprovalRule {
        ApprovalRule { above: self.adjustment_approval_above.as_deref().and_then(amount) }
    }
}

/// Reads an amount with its currency; nothing below zero.
pub(super) fn amount(text: &str) -> Option<Money> {
    let (number, code) = text.split_once(' ')?;
    Money::parse_minor(number, Currency::parse(code)?).ok().filter(|amount| amount.nanos() >= 0)
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Warnings {
    pub(super) at: Value,
}

/// Logging in through other providers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// This server as browsers see it, without a path.
    pub public_url: String,
    /// The page that gets the one-time code; none answers with JSON.
    pub return_url: Option<String>,
    pub providers: BTreeMap<String, Provider>,
}

/// One provider; what is left out is as its kind has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub kind: String,
    pub label: Option<String>,
    #[serde(deserialize_with = "digits_or_text")]
    pub client_id: String,
    #[serde(deserialize_with = "secret")]
    pub client_secret: SecretString,
    pub issuer: Option<String>,
    pub authorize_url: Option<String>,
    pub token_url: Option<String>,
    pub userinfo_url: Option<String>,
    pub emails_url: Option<String>,
    pub scopes: Option<String>,
    pub subject_field: Option<String>,
    pub name_field: Option<String>,
}

/// A list, or a text with commas as the environment gives it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    List(Vec<String>),
    Commas(String),
}

pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// Telegram's bot ids are numbers, which the environment and YAML may give as such.
pub(super) fn digits_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("must be a text")),
    }
}

fn optional_digits_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if !number.is_f64() => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("must be a text, or a number without decimals")),
    }
}

pub(super) fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    Ok(words(deserializer)?.into_iter().map(SecretString::from).collect())
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Words::deserialize(deserializer)? {
        Words::List(list) => list,
        Words::Commas(text) => {
            text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
        }
    })
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    words(deserializer)?
        .iter()
        .map(|word| network(word).ok_or_else(|| D::Error::custom(format!("{word} is not an address or network"))))
        .collect()
}

/// `10.0.0.0/8`, or one address.
fn network(word: &str) -> Option<IpNet> {
    word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))
}
