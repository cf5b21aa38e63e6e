//! The command line.

use clap::{Parser, ValueEnum};
use std::fmt;
use std::path::PathBuf;
use suanpan_bench::database::Engine;

/// Breaks the server, its database and its connections under load, and compares what clients were told with what the
/// database holds.
///
/// PostgreSQL and MariaDB must run; each gets databases of its own, which are dropped at the end.
#[derive(Clone, Debug, Parser)]
#[command(name = "chaos")]
pub struct Arguments {
    /// Only these experiments; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<Experiment>,
    /// Only these databases; may be repeated.
    #[arg(long, value_name = "NAME")]
    database: Vec<Engine>,
    /// The full figures instead of a short round.
    #[arg(long)]
    pub long: bool,
    /// How many faults of the sort that is counted: kills, cuts, hang-ups, restarts, drains; instead of a short or long round.
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<u32>,
    /// Repeats the schedule of a run that printed it.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Breaks the proof on purpose: the run must fail, or the experiment is worth nothing.
    #[arg(long, value_name = "DEFECT")]
    pub defect: Option<Defect>,
    /// The server to break.
    #[arg(long, default_value = "target/release/suanpan", value_name = "FILE")]
    pub server: PathBuf,
    /// Where SQLite's files go while it runs.
    #[arg(long, default_value = "target/bench", value_name = "FOLDER")]
    pub folder: PathBuf,
    #[arg(
        long,
        env = "TEST_POSTGRES_URL",
        hide_env_values = true,
        default_value = "postgres://postgres@127.0.0.1:5432"
    )]
    pub postgres_url: String,
    #[arg(long, env = "TEST_MARIADB_URL", hide_env_values = true, default_value = "mysql://root@127.0.0.1:3306")]
    pub mariadb_url: String,
}

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Experiment {
    /// The server is killed and started again, over and over.
    Kill,
    /// The connection to the database breaks at COMMIT, before it arrives or before its answer does.
    Cut,
    /// Clients hang up in the middle of their requests, while the database is slow.
    Cancel,
    /// The database falls silent and comes back.
    Silence,
    /// The database crashes, is stopped, or throws everybody out, and is back soon.
    Restart,
    /// The server is asked to end while it is busy.
    Drain,
    /// Slow clients come, many more than the server may have files open.
    Starve,
}

impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kill => "kill",
            Self::Cut => "cut",
            Self::Cancel => "cancel",
            Self::Restart => "restart",
            Self::Silence => "silence",
            Self::Drain => "drain",
            Self::Starve => "starve",
        })
    }
}

/// What is broken besides, so that the checks must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Defect {
    /// An acknowledged event disappears.
    Lose,
    /// An acknowledged event is there twice, under another key.
    Double,
    /// Unanswered requests are repeated under new keys, as a client without idempotency would.
    NewKeys,
    /// A transaction is left open, as by a caller that was cancelled; only `cancel` looks for it.
    Idle,
}

impl Arguments {
    /// The databases, each once, in one order.
    pub fn engines(&self) -> Vec<Engine> {
        let asked = |engine: &Engine| self.database.is_empty() || self.database.contains(engine);
        Engine::ALL.into_iter().filter(asked).collect()
    }

    pub fn experiments(&self) -> Vec<Experiment> {
        let asked = |which: &Experiment| self.only.is_empty() || self.only.contains(which);
        Experiment::value_variants().iter().copied().filter(asked).collect()
    }

    /// As asked for, else of a short or a long round.
    pub fn rounds(&self, short: u32, long: u32) -> u32 {
        self.rounds.unwrap_or(if self.long { long } else { short })
    }

    /// As given, else of this process.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(|| u64::from(std::process::id()))
    }
}
