//! The command line.

use crate::database::Engine;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// What `--quick` measures for.
const QUICK_SECONDS: u64 = 2;
const WARM_UP: Duration = Duration::from_secs(1);

/// Measures a release build of the server against references on the same machine, and checks the sums afterwards.
///
/// PostgreSQL and MariaDB must run; each gets databases of the benchmarks' own, which are dropped at the end.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Only these scenarios; may be repeated. Without it all but `growth`, `reads` and `close`.
    #[arg(long, value_name = "NAME")]
    only: Vec<Scenario>,
    /// Only these databases; may be repeated.
    #[arg(long, value_name = "NAME")]
    database: Vec<Engine>,
    /// How long each run measures.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Runs of each kind, alternating with the references; figures are medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Two seconds once: shows that everything works and measures little.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    slow: Slow,
    /// Usage rows for `growth`; `reads` takes at most a million of them.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(20_000..=1_000_000_000))]
    pub rows: u64,
    /// Accounts among which spread load is spread, and whose month `close` closes.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    pub accounts: u64,
    /// Without the references, for profiling.
    #[arg(long)]
    pub alone: bool,
    /// Also write everything as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The server to measure.
    #[arg(long, default_value = "target/release/suanpan", value_name = "FILE")]
    pub server: PathBuf,
    /// Where SQLite's files go while it runs: a disk, for memory would flatter it.
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
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Scenarios that run only when they are asked for.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Slow {
    /// Also how the rate falls with the number of usage rows; filling takes minutes.
    #[arg(long)]
    growth: bool,
    /// Also how long reading takes for an account with many rows; filling takes minutes.
    #[arg(long)]
    reads: bool,
    /// Also how long closing a month takes for as many accounts as `--accounts` says; takes minutes.
    #[arg(long)]
    close: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Answers every request with what it read on standard input: the ceiling of HTTP.
    #[command(hide = true)]
    Bare { port: u16 },
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Consuming at full speed from one account.
    Hot,
    /// The same, each time from a random account.
    Spread,
    /// Latency of both at half of the full speed.
    Latency,
    /// The batch endpoint beside single calls.
    Batch,
    /// Reading the quota beside an endpoint that does nothing.
    Quota,
    /// Start, idle memory, and memory with a full queue.
    Memory,
    /// Many usage rows beside few.
    Growth,
    /// Reading from an account with many rows.
    Reads,
    /// Closing the month of many accounts beside few.
    Close,
}

/// For how long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    pub warm_up: Duration,
    pub duration: Duration,
    pub repeat: u32,
}

impl Arguments {
    pub fn course(&self) -> Course {
        let (seconds, repeat) = if self.quick { (QUICK_SECONDS, 1) } else { (self.seconds, self.repeat) };
        Course { warm_up: WARM_UP, duration: Duration::from_secs(seconds), repeat }
    }

    pub fn engines(&self) -> Vec<Engine> {
        Engine::ALL.into_iter().filter(|engine| self.database.is_empty() || self.database.contains(engine)).collect()
    }

    pub fn wants(&self, scenario: Scenario) -> bool {
        let asked = match scenario {
            Scenario::Growth => self.slow.growth,
            Scenario::Reads => self.slow.reads,
            Scenario::Close => self.slow.close,
            _ => self.only.is_empty(),
        };
        asked || self.only.contains(&scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Arguments {
        Arguments::try_parse_from([&["bench"], words].concat()).unwrap()
    }

    #[test]
    fn slow_scenarios_run_only_when_asked_for() {
        let plain = parsed(&[]);
        assert!(plain.wants(Scenario::Hot));
        assert!([Scenario::Growth, Scenario::Reads, Scenario::Close].iter().all(|slow| !plain.wants(*slow)));
        assert!(parsed(&["--close"]).wants(Scenario::Close));
        assert!(parsed(&["--growth"]).wants(Scenario::Growth) && parsed(&["--growth"]).wants(Scenario::Hot));
        let only = parsed(&["--only", "reads", "--only", "spread"]);
        assert!(only.wants(Scenario::Reads) && only.wants(Scenario::Spread) && !only.wants(Scenario::Hot));
    }

    #[test]
    fn databases_are_measured_in_one_order() {
        assert_eq!(parsed(&[]).engines(), Engine::ALL);
        let two = parsed(&["--database", "mariadb", "--database", "postgres"]);
        assert_eq!(two.engines(), [Engine::Postgres, Engine::MariaDb]);
    }
}
