//! The command line: one file per command.

mod admin;
mod audit;
mod audit_log;
mod backup;
mod close;
mod demo;
mod doctor;
mod files;
mod listening;
mod migrate;
mod partitions;
mod recompute;
mod reconcile;
mod replay;
mod rotate_encryption;
mod seed;
mod seed_people;
mod seed_shop;
mod seed_team;
mod serve;

use crate::settings::{LogFormat, Settings, environment};
use anyhow::anyhow;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

pub use audit_log::{Verified, verify};
pub use backup::{BackedUp, backup};
pub use replay::{ReplayArguments, ReplayReport, WarningAt, replay};
pub use seed::seed;

/// Meters, limits and prices what the customers of an AI product use.
#[derive(Debug, Parser)]
#[command(name = "suanpan", version, about)]
pub struct Cli {
    /// A YAML file over the defaults; the environment goes over both.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API; what `suanpan` alone does.
    Serve,
    /// Change the schema of the database, or show where it stands.
    Migrate {
        #[command(subcommand)]
        direction: migrate::Direction,
    },
    /// Make the months of usage rows that come next, and delete those past their retention; the server does so too.
    Partitions {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Close the quota periods that ended, and bill what they cost; the server does so too.
    Close {
        /// Only periods that began in this local month or before, such as 2026-11.
        #[arg(long, value_name = "YYYY-MM")]
        period: Option<String>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Derive bills again from usage rows and print what differs; reads only, and fails when something does.
    Recompute(recompute::RecomputeArguments),
    /// Create demo users on three plans; running it twice changes nothing.
    Seed {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Work on plan files.
    Plans {
        #[command(subcommand)]
        command: PlansCommand,
    },
    /// Work on operators.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Work on the audit log.
    AuditLog {
        #[command(subcommand)]
        command: audit_log::AuditLogCommand,
    },
    /// Encrypt with the newest key what is under older ones; may be killed, repeated, and run beside servers.
    RotateEncryption {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Check everything that must be true of the data, on a live database; fails and prints what is not.
    Audit(audit::AuditArguments),
    /// Copy a SQLite database while servers write to it, and audit the copy.
    Backup(backup::BackupArguments),
    /// Feed a CSV of past use through metering and show what it would have cost.
    Replay(ReplayArguments),
    /// Compare a provider's daily bill with ours; the server does so every day.
    Reconcile(reconcile::ReconcileArguments),
    /// Print the OpenAPI document.
    Openapi,
    /// Check the set-up.
    Doctor,
}

#[derive(Debug, Subcommand)]
pub enum PlansCommand {
    /// Report every mistake of a configuration file, with its path.
    Check {
        /// The file; the built-in configuration when left out.
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Create an operator; the password is read from standard input.
    Create {
        #[arg(long)]
        username: String,
    },
}

/// Ends the process with a code of its own.
#[derive(Debug, Error)]
#[error("{why}")]
struct Exit {
    code: u8,
    why: String,
}

/// The code of an audit that could not be made; 1 says that something is violated.
const NOT_AUDITED: u8 = 2;

/// Runs a command to its end; what went wrong is said on standard error.
pub async fn run(cli: Cli) -> ExitCode {
    let otherwise =
        if matches!(cli.command, Some(Command::Audit(_) | Command::Recompute(_))) { NOT_AUDITED } else { 1 };
    match run_to_end(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("suanpan: {error:#}");
            ExitCode::from(error.downcast_ref::<Exit>().map_or(otherwise, |exit| exit.code))
        }
    }
}

async fn run_to_end(cli: Cli) -> anyhow::Result<()> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Plans { command: PlansCommand::Check { file } } => check_plans(file.as_deref()),
        Command::Openapi => {
            say(crate::openapi::document().to_pretty_json()?);
            Ok(())
        }
        command => {
            let settings = load(cli.config.as_deref())?;
            with_settings(command, settings).await
        }
    }
}

/// Each command's future is boxed: one that held them all would be too deep for the compiler in a release build.
async fn with_settings(command: Command, settings: Settings) -> anyhow::Result<()> {
    match command {
        Command::Serve => Box::pin(serve::serve(settings)).await,
        Command::Migrate { direction } => Box::pin(migrate::migrate(&settings, direction)).await,
        Command::Partitions { json } => Box::pin(partitions::partitions(&settings, json)).await,
        Command::Close { period, json } => Box::pin(close::close(&settings, period.as_deref(), json)).await,
        Command::Recompute(arguments) => Box::pin(recompute::recompute_command(&settings, &arguments)).await,
        Command::Seed { json } => Box::pin(seed::seed_command(&settings, json)).await,
        Command::Admin { command: AdminCommand::Create { username } } => {
            Box::pin(admin::create(&settings, &username)).await
        }
        Command::Audit(arguments) => Box::pin(audit::audit_command(&settings, &arguments)).await,
        Command::Backup(arguments) => Box::pin(backup::backup_command(&settings, &arguments)).await,
        Command::AuditLog { command } => Box::pin(audit_log::audit_log_command(&settings, command)).await,
        Command::RotateEncryption { json } => Box::pin(rotate_encryption::rotate_encryption(&settings, json)).await,
        Command::Replay(arguments) => Box::pin(replay::replay_command(&settings, &arguments)).await,
        Command::Reconcile(arguments) => Box::pin(reconcile::reconcile_command(&settings, &arguments)).await,
        Command::Doctor => Box::pin(doctor::doctor(&settings)).await,
        Command::Plans { .. } | Command::Openapi => Ok(()),
    }
}

fn load(file: Option<&std::path::Path>) -> anyhow::Result<Settings> {
    Settings::load(file, environment()).map_err(|mistakes| {
        anyhow!("the configuration has {} mistake(s):\n  {}", mistakes.len(), mistakes.join("\n  "))
    })
}

fn check_plans(file: Option<&std::path::Path>) -> anyhow::Result<()> {
    let (report, clean) = crate::plans_check(file);
    say(report);
    if clean { Ok(()) } else { Err(anyhow!("there are mistakes")) }
}

/// Prints an answer. A reader that has seen enough, such as `head`, ends the printing and nothing else.
fn say(answer: impl std::fmt::Display) {
    let _closed = writeln!(std::io::stdout(), "{answer}");
}

/// Starts logging to standard error; what commands answer goes to standard output.
fn start_logging(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = ["sqlx::postgres::notice=off", "sea_orm_migration=warn", "actix_server=warn"];
    let filter = quiet.iter().filter_map(|rule| rule.parse().ok()).fold(filter, EnvFilter::add_directive);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log.format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    if started.is_err() {
        eprintln!("suanpan: logging was started before");
    }
}
