//! The connections of a server: some for the committers alone, the rest for everything else.
//!
//! Nobody else's slow query takes a committer's connection away. And MariaDB prepares a statement anew on each connection
//! and for each number of rows: on few connections that is soon done.

use crate::settings::Settings;
use anyhow::Context;
use domain::store::Store;
use infra::db::{DatabaseSettings, connect};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// On PostgreSQL and MariaDB, where commits go on side by side.
const SHARDS: u32 = 2;
/// One at work, and one that is on its way back to the pool.
const PER_SHARD: u32 = 2;
/// With fewer connections than this all are shared.
const LEAST: u32 = 4 * SHARDS;

/// One database.
pub struct Stores {
    /// For everything but the committers.
    pub general: Arc<dyn Store>,
    pub committers: Arc<dyn Store>,
    /// How many committers there are.
    pub shards: usize,
}

pub fn database_settings(settings: &Settings) -> DatabaseSettings {
    DatabaseSettings {
        url: settings.database.url.expose_secret().to_owned(),
        max_connections: settings.database.max_connections,
    }
}

impl Stores {
    pub async fn connect(settings: &Settings) -> anyhow::Result<Self> {
        let all = database_settings(settings);
        // SQLite has one writer; a second committer would only wait for it.
        let shards = if all.url.starts_with("sqlite:") { 1 } else { SHARDS };
        if shards == 1 || all.max_connections < LEAST {
            let store = open(&all, all.max_connections).await?;
            return Ok(Self { committers: store.clone(), general: store, shards: shards as usize });
        }
        let own = shards * PER_SHARD;
        let (committers, rest) = (open(&all, own).await?, open(&all, all.max_connections - own).await?);
        Ok(Self { general: rest, committers, shards: shards as usize })
    }
}

async fn open(settings: &DatabaseSettings, max_connections: u32) -> anyhow::Result<Arc<dyn Store>> {
    let settings = DatabaseSettings { max_connections, ..settings.clone() };
    Ok(Arc::new(connect(&settings).await.context("cannot connect to the database")?))
}
