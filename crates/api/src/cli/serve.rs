//! `suanpan serve`: migrate, seed a new development database, listen, drain.

use super::admin::said;
use super::listening::listen;
use super::{demo, files, say, start_logging};
use crate::dispatcher::Dispatcher;
use crate::fake_provider;
use crate::loops;
use crate::metrics;
use crate::openapi::BASE;
use crate::server::{AppState, app};
use crate::settings::{Profile, Settings};
use crate::wiring::{database_settings, wire};
use actix_web::HttpServer;
use anyhow::Context;
use domain::identity::Token;
use infra::db::migrate_up;
use std::net::SocketAddr;
use std::num::NonZero;
use std::time::Duration;

/// A client that does not finish its request's head in time is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the proxies' in front of us, so that they close first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

pub async fn serve(mut settings: Settings) -> anyhow::Result<()> {
    start_logging(&settings);
    migrate_up(&database_settings(&settings)).await.context("cannot migrate the database")?;
    let fake = fake_provider::start(&mut settings)?;
    let services = wire(&settings).await?;
    if let Some(clock) = services.test_clock.clone() {
        loops::follow_clock(&services, &clock).await.map_err(said)?;
    }
    services.plans.publish().await.map_err(said)?;
    if let Err(error) = services.retention.create_ahead().await {
        tracing::warn!(error = ?error, "months of usage rows could not be made; the loop tries again");
    }
    let demo = match settings.profile {
        Profile::Development => demo::demo(&settings, &services).await?,
        Profile::Production => None,
    };
    services.options.follow().await.map_err(said)?;
    let set_up = services.registration.offer_set_up().await.map_err(said)?;
    let state = AppState::new(services.clone(), settings);
    let settings = state.settings.clone();
    let workers = state.clone();
    let threads = threads(&settings);
    let server = HttpServer::new(move || app(workers.clone()))
        .workers(threads)
        .max_connections(
            files::clients(settings.server.max_clients, settings.database.max_connections).div_ceil(threads),
        )
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(settings.server.drain_seconds);
    let server = server.listen(listen((settings.server.host, settings.server.port).into())?)?;
    let listening = server.addrs();
    metrics::serve(&settings)?;
    let background = loops::start(&services);
    let dispatcher = Dispatcher::start(&services);
    announce(&listening, demo.as_ref(), set_up.as_ref());
    if let Some(fake) = &fake {
        say(format!("Orders are paid at a fake provider, {}, until a real one is configured.", fake.base()));
    }
    server.run().await.context("the server failed")?;
    for task in background {
        task.abort();
    }
    dispatcher.stop(Duration::from_secs(settings.server.drain_seconds)).await;
    tracing::info!("drained and stopped");
    Ok(())
}

/// As configured, else one per core.
fn threads(settings: &Settings) -> usize {
    match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get),
        workers => workers,
    }
}

fn announce(addresses: &[SocketAddr], demo: Option<&demo::Demo>, set_up: Option<&Token>) {
    let Some(address) = addresses.first() else { return };
    say(format!("Suanpan serves http://{address} (API documentation: http://{address}/docs/)"));
    if let Some(demo) = demo {
        say(demo.welcome(&format!("http://{address}")));
    }
    if let Some(token) = set_up {
        // The one place where it is shown; standard output is not the log.
        say(format!("There is no operator yet. POST {BASE}/setup with this token makes one: {}", token.expose()));
    }
}
