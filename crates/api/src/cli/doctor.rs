//! `suanpan doctor`: checks the set-up and says what to do.

use crate::settings::{Profile, Settings};
use crate::wiring::{database_settings, wire};
use infra::db::{connect, migration_status};
use std::net::TcpListener;

pub async fn doctor(settings: &Settings) -> anyhow::Result<()> {
    let mut healthy = true;
    let mut say = |fine: bool, what: &str| {
        healthy &= fine;
        super::say(format!("{} {what}", if fine { "ok  " } else { "FAIL" }));
    };
    let catalogue = settings.catalogue();
    say(true, &format!("configuration: {} meters, {} plans", catalogue.meters.len(), catalogue.plans.len()));
    say(true, &format!("billing in {} by the calendar of {}", catalogue.currency, catalogue.zone));
    match connect(&database_settings(settings)).await {
        Err(error) => say(false, &format!("database: {error}; check database.url and that the server runs")),
        Ok(database) => {
            say(true, "database: connected");
            match migration_status(&database).await {
                Ok(all) if all.iter().all(|migration| migration.applied) => say(true, "schema: up to date"),
                Ok(all) => {
                    let pending = all.iter().filter(|migration| !migration.applied).count();
                    say(false, &format!("schema: {pending} migrations are pending; run `suanpan migrate up`"));
                }
                Err(error) => say(false, &format!("schema: {error}")),
            }
        }
    }
    let address = (settings.server.host, settings.server.port);
    let free = TcpListener::bind(address).is_ok();
    let note = if free { "free" } else { "taken; perhaps by a running suanpan" };
    say(true, &format!("address {}:{}: {note}", address.0, address.1));
    say(settings.profile != Profile::Production || !settings.clock.test, "the clock cannot be moved in production");
    if wire(settings).await.is_err() {
        say(false, "services: could not be built");
    }
    if healthy { Ok(()) } else { Err(anyhow::anyhow!("something needs attention")) }
}
