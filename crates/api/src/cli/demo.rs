//! The demo of a development server: seeded into a database without users, its credentials kept and shown at each start.

use super::seed::{BEGUN, progress, seed};
use super::seed_shop;
use crate::services::Services;
use crate::settings::Settings;
use anyhow::Context;
use domain::page::PageRequest;
use domain::text::hex;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

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
        let plan = text("/users/1/plan");
        let calls = seed_shop::calls(base, &key, &text("/users/1/token"), &self.object["try"]);
        format!(
            "Demo user {user} (plan {plan}), password {password}\nDemo operator {admin}, password {secret}\n{calls}"
        )
    }
}

/// Seeds a database without users, or goes on with one half seeded, for a development server; finds what it printed before otherwise.
pub async fn demo(settings: &Settings, services: &Services) -> anyhow::Result<Option<Demo>> {
    let first = PageRequest { limit: 1, before: None };
    let is_new = services.store.users().list(first).await?.rows.is_empty();
    let path = credentials_path(settings);
    if is_new || progress(services).await?.as_deref() == Some(BEGUN) {
        let object = seed(settings).await?;
        if object["created"] == json!(true) {
            keep(&path, &object).context("cannot keep the demo's credentials")?;
            return Ok(Some(Demo { object }));
        }
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
