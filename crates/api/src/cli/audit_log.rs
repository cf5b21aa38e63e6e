//! `suanpan audit-log verify`: walks the chain of audit rows and names the first that is not in order.

use super::say;
use crate::settings::Settings;
use crate::wiring::database_settings;
use anyhow::{Context, anyhow};
use clap::Subcommand;
use domain::audit_chain::{Broken, ChainCheck};
use domain::store::{Repositories, StoreResult};
use indicatif::{ProgressBar, ProgressStyle};
use infra::db::connect;

/// Rows in memory at a time.
const ROWS: u32 = 1000;

#[derive(Debug, Subcommand)]
pub enum AuditLogCommand {
    /// Check that no row was changed, taken out or moved; fails and names the first that is not in order.
    Verify {
        /// POSITION:HASH as an earlier run printed it: that row must still be the same.
        #[arg(long, value_name = "POSITION:HASH", value_parser = read_noted)]
        expect: Option<(i64, String)>,
    },
}

fn read_noted(text: &str) -> Result<(i64, String), String> {
    let (position, hash) = text.split_once(':').ok_or("must be POSITION:HASH")?;
    let position = position.parse().ok().filter(|position| *position > 0).ok_or("has no position")?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if is_hash { Ok((position, hash.to_owned())) } else { Err("has no hash of 64 hexadecimal digits".to_owned()) }
}

/// What a run found.
pub struct Verified {
    /// Rows in order, and the hash of the last of them.
    pub rows: i64,
    pub hash: String,
    pub broken: Option<Broken>,
}

pub async fn audit_log_command(settings: &Settings, command: AuditLogCommand) -> anyhow::Result<()> {
    let AuditLogCommand::Verify { expect } = command;
    let database = connect(&database_settings(settings)).await.context("cannot connect to the database")?;
    let head = database.audit().head().await.context("the chain has no head; run `suanpan migrate up`")?;
    let bar = ProgressBar::new(u64::try_from(head.position).unwrap_or_default());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} rows")?);
    let verified = verify(&database, expect, |rows| bar.set_position(u64::try_from(rows).unwrap_or_default())).await;
    bar.finish_and_clear();
    let verified = verified?;
    match verified.broken {
        None => {
            say(format!("{} rows in order; the head is {0}:{}", verified.rows, verified.hash));
            Ok(())
        }
        Some(broken) => Err(anyhow!("{broken}; the {} rows before are in order", verified.rows)),
    }
}

/// Walks the chain, a few rows at a time; `progress` hears how many were in order so far. What is written meanwhile is
/// left for the next run.
pub async fn verify(
    database: &dyn Repositories,
    noted: Option<(i64, String)>,
    progress: impl Fn(i64),
) -> StoreResult<Verified> {
    let mut check = match noted {
        Some((position, hash)) => ChainCheck::expecting(position, hash),
        None => ChainCheck::default(),
    };
    let head = database.audit().head().await?;
    let unchained = database.audit().count_unchained().await?;
    loop {
        let rows = database.audit().chain(check.position(), ROWS).await?;
        for row in rows.iter().take_while(|row| row.position <= head.position) {
            if let Err(broken) = check.row(row) {
                return Ok(Verified { rows: check.position(), hash: check.hash().to_owned(), broken: Some(broken) });
            }
        }
        progress(check.position());
        if rows.len() < ROWS as usize || check.position() >= head.position {
            break;
        }
    }
    let (rows, hash) = (check.position(), check.hash().to_owned());
    let broken = match check.finish(&head, unchained) {
        Ok(()) => beyond(database, head.position).await?,
        Err(broken) => Some(broken),
    };
    Ok(Verified { rows, hash, broken })
}

/// A row and its head are written in one commit, so a row that a later look at the head does not know was put there.
async fn beyond(database: &dyn Repositories, position: i64) -> StoreResult<Option<Broken>> {
    let next = database.audit().chain(position, 1).await?;
    let head = database.audit().head().await?.position;
    let stray = next.first().filter(|row| row.position > head);
    Ok(stray.map(|row| Broken::Head { position: row.position, head }))
}
