//! The server as a child process: started on ports of its own, watched through `/proc`, and always ended.

use crate::client;
use anyhow::{Context, bail};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a start is tried.
const STARTS: u32 = 3;
const READY_WITHIN: Duration = Duration::from_mins(1);
const READY_POLL: Duration = Duration::from_millis(2);
/// Longer than the server drains.
const END_WITHIN: Duration = Duration::from_secs(25);
/// Linux counts processor time for programs in hundredths of a second.
const MILLIS_PER_TICK: u64 = 10;
const WATCH_POLL: Duration = Duration::from_millis(5);
const END_POLL: Duration = Duration::from_millis(20);

/// Which server to start, and how.
#[derive(Clone, Debug)]
pub struct Program {
    pub binary: PathBuf,
    pub config: PathBuf,
    pub url: String,
}

/// What a benchmark changes of the settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tuning {
    /// `limits.commit_batch`; 1 is a transaction per request.
    pub commit_batch: Option<u32>,
    /// How many files it may have open.
    pub open_files: Option<u32>,
}

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    metrics: SocketAddr,
    /// From the start of the process to its first 200 on `/readyz`.
    pub ready_after: Duration,
}

impl Program {
    fn command(&self, open_files: Option<u32>) -> Command {
        let mut command = match open_files {
            None => Command::new(&self.binary),
            Some(most) => {
                let mut limited = Command::new("prlimit");
                limited.arg(format!("--nofile={most}:{most}")).arg(&self.binary);
                limited
            }
        };
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("SUANPAN__") || text == "DATABASE_URL" {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(&self.config).env("SUANPAN__DATABASE__URL", &self.url);
        command
    }

    /// Runs a command of the server's with something on its standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<()> {
        let mut child = self
            .command(None)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        child.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
        let status = child.wait()?;
        if !status.success() {
            bail!("{} {} failed: {status}", self.binary.display(), arguments.join(" "));
        }
        Ok(())
    }

    /// Runs a command of the server's to its end: how long it took, and its highest resident memory in bytes.
    pub async fn watch(&self, arguments: &[&str]) -> anyhow::Result<(Duration, u64)> {
        let mut command = self.command(None);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.binary.display()))?;
        let mut highest = 0;
        loop {
            // The mark only rises, and is gone with the process.
            if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
                highest = kibibytes(&status, "VmHWM:").map_or(highest, |kib| highest.max(kib * 1024));
            }
            if let Some(status) = child.try_wait()? {
                if !status.success() {
                    bail!("{} {} failed: {status}", self.binary.display(), arguments.join(" "));
                }
                return Ok((started.elapsed(), highest));
            }
            tokio::time::sleep(WATCH_POLL).await;
        }
    }

    /// Starts serving and waits until the server is ready. Where a port that was free is somebody else's by then, others
    /// are tried; any other failure to start is one.
    pub async fn serve(&self, tuning: Tuning) -> anyhow::Result<Server> {
        let mut starts = 1;
        loop {
            let ports = (free_address()?, free_address()?);
            match self.serve_at(ports, tuning).await {
                Err(error) if starts < STARTS && [ports.0, ports.1].into_iter().any(is_taken) => {
                    eprintln!("{error:#}: a port was taken meanwhile, others are tried");
                    starts += 1;
                }
                served => return served,
            }
        }
    }

    async fn serve_at(&self, (address, metrics): (SocketAddr, SocketAddr), tuning: Tuning) -> anyhow::Result<Server> {
        let mut command = self.command(tuning.open_files);
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null());
        command.env("SUANPAN__SERVER__PORT", address.port().to_string());
        command.env("SUANPAN__PAYMENTS__FAKE__ENABLED", "false");
        command.env("SUANPAN__METRICS__PORT", metrics.port().to_string());
        if let Some(batch) = tuning.commit_batch {
            command.env("SUANPAN__LIMITS__COMMIT_BATCH", batch.to_string());
        }
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", self.binary.display()))?;
        let mut server = Server { child, address, metrics, ready_after: Duration::ZERO };
        while !ready(address).await? {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended at its start: {status}");
            }
            if started.elapsed() > READY_WITHIN {
                bail!("the server was not ready within {} s", READY_WITHIN.as_secs());
            }
            tokio::time::sleep(READY_POLL).await;
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }
}

