//! The database crashes, is stopped, or throws everybody out, over and over, while the server stays as it is: nothing is
//! lost, and soon it works as fast as before.

use crate::instance::Instance;
use crate::trial::{Ground, Trial};
use anyhow::{Context, ensure};
use sea_orm::{ConnectionTrait, Statement};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use suanpan_bench::database::{Databases, Engine};
use suanpan_bench::figures::float;

const CLIENTS: usize = 64;
const SHORT_RESTARTS: u32 = 3;
const LONG_RESTARTS: u32 = 50;
/// Windows whose median is the usual rate.
const USUAL: usize = 15;
const WINDOW: Duration = Duration::from_secs(1);
/// In windows.
const RECOVERED_WITHIN: usize = 10;
/// Of the usual rate.
const PERCENT: f64 = 95.0;
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
    let mut recoveries = Vec::new();
    for number in 0..wanted {
        let before = usual_rate(trial).await;
        fault(trial, instance, number).await?;
        let recovery = Recovery::after(trial, before).await;
        recoveries.push(recovery.with_context(|| format!("after fault {number}"))?);
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
        told(&recoveries),
    ))
}

/// How the rate came back after a fault.
struct Recovery {
    before: f64,
    /// Windows until it was as good as before, or as it was to stay.
    windows: usize,
    /// It was never as good as before within the time, and as good as ever after.
    only_as_after: bool,
}

impl Recovery {
    async fn after(trial: &Trial, before: f64) -> anyhow::Result<Self> {
        let mut rates = Vec::new();
        for windows in 1..=RECOVERED_WITHIN {
            rates.push(rate(trial).await);
            if is_as_good(rates[windows - 1], before) {
                return Ok(Self { before, windows, only_as_after: false });
            }
        }
        // The database's own rate may have changed meanwhile, which is none of the fault's doing: see what it stays at.
        let after = usual_rate(trial).await;
        let first = rates.iter().position(|now| is_as_good(*now, after));
        let missed = || format!("not {PERCENT} % of {before:.0} events/s before or {after:.0} afterwards: {rates:.0?}");
        ensure!(after >= before * LEAST_LEFT, missed());
        Ok(Self { before, windows: first.with_context(missed)? + 1, only_as_after: true })
    }
}

fn is_as_good(now: f64, reference: f64) -> bool {
    now >= reference * PERCENT / 100.0
}

fn told(recoveries: &[Recovery]) -> String {
    let slowest = recoveries.iter().map(|recovery| recovery.windows).max().unwrap_or(0);
    let drifted: Vec<usize> = (0..recoveries.len()).filter(|number| recoveries[*number].only_as_after).collect();
    let rate = |recovery: Option<&Recovery>| recovery.map_or(0.0, |recovery| recovery.before);
    format!(
        "{PERCENT} % of the rate again within {slowest} s, {} times of that before, and after the faults {drifted:?} of that \
         10 to 25 s later; {:.0} events/s before the first fault, {:.0} before the last",
        recoveries.len() - drifted.len(),
        rate(recoveries.first()),
        rate(recoveries.last()),
    )
}

/// The median of many windows.
async fn usual_rate(trial: &Trial) -> f64 {
    let mut rates = Vec::with_capacity(USUAL);
    for _ in 0..USUAL {
        rates.push(rate(trial).await);
    }
    rates.sort_by(f64::total_cmp);
    rates[USUAL / 2]
}

/// Acknowledged events a second from now on.
async fn rate(trial: &Trial) -> f64 {
    let (before, began) = (trial.crowd.journal.acknowledged(), Instant::now());
    tokio::time::sleep(WINDOW).await;
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
