//! `suanpan close`: closes the quota periods that ended, and bills them.

use super::admin::said;
use super::say;
use crate::billing_rounds::{close_all, close_wish};
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::anyhow;
use infra::db::migrate_up;
use serde_json::json;
use std::io::{IsTerminal, Write};

/// Width of the bar, in characters.
const BAR: u64 = 40;

/// Periods that are closed already are left alone: it may be run again at any time, and beside a running server.
pub async fn close(settings: &Settings, period: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    if let Some(clock) = services.test_clock.clone() {
        crate::loops::follow_clock(&services, &clock).await.map_err(said)?;
    }
    services.plans.publish().await.map_err(said)?;
    let wish = close_wish(&services, period).map_err(said)?;
    let total = services.store.closings().count_due(wish.until, wish.began_before).await?;
    let shows = std::io::stderr().is_terminal();
    let done = close_all(&services, wish, |closed| {
        if shows {
            bar(closed, total.max(closed));
        }
    })
    .await
    .map_err(said)?;
    if shows && done.done > 0 {
        eprintln!();
    }
    if as_json {
        say(json!({ "closed": done.done, "failed": done.failed }));
    } else {
        say(format!("{} periods closed, {} failed", done.done, done.failed));
    }
    if done.failed == 0 { Ok(()) } else { Err(anyhow!("some periods could not be closed; see the log")) }
}

fn bar(closed: u64, total: u64) {
    let filled = usize::try_from(closed * BAR / total.max(1)).unwrap_or(0);
    let empty = usize::try_from(BAR).unwrap_or(0).saturating_sub(filled);
    eprint!("\r[{}{}] {closed}/{total}", "#".repeat(filled), " ".repeat(empty));
    let _closed = std::io::stderr().flush();
}
