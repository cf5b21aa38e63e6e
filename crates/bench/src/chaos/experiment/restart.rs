//! The database crashes, is stopped, or throws everybody out, over and over, while the server stays as it is: nothing is
//! lost, and soon it works as fast as before.

use crate::instance::Instance;
use crate::trial::{Ground, Trial};
use anyhow::ensure;
use sea_orm::{ConnectionTrait, Statement};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use suanpan_bench::database::{Databases, Engine};
use suanpan_bench::figures::float;

const CLIENTS: usize = 64;
const SHORT_RESTARTS: u32 = 3;
const LONG_RESTARTS: u32 = 50;
/// How long the rate before a fault is measured.
const BEFORE: Duration = Duration::from_secs(5);
/// How long the rate after it is measured each time, until it is as good.
const WINDOW: Duration = Duration::from_secs(1);
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);
/// Of the rate before.
const PERCENT: f64 = 95.0;

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    if engine == Engine::Sqlite {
        return Ok("has no server that could be restarted".to_owned());
    }
    let instance = tokio::task::spawn_blocking(move || Instance::start(engine)).await??;
    let url = instance.url();
    let databases = Databases::new(&url, &url, &ground.arguments.folder)?;
    let own = Ground::new(ground.arguments, &databases)?;
    let instance = Arc::new(Mutex::new(instance));
    let trial = own.trial(engine).await?;
    let told = restarts(&own, &trial, &instance).await?;
    own.end(trial).await?;
    Ok(told)
}

async fn restarts(ground: &Ground<'_>, trial: &Trial, instance: &Arc<Mutex<Instance>>) -> anyhow::Result<String> {
    let wanted = ground.arguments.rounds(SHORT_RESTARTS, LONG_RESTARTS);
    let server = trial.serve().await?;
    let clients = trial.crowd.start(CLIENTS);
    rate(trial, BEFORE).await;
    let mut slowest = Duration::ZERO;
    for number in 0..wanted {
        let before = rate(trial, BEFORE).await;
        fault(trial, instance, number).await?;
        slowest = slowest.max(recovery(trial, before, number).await?);
    }
    trial.crowd.stop(clients).await?;
    let repeated = trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    Ok(format!(
        "{wanted} times crashed, stopped or thrown out in turn, {} acknowledged, {repeated} repeated, answers {:?}: 0 \
         lost, 0 doubled; {PERCENT} % of the rate again within {:.0} s",
        trial.crowd.journal.acknowledged(),
        trial.crowd.journal.statuses(),
        slowest.as_secs_f64(),
    ))
}

/// How long it takes until the rate is as good as before.
async fn recovery(trial: &Trial, before: f64, number: u32) -> anyhow::Result<Duration> {
    let (up, mut rates) = (Instant::now(), Vec::new());
    loop {
        let now = rate(trial, WINDOW).await;
        if now >= before * PERCENT / 100.0 {
            return Ok(up.elapsed());
        }
        rates.push(now.round());
        ensure!(
            up.elapsed() < RECOVERED_WITHIN,
            "after fault {number} the rate stays below {PERCENT} % of {before:.0} events/s: {rates:?}"
        );
    }
}

/// Acknowledged events a second from now on.
async fn rate(trial: &Trial, during: Duration) -> f64 {
    let (before, began) = (trial.crowd.journal.acknowledged(), Instant::now());
    tokio::time::sleep(during).await;
    float(trial.crowd.journal.acknowledged() - before) / began.elapsed().as_secs_f64()
}

/// Returns when the database takes connections again.
async fn fault(trial: &Trial, instance: &Arc<Mutex<Instance>>, number: u32) -> anyhow::Result<()> {
    if number % 3 == 2 {
        return throw_out(trial).await;
    }
    let instance = instance.clone();
    let restart = move || {
        let mut instance = instance.lock().unwrap_or_else(PoisonError::into_inner);
        if number.is_multiple_of(3) {
            instance.crash()?;
        } else {
            instance.stop()?;
        }
        instance.up()
    };
    tokio::task::spawn_blocking(restart).await?
}

/// Ends every connection but this one.
async fn throw_out(trial: &Trial) -> anyhow::Result<()> {
    let connection = &trial.database.connection;
    let backend = connection.get_database_backend();
    let others = match trial.engine() {
        Engine::Postgres => {
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND \
             pid <> pg_backend_pid()"
        }
        _ => {
            "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE db = DATABASE() AND \
             id <> CONNECTION_ID()"
        }
    };
    let rows = connection.query_all_raw(Statement::from_string(backend, others)).await?;
    if trial.engine() == Engine::MariaDb {
        for row in rows {
            let kill: String = row.try_get_by_index(0)?;
            // It may have ended by itself.
            let _ended = connection.execute_unprepared(&kill).await;
        }
    }
    Ok(())
}
