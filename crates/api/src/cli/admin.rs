//! `suanpan admin create`: the password comes from standard input, so that it is in no process list.

use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::{Context, anyhow};
use domain::error::Error;
use domain::identity::{Password, Username};
use infra::db::migrate_up;
use std::io::BufRead;

pub async fn create(settings: &Settings, username: &str) -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read the password")?;
    let password =
        Password::choose(line.trim_end_matches(['\r', '\n'])).map_err(|reason| anyhow!("the password {reason}"))?;
    let username = Username::parse(username).map_err(|reason| anyhow!("the user name {reason}"))?;
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    services.plans.publish().await.map_err(said)?;
    let registered = services.registration.create_admin(username, &password).await.map_err(said)?;
    println!("created operator {} with account {}", registered.user.id, registered.account.id);
    Ok(())
}

/// An error with the fields that it is about.
pub fn said(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| format!("{} {}", field.field, field.reason)).collect();
            anyhow!(fields.join("; "))
        }
        error => error.into(),
    }
}
