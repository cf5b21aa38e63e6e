//! What is delivered to run a server with names what is there: metrics, paths and options.

use clap::Parser;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The metrics' names in a text, without what Prometheus adds to those of histograms.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_'));
    let named = words.filter(|word| word.starts_with("suanpan_"));
    let plain =
        named.map(|word| ["_bucket", "_sum", "_count"].iter().fold(word, |word, end| word.trim_end_matches(end)));
    plain.map(str::to_owned).collect()
}

/// The names that sources give to what they record.
fn recorded(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            recorded(&path, into);
        } else {
            let source = fs::read_to_string(&path).unwrap();
            into.extend(
                source.split('"').skip(1).step_by(2).filter(|text| text.starts_with("suanpan_")).map(str::to_owned),
            );
        }
    }
}

#[test]
fn every_metric_of_dashboard_alerts_and_page_is_recorded_and_every_one_is_shown() {
    let mut known = BTreeSet::new();
    recorded(&root().join("crates/api/src"), &mut known);
    recorded(&root().join("crates/domain/src"), &mut known);
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana.json")).unwrap();
    let expressions: Vec<&str> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let shown = metrics(&expressions.join(" "));
    assert!(shown.len() >= 8, "{shown:?}");
    for (what, named) in [
        ("dashboard", &shown),
        ("alerts", &metrics(&file("deploy/alerts.yaml"))),
        ("docs/operations.md", &metrics(&file("docs/operations.md"))),
    ] {
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(!named.is_empty() && unknown.is_empty(), "{what}: {unknown:?} of {known:?}");
    }
    let in_page = metrics(&file("docs/operations.md"));
    assert_eq!(shown, in_page, "the dashboard shows what the page explains");
}

#[test]
fn every_alert_is_explained() {
    let (alerts, page) = (file("deploy/alerts.yaml"), file("docs/operations.md"));
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 5);
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn what_the_image_copies_is_there_and_its_toolchain_is_ours() {
    let text = file("deploy/Dockerfile");
    let copies = text.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from"));
    let mut count = 0;
    for line in copies {
        let mut paths: Vec<&str> = line.split_whitespace().collect();
        paths.pop();
        for path in paths {
            assert!(root().join(path).exists(), "{path}");
            count += 1;
        }
    }
    assert!(count > 5);
    let toolchain = file("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    assert!(text.contains(&format!("FROM rust:{channel}-")));
    let workspace = file("Cargo.toml");
    let members = workspace.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    for member in members.split('"').skip(1).step_by(2) {
        let folder = member.split('/').next().unwrap();
        assert!(text.contains(&format!("COPY {folder} ")), "{member} is a member and not copied");
    }
}

#[test]
fn the_unit_starts_a_command_that_there_is() {
    let unit = file("deploy/suanpan.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let parsed = api::cli::Cli::try_parse_from(line.split_whitespace()).unwrap();
    assert!(matches!(parsed.command, Some(api::cli::Command::Serve)) && parsed.config.is_some());
    let seconds = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap().parse::<u64>().unwrap();
    let defaults = harness::scene::settings("sqlite::memory:", &[]);
    assert!(seconds > defaults.server.drain_seconds, "the unit waits until the server has drained");
}
