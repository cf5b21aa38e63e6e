//! `suanpan admin create`: the password comes from standard input, so that it is in no process list.

use crate::admin::create_admin;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::anyhow;
use domain::error::Error;
use infra::db::migrate_up;

pub async fn create(settings: &Settings, username: &str) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    services.plans.publish().await.map_err(said)?;
    let registered = create_admin(&services, username, std::io::stdin()).await?;
    super::say(format!("created operator {} with account {}", registered.user.id, registered.account.id));
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
