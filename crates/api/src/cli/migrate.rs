//! `suanpan migrate up|down|status`.

use super::admin::said;
use super::say;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use clap::Subcommand;
use infra::db::{connect, migrate_down, migrate_up, migration_status};

#[derive(Debug, Subcommand)]
pub enum Direction {
    /// Apply what is missing.
    Up,
    /// Take the last migrations back.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// Show every migration and whether it was applied.
    Status,
}

pub async fn migrate(settings: &Settings, direction: Direction) -> anyhow::Result<()> {
    let database = database_settings(settings);
    match direction {
        Direction::Up => {
            migrate_up(&database).await?;
            wire(settings).await?.retention.create_ahead().await.map_err(said)?;
        }
        Direction::Down { steps } => migrate_down(&database, steps).await?,
        Direction::Status => {}
    }
    for migration in migration_status(&connect(&database).await?).await? {
        say(format!("{} {}", if migration.applied { "applied" } else { "pending" }, migration.name));
    }
    Ok(())
}
