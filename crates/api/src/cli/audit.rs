//! `suanpan audit`: asks every invariant of a live database and prints the rows that violate one.

use super::{Exit, say};
use crate::settings::Settings;
use crate::wiring::database_settings;
use anyhow::{Context, anyhow};
use clap::Args;
use domain::id::AccountId;
use domain::time::Clock;
use indicatif::{ProgressBar, ProgressStyle};
use infra::clock::SystemClock;
use infra::db::auditor::{self, Listener, Questions, Violation};
use serde_json::json;

/// The exit code when something is violated.
const VIOLATED: u8 = 1;

#[derive(Debug, Args)]
pub struct AuditArguments {
    /// Print one JSON object for each violation and one at the end.
    #[arg(long)]
    json: bool,
    /// Ask one invariant, by its id.
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// Print the invariants and ask nothing.
    #[arg(long, conflicts_with = "only")]
    list: bool,
}

/// Exit code 0: nothing is violated; 1: something is; 2: the audit itself failed.
pub async fn audit_command(settings: &Settings, arguments: &AuditArguments) -> anyhow::Result<()> {
    if arguments.list {
        list(arguments.json);
        return Ok(());
    }
    let only = arguments.only.as_deref();
    if let Some(id) = only.filter(|id| auditor::find(id).is_none()) {
        return Err(anyhow!("there is no invariant {id}; `suanpan audit --list` prints them"));
    }
    // Where tests move the clock, nobody can say from outside what is late.
    let now = (!settings.clock.test).then(|| SystemClock.now());
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} statements, {elapsed}")?);
    let mut printer = Printer { json: arguments.json, found: 0, bar };
    let asked = auditor::audit(&database_settings(settings), Questions { only, now }, &mut printer).await;
    printer.bar.finish_and_clear();
    let asked = asked.context("the audit could not be finished; is the database migrated?")?;
    printer.conclude(asked);
    match printer.found {
        0 => Ok(()),
        found => Err(Exit { code: VIOLATED, why: format!("{found} violations") }.into()),
    }
}

fn list(as_json: bool) {
    for invariant in auditor::all() {
        if as_json {
            say(json!({ "id": invariant.id, "says": invariant.says }));
        } else {
            say(format!("{:14} {}", invariant.id, invariant.says));
        }
    }
}

/// Counts what is violated.
#[derive(Debug, Default)]
pub(super) struct Counter {
    pub found: u64,
}

impl Listener for Counter {
    fn found(&mut self, _: Violation) {
        self.found += 1;
    }

    fn progress(&mut self, _: u64, _: u64) {}
}

struct Printer {
    json: bool,
    found: u64,
    bar: ProgressBar,
}

impl Printer {
    fn conclude(&self, asked: usize) {
        if self.json {
            say(json!({ "invariants": asked, "violations": self.found }));
        } else {
            say(format!("{asked} invariants, {} violations", self.found));
        }
    }
}

impl Listener for Printer {
    fn found(&mut self, violation: Violation) {
        self.found += 1;
        let account = violation.account.map(|account| AccountId::from_uuid(account).to_string());
        let Violation { invariant, id, detail, .. } = violation;
        self.bar.suspend(|| {
            if self.json {
                say(json!({ "invariant": invariant, "account": account, "row": id, "detail": detail }));
            } else {
                say(format!("{invariant} {} {detail}", account.unwrap_or_default()));
            }
        });
    }

    fn progress(&mut self, asked: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(asked);
    }
}
