//! PostgreSQL's reference: `pgbench` with prepared statements.

use super::{CLIENTS, Done, Work};
use anyhow::{Context, bail};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const THREADS: &str = "2";
/// Where Debian puts it, by version.
const DEBIAN: &str = "/usr/lib/postgresql";

const HAND_WRITTEN: &str = "\
BEGIN;
UPDATE quota SET used = used + 1 WHERE account_id = :account AND used + 1 <= quota_limit;
INSERT INTO usage_event (account_id, meter, quantity, usage_key, occurred_at) VALUES (:account, 'words', 1, :key, now());
INSERT INTO idempotency (account_id, usage_key) VALUES (:account, :key);
COMMIT;
";
const BARE: &str = "UPDATE quota SET used = used + 1 WHERE account_id = :account AND used + 1 <= quota_limit;\n";

pub async fn run(url: &str, work: Work, accounts: u64, duration: Duration) -> anyhow::Result<Done> {
    let mut script = tempfile::NamedTempFile::new()?;
    let body = if work == Work::HandWritten { HAND_WRITTEN } else { BARE };
    let last = accounts - 1;
    write!(script, "\\set account random(0, {last})\n\\set key random(1, 9223372036854775807)\n{body}")?;
    let mut command = Command::new(program()?);
    command.args(["--no-vacuum", "--protocol=prepared", "--jobs", THREADS]);
    command.args(["--client", &CLIENTS.to_string(), "--time", &duration.as_secs().to_string(), "--file"]);
    command.arg(script.path()).arg(url);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    done(&String::from_utf8_lossy(&output.stdout))
}

/// On the path, or the newest of Debian's.
fn program() -> anyhow::Result<PathBuf> {
    if Command::new("pgbench").arg("--version").output().is_ok() {
        return Ok(PathBuf::from("pgbench"));
    }
    let versions = std::fs::read_dir(DEBIAN).context("there is no pgbench; install postgresql-contrib")?;
    let found = versions.filter_map(|version| Some(version.ok()?.path().join("bin/pgbench")));
    found.filter(|path| path.is_file()).max().context("there is no pgbench; install postgresql-contrib")
}

fn done(report: &str) -> anyhow::Result<Done> {
    let after = |start: &str| {
        let line = report.lines().find_map(|line| line.strip_prefix(start))?;
        line.split_whitespace().next()
    };
    let failed = after("number of failed transactions: ").unwrap_or("0");
    if failed != "0" {
        bail!("{failed} transactions of pgbench failed");
    }
    let per_second = after("tps = ").context("pgbench named no tps")?.parse()?;
    let transactions = after("number of transactions actually processed: ").context("pgbench counted nothing")?;
    Ok(Done { per_second, transactions: transactions.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "transaction type: bench.sql\nnumber of transactions actually processed: 4160\n\
                          number of failed transactions: 0 (0.000%)\nlatency average = 30.6 ms\n\
                          tps = 2080.456 (without initial connection time)\n";

    #[test]
    fn the_report_of_pgbench_is_read() {
        let done = done(REPORT).unwrap();
        assert_eq!(done.transactions, 4160);
        assert!((done.per_second - 2080.456).abs() < 0.001);
    }

    #[test]
    fn a_report_with_failures_or_without_figures_is_an_error() {
        assert!(done(&REPORT.replace("transactions: 0", "transactions: 3")).is_err());
        assert!(done("pgbench (15.20)\n").is_err());
    }
}
