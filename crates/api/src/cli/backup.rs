//! `suanpan backup`: copies a live SQLite database, audits the copy, and only then gives it its name.

use super::audit::Counter;
use super::{Exit, say};
use crate::settings::Settings;
use crate::wiring::database_settings;
use anyhow::{Context, anyhow};
use clap::Args;
use indicatif::ProgressBar;
use infra::db::auditor::{self, Questions};
use infra::db::{DatabaseSettings, copy_sqlite};
use serde::Serialize;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The exit code when the copy violates something.
const VIOLATED: u8 = 1;

#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The file to make; it must not exist.
    pub file: PathBuf,
    /// Do not audit the copy.
    #[arg(long)]
    pub no_audit: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A copy that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    pub file: PathBuf,
    pub bytes: u64,
    /// Invariants that the copy was asked.
    pub invariants: usize,
}

/// Exit code 0: the copy is there; 1: it violates something and stays under its partial name.
pub async fn backup_command(settings: &Settings, arguments: &BackupArguments) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner().with_message("copying");
    bar.enable_steady_tick(Duration::from_millis(200));
    let made = backup(settings, &arguments.file, !arguments.no_audit, |step| bar.set_message(step)).await;
    bar.finish_and_clear();
    let made = made?;
    if arguments.json {
        say(json!(made));
    } else {
        let BackedUp { file, bytes, invariants } = made;
        say(format!("{}: {bytes} bytes, {invariants} invariants hold", file.display()));
    }
    Ok(())
}

/// Copies the database of the settings while others write.
pub async fn backup(
    settings: &Settings,
    file: &Path,
    audited: bool,
    mut tell: impl FnMut(&'static str),
) -> anyhow::Result<BackedUp> {
    let from = database_settings(settings);
    if !from.url.starts_with("sqlite:") {
        return Err(anyhow!("{}", other_tool(&from.url)));
    }
    if file.exists() {
        return Err(anyhow!("{} exists; a backup never overwrites one", file.display()));
    }
    let partial = partial_name(file)?;
    if partial.exists() {
        fs::remove_file(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    copy_sqlite(&from, &partial).await.with_context(|| format!("cannot write {}", partial.display()))?;
    let invariants = if audited {
        tell("auditing the copy");
        audit_copy(&partial).await?
    } else {
        0
    };
    let bytes = fs::metadata(&partial)?.len();
    fs::rename(&partial, file).with_context(|| format!("cannot name the copy {}", file.display()))?;
    Ok(BackedUp { file: file.to_owned(), bytes, invariants })
}

async fn audit_copy(partial: &Path) -> anyhow::Result<usize> {
    let settings = DatabaseSettings { url: format!("sqlite://{}", partial.display()), max_connections: 1 };
    let mut counter = Counter::default();
    let asked =
        auditor::audit(&settings, Questions::default(), &mut counter).await.context("the copy is unreadable")?;
    // The auditor's last connection has folded the log into the file; what is left of it is empty.
    for ending in ["-wal", "-shm"] {
        let mut beside = partial.as_os_str().to_owned();
        beside.push(ending);
        let _gone = fs::remove_file(PathBuf::from(beside));
    }
    match counter.found {
        0 => Ok(asked),
        found => {
            let why = format!("{found} violations; `suanpan audit` prints them. The copy is {}", partial.display());
            Err(Exit { code: VIOLATED, why }.into())
        }
    }
}

fn partial_name(file: &Path) -> anyhow::Result<PathBuf> {
    let name = file.file_name().ok_or_else(|| anyhow!("{} is no file name", file.display()))?;
    let mut partial = name.to_owned();
    partial.push(".partial");
    Ok(file.with_file_name(partial))
}

/// What copies a server's database; without the URL, which has its password.
fn other_tool(url: &str) -> &'static str {
    if url.starts_with("postgres") {
        "this copies SQLite only; for PostgreSQL use `pg_dump -Fc --file=FILE DATABASE` (docs/operations.md)"
    } else {
        "this copies SQLite only; for MariaDB use `mariadb-dump --single-transaction DATABASE` (docs/operations.md)"
    }
}
