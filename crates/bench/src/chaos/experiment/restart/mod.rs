//! The database crashes, is stopped, or throws everybody out, over and over, while the server stays as it is: nothing is
//! lost, and soon it works as fast as before.

mod rates;

use crate::instance::Instance;
use crate::trial::{Ground, Trial};
use anyhow::ensure;
use rates::{Comparison, summed_up, usual_rate};
use sea_orm::{ConnectionTrait, Statement};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use suanpan_bench::database::{Databases, Engine};

const CLIENTS: usize = 64;
const SHORT_RESTARTS: u32 = 3;
const LONG_RESTARTS: u32 = 50;
/// Of the rate before, whatever else changed meanwhile.
const LEAST_LEFT: f64 = 0.7;

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
    usual_rate(trial).await;
    let (mut recoveries, mut controls) = (Vec::new(), Vec::new());
    for number in 0..wanted {
        let (recovery, took) = recovery(trial, instance, number).await?;
        recoveries.push(recovery);
        controls.push(control(trial, took).await);
    }
    trial.crowd.stop(clients).await?;
    let repeated = trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    Ok(format!(
        "{wanted} times crashed, stopped or thrown out in turn, {} acknowledged, {repeated} repeated, answers {:?}: 0 \
         lost, 0 doubled; {}",
        trial.crowd.journal.acknowledged(),
        trial.crowd.journal.statuses(),
        told(&recoveries, &controls),
    ))
}

/// How the rate came back after a fault, and how long the fault took.
async fn recovery(
    trial: &Trial,
    instance: &Arc<Mutex<Instance>>,
    number: u32,
) -> anyhow::Result<(Comparison, Duration)> {
    let before = usual_rate(trial).await;
    let began = Instant::now();
    fault(trial, instance, number).await?;
    let took = began.elapsed();
    let after = Comparison::with(trial, before).await;
    let came_back = after.within().is_some() && after.left() >= LEAST_LEFT;
    ensure!(came_back, "after fault {number} not {}", after.told());
    Ok((after, took))
}

/// The same comparison where nothing happened for as long: how much the rate changes by itself.
async fn control(trial: &Trial, took: Duration) -> Comparison {
    let before = usual_rate(trial).await;
    tokio::time::sleep(took).await;
    Comparison::with(trial, before).await
}

fn told(recoveries: &[Comparison], controls: &[Comparison]) -> String {
    let slowest = recoveries.iter().filter_map(Comparison::within).max().unwrap_or(0);
    let before = |comparison: Option<&Comparison>| comparison.map_or(0.0, |comparison| comparison.before);
    format!(
        "{}, but as later, all within {slowest} s; as often without a fault: {}; {:.0} events/s before the first \
         fault, {:.0} before the last",
        summed_up(recoveries),
        summed_up(controls),
        before(recoveries.first()),
        before(recoveries.last()),
    )
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
