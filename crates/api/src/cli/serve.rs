//! `suanpan serve`: migrate, seed a new development database, listen, drain.

use super::admin::said;
use super::{say, seed, start_logging};
use crate::loops;
use crate::metrics;
use crate::server::{AppState, app};
use crate::settings::{Profile, Settings};
use crate::wiring::{database_settings, wire};
use actix_web::HttpServer;
use anyhow::Context;
use infra::db::migrate_up;
use std::net::SocketAddr;
use std::time::Duration;

/// A client that does not finish its request's head in time is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the proxies' in front of us, so that they close first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    start_logging(&settings);
    migrate_up(&database_settings(&settings)).await.context("cannot migrate the database")?;
    let services = wire(&settings).await?;
    if let Some(clock) = services.test_clock.clone() {
        loops::follow_clock(&services, &clock).await.map_err(said)?;
    }
    services.plans.publish().await.map_err(said)?;
    if let Err(error) = services.retention.create_ahead().await {
        tracing::warn!(error = ?error, "months of usage rows could not be made; the loop tries again");
    }
    let demo = match settings.profile {
        Profile::Development => seed::demo(&settings, &services).await?,
        Profile::Production => None,
    };
    let state = AppState::new(services.clone(), settings);
    let settings = state.settings.clone();
    let workers = state.clone();
    let mut server = HttpServer::new(move || app(workers.clone()))
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(settings.server.drain_seconds);
    if settings.server.workers > 0 {
        server = server.workers(settings.server.workers);
    }
    let address = (settings.server.host, settings.server.port);
    let server = server.bind(address).with_context(|| format!("cannot listen on {}:{}", address.0, address.1))?;
    let listening = server.addrs();
    metrics::serve(&settings)?;
    let background = loops::start(&services);
    announce(&listening, demo.as_ref());
    server.run().await.context("the server failed")?;
    for task in background {
        task.abort();
    }
    tracing::info!("drained and stopped");
    Ok(())
}

fn announce(addresses: &[SocketAddr], demo: Option<&seed::Demo>) {
    let Some(address) = addresses.first() else { return };
    say(format!("Suanpan serves http://{address} (API documentation: http://{address}/docs/)"));
    if let Some(demo) = demo {
        say(demo.welcome(&format!("http://{address}")));
    }
}
