//! `suanpan reconcile`: compares a provider's daily bill with ours, settles what was missed and files what differs.

use super::admin::said;
use super::say;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::anyhow;
use chrono::NaiveDate;
use clap::Args;
use domain::orders::Reconciled;
use domain::wallet::Provider;
use infra::db::migrate_up;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub struct ReconcileArguments {
    /// wechat, alipay or stripe.
    #[arg(long, value_parser = read_provider)]
    pub provider: Provider,
    /// The provider's day, such as 2026-11-21.
    #[arg(long)]
    pub date: NaiveDate,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

fn read_provider(text: &str) -> Result<Provider, String> {
    Provider::parse(text).ok_or_else(|| "must be wechat, alipay or stripe".to_owned())
}

pub async fn reconcile_command(settings: &Settings, arguments: &ReconcileArguments) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    if services.orders.providers.get(arguments.provider).is_none() {
        return Err(anyhow!("{} is not configured", arguments.provider.name()));
    }
    let done = services.orders.reconcile(arguments.provider, arguments.date).await.map_err(said)?;
    if arguments.json {
        say(report(&done));
    } else {
        say(format!("{} rows, {} settled, {} differences", done.rows, done.settled, done.differences.len()));
        for difference in &done.differences {
            say(format!("{} {} {}", difference.status.name(), difference.class.name(), difference.number));
        }
    }
    Ok(())
}

fn report(done: &Reconciled) -> Value {
    let differences: Vec<Value> = done
        .differences
        .iter()
        .map(|difference| {
            json!({
                "id": difference.id, "class": difference.class.name(), "status": difference.status.name(),
                "number": difference.number, "transaction": difference.transaction,
                "ours": difference.ours.map(domain::money::Money::to_decimal),
                "theirs": difference.theirs.map(domain::money::Money::to_decimal),
            })
        })
        .collect();
    json!({
        "provider": done.provider.name(), "date": done.day, "rows": done.rows, "settled": done.settled,
        "differences": differences,
    })
}
