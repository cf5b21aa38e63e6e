//! `suanpan partitions`: makes the months of usage rows that come next, and deletes those past their retention.

use super::admin::said;
use super::say;
use crate::retention::{Step, Upkeep, upkeep};
use crate::services::Services;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::anyhow;
use domain::metering::Removed;
use infra::db::migrate_up;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub async fn partitions(settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    if let Some(clock) = services.test_clock.clone() {
        crate::loops::follow_clock(&services, &clock).await.map_err(said)?;
    }
    let tell = |step: &Step| {
        if !as_json {
            say(step);
        }
    };
    let Upkeep::Done(steps) = upkeep(&services, Uuid::now_v7(), tell).await.map_err(said)? else {
        return Err(anyhow!("another process is doing this; if it was killed, its lease ends within 30 seconds"));
    };
    let stand = stand(&services).await?;
    if as_json {
        say(report(&steps, stand));
    } else {
        say(format!("partitions {}", listed(&stand["partitions"])));
        say(format!(
            "rows are kept {}",
            stand["kept_from"].as_str().map_or("for good".into(), |from| format!("from {from}"))
        ));
    }
    Ok(())
}

/// Which months have a partition, and the first whose rows must stay.
async fn stand(services: &Arc<Services>) -> anyhow::Result<Value> {
    let months = services.store.usage_months().partitions().await?;
    let months = months.map(|months| months.iter().map(ToString::to_string).collect::<Vec<_>>());
    let kept_from = services.retention.first_kept().await.map_err(said)?.map(|month| month.to_string());
    Ok(json!({ "partitions": months, "kept_from": kept_from }))
}

fn listed(months: &Value) -> String {
    match months.as_array() {
        Some(months) => months.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        None => "none: SQLite has one table".to_owned(),
    }
}

fn report(steps: &[Step], mut stand: Value) -> Value {
    let (mut created, mut deleted, mut rows) = (Vec::new(), Vec::new(), 0);
    for step in steps {
        match step {
            Step::Created(month) => created.push(month.to_string()),
            Step::Removed(Removed::Month(month)) => deleted.push(month.to_string()),
            Step::Removed(Removed::Rows(_, count)) => rows += count,
        }
    }
    stand["created"] = json!(created);
    stand["deleted_months"] = json!(deleted);
    stand["deleted_rows"] = json!(rows);
    stand
}