/// Asks on a thread of its own: whoever stands between the server and its database may work on this one.
async fn ready(address: SocketAddr) -> anyhow::Result<bool> {
    let answer = tokio::task::spawn_blocking(move || client::get(address, "/readyz", "none")).await?;
    Ok(matches!(answer, Ok((200, _))))
}

impl Server {
    /// Resident memory now and at its highest, in bytes.
    pub fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let bytes = |name: &str| kibibytes(&status, name).map(|kib| kib * 1024).context("no memory in /proc");
        Ok((bytes("VmRSS:")?, bytes("VmHWM:")?))
    }

    /// Processor time that it has used, by itself and by the system for it. The database's is not in it.
    pub fn processor(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        processor_ticks(&stat).map(|ticks| Duration::from_millis(ticks * MILLIS_PER_TICK)).context("no time in /proc")
    }

    /// Commits so far, with the commands in them and the seconds that they took.
    pub fn commits(&self) -> anyhow::Result<Commits> {
        let (_, page) = client::get(self.metrics, "/metrics", "none")?;
        let page = String::from_utf8_lossy(&page);
        Ok(Commits {
            count: sample(&page, "suanpan_commit_seconds_count"),
            seconds: sample(&page, "suanpan_commit_seconds_sum"),
            commands: sample(&page, "suanpan_commit_batch_size_sum"),
        })
    }

    /// Ends it as an operator would, and by force when it does not end.
    pub async fn end(self) -> anyhow::Result<()> {
        if let Err(error) = self.terminate(END_WITHIN).await {
            eprintln!("{error}, and is killed");
        }
        Ok(())
    }

    /// Asks it to end, and how and how soon it did.
    pub async fn terminate(mut self, within: Duration) -> anyhow::Result<(ExitStatus, Duration)> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().context("cannot run kill")?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, asked.elapsed()));
            }
            if asked.elapsed() > within {
                bail!("the server did not end on SIGTERM");
            }
            tokio::time::sleep(END_POLL).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended, which is what is wanted.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Sums of the committer's metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Commits {
    pub count: f64,
    pub seconds: f64,
    pub commands: f64,
}

impl Commits {
    /// Average commands and milliseconds of the commits since `before`.
    pub fn averages_since(self, before: Self) -> (f64, f64) {
        let count = (self.count - before.count).max(1.0);
        ((self.commands - before.commands) / count, (self.seconds - before.seconds) / count * 1000.0)
    }
}

/// Any port that is free now.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn is_taken(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_err()
}

/// Whether a path is a program that can be started.
pub fn exists(binary: &Path) -> anyhow::Result<()> {
    let built = "build it first: cargo build --release -p suanpan";
    if binary.is_file() { Ok(()) } else { Err(anyhow::anyhow!("there is no {}; {built}", binary.display())) }
}

/// The sum of utime and stime; the name before them may hold anything, parentheses too.
fn processor_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A sample of a Prometheus page, summed over its labels; 0 when there is none.
fn sample(page: &str, name: &str) -> f64 {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with(['{', ' ']).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_summed_over_its_labels_and_never_taken_for_a_longer_name() {
        let page = "# HELP a_sum x\na_sum{shard=\"0\"} 1.5\na_sum{shard=\"1\"} 2\na_summary 7\n";
        assert!((sample(page, "a_sum") - 3.5).abs() < f64::EPSILON);
        assert!(sample(page, "b_sum").abs() < f64::EPSILON);
    }

    #[test]
    fn processor_time_is_read_behind_whatever_the_name_holds() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 900 0 0 0 120 30 0 0 20 0 5 0 100 200 300";
        assert_eq!(processor_ticks(stat), Some(150));
        assert_eq!(processor_ticks("7 (cut"), None);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        let status = "Name:\tsuanpan\nVmHWM:\t   51200 kB\nVmRSS:\t   40960 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(40_960));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }
}
