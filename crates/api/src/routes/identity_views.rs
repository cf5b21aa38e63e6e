//! Users, accounts and keys as the API shows them. Nothing secret has a field here.

use chrono::{DateTime, Utc};
use domain::accounts::Account;
use domain::actor::Scope;
use domain::id::{AccountId, ApiKeyId, UserId};
use domain::identity::{ApiKey, KeyAllowance, MeterScales, User};
use domain::money::{Currency, Money};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct UserView {
    #[schema(value_type = String, example = "usr_0198c0ffee007000800000000000abcd")]
    pub id: UserId,
    #[schema(value_type = String, example = "acc_0198c0ffee007000800000000000abcd")]
    pub personal_account: AccountId,
    #[schema(example = "zhang")]
    pub username: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub display_name: String,
    pub avatar_url: Option<String>,
    /// Whatever the host product keeps here.
    #[schema(value_type = Object)]
    pub settings: Value,
    #[schema(example = "user")]
    pub role: &'static str,
    #[schema(example = "active")]
    pub status: &'static str,
    pub group_name: String,
    pub external_id: Option<String>,
    pub is_verified: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<DateTime<Utc>>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: DateTime<Utc>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            personal_account: user.personal_account,
            username: user.username.map(|name| name.to_string()),
            email: user.email.map(|address| address.to_string()),
            phone: user.phone.map(|number| number.to_string()),
            display_name: user.profile.display_name,
            avatar_url: user.profile.avatar_url,
            settings: user.profile.settings,
            role: user.role.as_str(),
            status: user.status.as_str(),
            group_name: user.group_name,
            external_id: user.external_id,
            is_verified: user.is_verified,
            last_login_at: user.last_login_at,
            created_at: user.created_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct AccountView {
    #[schema(value_type = String, example = "acc_0198c0ffee007000800000000000abcd")]
    pub id: AccountId,
    #[schema(example = "personal")]
    pub kind: &'static str,
    #[schema(value_type = String)]
    pub owner: UserId,
    pub name: String,
    #[schema(example = "active")]
    pub status: &'static str,
    pub external_id: Option<String>,
    /// Most overage fees in a period; null is what the server is configured with.
    #[schema(example = "100.00")]
    pub spend_cap: Option<String>,
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: DateTime<Utc>,
}

impl AccountView {
    pub fn new(account: Account, billing: Currency) -> Self {
        Self {
            id: account.id,
            kind: account.kind.as_str(),
            owner: account.owner,
            name: account.name,
            status: account.status.as_str(),
            external_id: account.external_id,
            spend_cap: account.spend_cap.map(Money::to_decimal),
            currency: account.spend_cap.map_or(billing, Money::currency),
            created_at: account.created_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct AllowanceView {
    #[schema(example = "words")]
    pub meter: String,
    #[schema(example = "100000")]
    pub quantity: String,
    #[schema(example = "2500")]
    pub used: String,
}

impl AllowanceView {
    fn new(allowance: KeyAllowance, meters: &dyn MeterScales) -> Self {
        let scale = meters.scale(&allowance.meter).unwrap_or(0);
        Self {
            quantity: allowance.quantity.to_decimal(scale),
            used: allowance.used.to_decimal(scale),
            meter: allowance.meter,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct ApiKeyView {
    #[schema(value_type = String, example = "key_0198c0ffee007000800000000000abcd")]
    pub id: ApiKeyId,
    #[schema(example = "build server")]
    pub name: String,
    /// What the key draws from.
    #[schema(value_type = String)]
    pub account: AccountId,
    /// The first characters of the secret.
    #[schema(example = "sk-3f9a1c0")]
    pub prefix: String,
    #[schema(example = json!(["usage:read", "usage:write"]))]
    pub scopes: Vec<String>,
    #[schema(example = "active")]
    pub status: &'static str,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Null is unlimited.
    pub allowance: Option<AllowanceView>,
    /// Null is any.
    pub models: Option<Vec<String>>,
    /// Null is any.
    #[schema(example = json!(["203.0.113.0/24"]))]
    pub allowed_ips: Option<Vec<String>>,
    pub requests_per_minute: Option<u32>,
    pub group_name: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: DateTime<Utc>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ApiKeyView {
    pub fn new(key: ApiKey, meters: &dyn MeterScales) -> Self {
        let draft = key.draft;
        Self {
            id: key.id,
            name: draft.name,
            account: key.account,
            prefix: key.prefix,
            scopes: draft.scopes.iter().map(Scope::as_str).map(str::to_owned).collect(),
            status: key.status.as_str(),
            expires_at: draft.expires_at,
            allowance: draft.allowance.map(|allowance| AllowanceView::new(allowance, meters)),
            models: draft.models,
            allowed_ips: draft.allowed_ips.map(|list| list.to_texts()),
            requests_per_minute: draft.requests_per_minute,
            group_name: key.group_name,
            created_at: key.created_at,
            updated_at: key.updated_at,
            last_used_at: key.last_used_at,
        }
    }
}
