//! MariaDB's reference: the same transactions by prepared statements, each client on a connection of its own.

use super::{CLIENTS, Done, Work};
use crate::figures::float;
use crate::load::numbers::Numbers;
use anyhow::{Context, bail};
use sea_orm::sqlx::{self, Connection, MySqlConnection};
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

const WARM_UP: Duration = Duration::from_millis(500);
const CONSUME: &str = "UPDATE quota SET used = used + 1 WHERE account_id = ? AND used + 1 <= quota_limit";
const RECORD: &str = "INSERT INTO usage_event (account_id, meter, quantity, usage_key, occurred_at) \
                      VALUES (?, 'words', 1, ?, NOW(6))";
const CLAIM: &str = "INSERT INTO idempotency (account_id, usage_key) VALUES (?, ?)";

/// When a client begins to count, and when it ends.
#[derive(Clone, Copy)]
struct Span {
    from: Instant,
    to: Instant,
}

/// Committed in all, and within the span.
#[derive(Clone, Copy, Default)]
struct Committed {
    all: u64,
    measured: u64,
}

pub async fn run(url: &str, work: Work, accounts: u64, duration: Duration) -> anyhow::Result<Done> {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, all_clients(&url, work, accounts, duration))
    })
    .await?
}

async fn all_clients(url: &str, work: Work, accounts: u64, duration: Duration) -> anyhow::Result<Done> {
    let mut connections = Vec::with_capacity(CLIENTS);
    for _ in 0..CLIENTS {
        connections.push(MySqlConnection::connect(url).await.context("a client of the reference")?);
    }
    let from = Instant::now() + WARM_UP;
    let span = Span { from, to: from + duration };
    let start = |connection| tokio::task::spawn_local(client(connection, work, Numbers::new(accounts), span));
    let clients: Vec<_> = connections.into_iter().map(start).collect();
    let mut sum = Committed::default();
    for client in clients {
        let committed = client.await??;
        sum = Committed { all: sum.all + committed.all, measured: sum.measured + committed.measured };
    }
    Ok(Done { per_second: float(sum.measured) / duration.as_secs_f64(), transactions: sum.all })
}

async fn client(
    mut connection: MySqlConnection,
    work: Work,
    mut numbers: Numbers,
    span: Span,
) -> anyhow::Result<Committed> {
    let mut committed = Committed::default();
    while Instant::now() < span.to {
        let account = i64::try_from(numbers.account())?;
        match work {
            Work::HandWritten => hand_written(&mut connection, account, &format!("{:016x}", numbers.key())).await?,
            Work::Bare => consume(&mut connection, account).await?,
        }
        let now = Instant::now();
        committed.all += 1;
        committed.measured += u64::from(now >= span.from && now <= span.to);
    }
    connection.close().await?;
    Ok(committed)
}

async fn hand_written(connection: &mut MySqlConnection, account: i64, key: &str) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    consume(&mut transaction, account).await?;
    sqlx::query(RECORD).bind(account).bind(key).execute(&mut *transaction).await?;
    sqlx::query(CLAIM).bind(account).bind(key).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

async fn consume(connection: &mut MySqlConnection, account: i64) -> anyhow::Result<()> {
    let changed = sqlx::query(CONSUME).bind(account).execute(connection).await?.rows_affected();
    if changed == 1 { Ok(()) } else { bail!("the reference's quota of account {account} changed {changed} rows") }
}
