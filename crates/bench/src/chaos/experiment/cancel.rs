//! Clients hang up in the middle of their requests while the database is slow: no transaction stays open, and what
//! was acknowledged is there for everybody.

use crate::trial::{Ground, Trial};
use anyhow::ensure;
use std::time::{Duration, Instant};
use suanpan_bench::database::Engine;

const CLIENTS: usize = 200;
const PERCENT: u64 = 80;
const LATENCY: Duration = Duration::from_millis(25);
const SHORT: u32 = 1_000;
const LONG: u32 = 10_000;
const POLL: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_mins(20);
/// After which a transaction without a statement counts as forgotten.
const FORGOTTEN: Duration = Duration::from_millis(1_500);

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    let trial = ground.trial(engine).await?;
    let wanted = u64::from(ground.arguments.rounds(SHORT, LONG));
    let server = trial.serve().await?;
    if let Some(proxy) = &trial.proxy {
        proxy.faults.latency.set(LATENCY);
    }
    let clients = trial.crowd.start(CLIENTS);
    trial.crowd.hang_ups.set(PERCENT);
    let began = Instant::now();
    while trial.crowd.hung_up.get() < wanted {
        ensure!(began.elapsed() < LONGEST, "only {} clients hung up", trial.crowd.hung_up.get());
        tokio::time::sleep(POLL).await;
    }
    trial.crowd.stop(clients).await?;
    trial.crowd.hang_ups.set(0);
    if let Some(proxy) = &trial.proxy {
        proxy.faults.heal();
    }
    let _forgotten = trial.forget().await?;
    tokio::time::sleep(FORGOTTEN).await;
    let open = open_transactions(&trial).await?;
    ensure!(open == 0, "{open} transactions are open while nobody works");
    let repeated = trial.settle().await?;
    trial.judge().await?;
    server.end().await?;
    let told = format!(
        "{} hung up, {} acknowledged, {repeated} repeated: 0 transactions left open, 0 lost, 0 doubled",
        trial.crowd.hung_up.get(),
        trial.crowd.journal.acknowledged()
    );
    ground.end(trial).await?;
    Ok(told)
}

/// Transactions of the server's connections that wait for nothing.
async fn open_transactions(trial: &Trial) -> anyhow::Result<i64> {
    let table = match trial.engine() {
        // The one writer's transaction would block the next write, which settling proves not to be so.
        Engine::Sqlite => return Ok(0),
        Engine::Postgres => {
            "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '1 second'"
        }
        Engine::MariaDb => {
            "information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
             WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()"
        }
    };
    trial.database.number("COUNT(*)", table).await
}
