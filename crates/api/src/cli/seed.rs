//! `suanpan seed`: demo users on three plans, made through the services so that every rule holds.
//!
//! Everything is dated ten days back, so that the demo's periods are under way. Secrets are random and
//! shown once; a development server keeps them beside its database to print a working curl at every start.

use super::admin::said;
use super::say;
use crate::services::Services;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire, wire_at};
use anyhow::Context;
use chrono::TimeDelta;
use domain::accounts::{AccountRef, KeyWish, Registered, Registration};
use domain::actor::Actor;
use domain::error::Error;
use domain::identity::{Login, Password, Username};
use domain::page::PageRequest;
use domain::plans::{Interval, PlanCode, PlanWish};
use domain::text::hex;
use domain::time::Clock;
use infra::clock::{ShiftedClock, SystemClock};
use infra::db::migrate_up;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How long ago the demo's subscriptions began.
const AGE: TimeDelta = TimeDelta::days(10);
const ADMIN: &str = "admin";
/// Users and the plan each is on, where the configuration has it.
const USERS: [(&str, Option<&str>); 5] =
    [("free", None), ("pro", Some("professional")), ("owner", Some("team")), ("member1", None), ("member2", None)];

/// What a newcomer needs.
pub struct Demo {
    pub object: Value,
}

impl Demo {
    /// A few lines with credentials and a curl that meters, prices and warns.
    pub fn welcome(&self, base: &str) -> String {
        let text = |pointer: &str| self.object.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
        let (user, password) = (text("/users/1/username"), text("/users/1/password"));
        let (key, admin, secret) = (text("/users/1/api_key"), text("/admin/username"), text("/admin/password"));
        format!(
            "Demo user {user} (plan professional), password {password}\n\
             Demo operator {admin}, password {secret}\n\
             Try it; the first time this crosses both warnings and pays for 500 words beyond the plan:\n\n\
             curl -s {base}/api/v1/usage -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
             -d '{{\"meter\": \"words\", \"quantity\": 300500, \"key\": \"my-first-job\"}}'\n\n\
             curl -s {base}/api/v1/quota -H 'Authorization: Bearer {key}'\n"
        )
    }
}

pub async fn seed_command(settings: &Settings, json: bool) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let object = seed(settings).await?;
    if json {
        say(&object);
    } else if object["created"] == json!(true) {
        say(serde_json::to_string_pretty(&object)?);
    } else {
        say("The demo users are there already; nothing was changed.");
    }
    Ok(())
}

/// Seeds a database without users, for a development server; finds what it printed before otherwise.
pub async fn demo(settings: &Settings) -> anyhow::Result<Option<Demo>> {
    let services = wire(settings).await?;
    let first = PageRequest { limit: 1, before: None };
    let is_new = services.store.users().list(first).await?.rows.is_empty();
    let path = credentials_path(settings);
    if is_new {
        let object = seed(settings).await?;
        keep(&path, &object).context("cannot keep the demo's credentials")?;
        return Ok(Some(Demo { object }));
    }
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    let Ok(object) = serde_json::from_str::<Value>(&text) else { return Ok(None) };
    let key = object.pointer("/users/1/api_key").and_then(Value::as_str).unwrap_or_default();
    let valid = services.identity.authenticate(key, None).await.is_ok();
    Ok(valid.then_some(Demo { object }))
}

/// Beside a SQLite database; for a server's, in `data`, under a name of its own.
fn credentials_path(settings: &Settings) -> PathBuf {
    let url = settings.database.url.expose_secret();
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let path = path.trim_start_matches("//").split('?').next().unwrap_or_default();
            Path::new(path).with_extension("demo.json")
        }
        None => Path::new("data").join(format!("demo-{}.json", hex(&Sha256::digest(url)[..4]))),
    }
}

/// Readable by the owner only: these are credentials.
fn keep(path: &Path, object: &Value) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(object.to_string().as_bytes())
}

async fn seed(settings: &Settings) -> anyhow::Result<Value> {
    let clock: Arc<dyn Clock> = Arc::new(ShiftedClock::back(SystemClock.now(), AGE));
    let services = wire_at(settings, clock).await?;
    services.plans.publish().await.map_err(said)?;
    let username = Username::parse(ADMIN).map_err(|reason| anyhow::anyhow!(reason))?;
    let password = fresh_password(&services)?;
    let admin = match services.registration.create_admin(username, &password).await {
        Ok(admin) => admin,
        Err(Error::Conflict { .. }) => return existing(&services).await,
        Err(error) => return Err(said(error)),
    };
    let operator = admin.user.as_actor();
    let mut users = Vec::new();
    for (name, plan) in USERS {
        users.push(seed_user(&services, &operator, name, plan).await?);
    }
    let wish = KeyWish { name: "service".into(), scopes: Some(vec!["service".into()]), ..KeyWish::default() };
    let service = services.keys.create(&operator, wish).await.map_err(said)?;
    Ok(json!({
        "created": true,
        "admin": {"username": ADMIN, "password": password.expose(), "token": admin.token.expose()},
        "users": users,
        "team": null,
        "service_key": service.token.expose(),
    }))
}

async fn seed_user(services: &Services, operator: &Actor, name: &str, plan: Option<&str>) -> anyhow::Result<Value> {
    let password = fresh_password(services)?;
    let username = Username::parse(name).map_err(|reason| anyhow::anyhow!(reason))?;
    let wish = Registration { username: Some(username), ..Registration::default() };
    let Registered { user, account, token, .. } =
        services.registration.register(wish, &password, None).await.map_err(said)?;
    let code = plan.and_then(PlanCode::parse).filter(|code| services.catalogue.plans.contains_key(code));
    let on = code.unwrap_or_else(|| services.catalogue.default_plan.clone());
    let wish = PlanWish { plan: on.clone(), interval: Some(Interval::Month), seats: None };
    services.subscriptions.set(operator, account.id, &wish).await.map_err(said)?;
    let wish = KeyWish { name: "demo".into(), account: AccountRef::Default, ..KeyWish::default() };
    let key = services.keys.create(&user.as_actor(), wish).await.map_err(said)?;
    Ok(json!({
        "username": name, "password": password.expose(), "token": token.expose(), "id": user.id,
        "account": account.id, "plan": on.as_str(), "api_key": key.token.expose(),
    }))
}

/// The same shape, with what can still be known.
async fn existing(services: &Services) -> anyhow::Result<Value> {
    let mut users = Vec::new();
    for (name, _) in USERS {
        let username = Username::parse(name).map_err(|reason| anyhow::anyhow!(reason))?;
        let Some(user) = services.store.users().find_by_login(&Login::Username(username)).await? else { continue };
        let quota = services.metering.quota(user.personal_account).await.map_err(said)?;
        users.push(json!({
            "username": name, "id": user.id, "account": user.personal_account,
            "plan": quota.subscription.chosen.plan.as_str(),
        }));
    }
    Ok(json!({"created": false, "admin": {"username": ADMIN}, "users": users, "team": null}))
}

fn fresh_password(services: &Services) -> anyhow::Result<Password> {
    let bytes = services.identity.secrets.random().map_err(said)?;
    Password::choose(&hex(&bytes[..12])).map_err(|reason| anyhow::anyhow!(reason))
}
