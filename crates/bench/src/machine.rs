//! The machine that was measured on.

use crate::database::{Databases, Engine};
use std::process::Command;

/// Pairs of a name and what is the case, for the head of a report.
pub async fn describe(databases: &Databases, engines: &[Engine]) -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string());
    let mut pairs = vec![
        ("processor", field("/proc/cpuinfo", "model name")),
        ("cores, shared by server, database and load", cores),
        ("memory", field("/proc/meminfo", "MemTotal")),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("load average before", read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")),
        ("source", revision()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect::<Vec<_>>();
    for engine in engines {
        let version = databases.version(*engine).await.unwrap_or_else(|error| format!("{error:#}"));
        pairs.push((engine.to_string(), version));
    }
    pairs
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).map_or_else(|_| "?".to_owned(), |text| text.trim().to_owned())
}

/// The value of the first line that begins with a name, colons and blanks aside.
fn field(path: &str, name: &str) -> String {
    let text = read(path);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    value.map_or_else(|| "?".to_owned(), |(_, value)| value.trim().to_owned())
}

/// The commit, where there is one.
fn revision() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "?".to_owned() } else { text }
}
