//! `suanpan replay FILE`: past use of a CSV, fed through the same service as HTTP's, in batches.
//!
//! Times are shifted so that the last row falls on now and the spacing stays. The shift is remembered, so
//! that running a file again sends the same events: every one is a duplicate, and nothing changes.

use super::admin::said;
use super::say;
use crate::services::Services;
use crate::settings::Settings;
use crate::wiring::{database_settings, wire};
use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use clap::Args;
use domain::id::AccountId;
use domain::identity::{Login, Username};
use domain::metering::{Consume, Dimensions, Rejection, UsageKey};
use domain::plans::{Meter, MeterCode};
use domain::quantity::Quantity;
use domain::text::hex;
use domain::time::cut_to_micros;
use indicatif::{ProgressBar, ProgressStyle};
use infra::db::migrate_up;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};

/// Events in one unit of work.
const BATCH: usize = 500;
/// Times as the Azure trace writes them, and RFC 3339.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S%.f";

#[derive(Clone, Debug, Args)]
pub struct ReplayArguments {
    /// A CSV with a header.
    pub file: PathBuf,
    /// The user whose personal account pays.
    #[arg(long)]
    pub user: String,
    #[arg(long)]
    pub meter: String,
    /// The column with the quantity.
    #[arg(long)]
    pub quantity: String,
    /// The column with the time.
    #[arg(long, default_value = "TIMESTAMP")]
    pub time: String,
    /// The model to record on every event.
    #[arg(long)]
    pub model: Option<String>,
}

/// A warning and the row that fired it, counted from 1 after the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarningAt {
    pub row: usize,
    pub threshold: u16,
    pub occurred_at: DateTime<Utc>,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    pub rows: usize,
    pub accepted: usize,
    pub duplicates: usize,
    pub refused: usize,
    pub invalid: usize,
    /// The account's meter after the replay.
    pub used: String,
    pub included: String,
    pub overage: String,
    pub overage_fee: String,
    pub currency: String,
    pub warnings: Vec<WarningAt>,
}

pub async fn replay_command(settings: &Settings, arguments: &ReplayArguments) -> anyhow::Result<()> {
    migrate_up(&database_settings(settings)).await?;
    let services = wire(settings).await?;
    services.plans.publish().await.map_err(said)?;
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let report = replay(&services, arguments, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })
    .await?;
    bar.finish_and_clear();
    say(report.to_string().trim_end());
    Ok(())
}

/// Feeds the file; `progress` hears of events done and in all.
pub async fn replay(
    services: &Services,
    arguments: &ReplayArguments,
    mut progress: impl FnMut(usize, usize),
) -> anyhow::Result<ReplayReport> {
    let meter = MeterCode::parse(&arguments.meter).and_then(|code| services.catalogue.meters.get(&code));
    let meter = meter.ok_or_else(|| anyhow!("{} is not a meter", arguments.meter))?;
    let account = account_of(services, &arguments.user).await?;
    let commands = read(services, arguments, account, meter).await?;
    let mut report = ReplayReport { rows: commands.len(), ..ReplayReport::default() };
    for (number, batch) in commands.chunks(BATCH).enumerate() {
        let outcomes = services.metering.consume(batch).await.map_err(said)?;
        for (offset, outcome) in outcomes.into_iter().enumerate() {
            report.count(number * BATCH + offset + 1, outcome);
        }
        progress((number * BATCH + batch.len()).min(report.rows), report.rows);
    }
    report.close(services, account, meter).await?;
    Ok(report)
}

impl ReplayReport {
    fn count(&mut self, row: usize, outcome: Result<domain::metering::Receipt, Rejection>) {
        match outcome {
            Ok(receipt) if receipt.duplicate => self.duplicates += 1,
            Err(Rejection::ReceiptDeleted(_)) => self.duplicates += 1,
            Ok(receipt) => {
                self.accepted += 1;
                let occurred_at = receipt.record.occurred_at;
                let fired = receipt.record.warnings.iter();
                self.warnings.extend(fired.map(|threshold| WarningAt { row, threshold: threshold.get(), occurred_at }));
            }
            Err(Rejection::Refused(_)) => self.refused += 1,
            Err(_) => self.invalid += 1,
        }
    }

    async fn close(&mut self, services: &Services, account: AccountId, meter: &Meter) -> anyhow::Result<()> {
        let quota = services.metering.quota(account).await.map_err(said)?;
        let Some(of_meter) = quota.meters.iter().find(|quota| quota.meter.code == meter.code) else { return Ok(()) };
        self.used = of_meter.used.to_decimal(meter.scale);
        self.included = match of_meter.included {
            domain::plans::Allowance::Unlimited => "unlimited".to_owned(),
            domain::plans::Allowance::Limited(included) => included.to_decimal(meter.scale),
        };
        self.overage = of_meter.overage.to_decimal(meter.scale);
        self.overage_fee = of_meter.overage_fee.to_decimal();
        self.currency = of_meter.overage_fee.currency().to_string();
        Ok(())
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fee = format!("{} {}", self.overage_fee, self.currency);
        let lines = [
            ("rows", self.rows.to_string()),
            ("accepted", self.accepted.to_string()),
            ("duplicates", self.duplicates.to_string()),
            ("refused", self.refused.to_string()),
            ("invalid", self.invalid.to_string()),
            ("used", self.used.clone()),
            ("included", self.included.clone()),
            ("overage", self.overage.clone()),
            ("overage fee", fee),
        ];
        for (name, value) in lines {
            writeln!(f, "{name:<12} {value:>16}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning {:>3} % at row {}, {}", warning.threshold, warning.row, warning.occurred_at)?;
        }
        Ok(())
    }
}

async fn account_of(services: &Services, user: &str) -> anyhow::Result<AccountId> {
    let username = Username::parse(user).map_err(|reason| anyhow!("--user {reason}"))?;
    let found = services.store.users().find_by_login(&Login::Username(username)).await?;
    Ok(found.ok_or_else(|| anyhow!("there is no user {user}"))?.personal_account)
}

async fn read(
    services: &Services,
    arguments: &ReplayArguments,
    account: AccountId,
    meter: &Meter,
) -> anyhow::Result<Vec<Consume>> {
    let bytes = std::fs::read(&arguments.file).with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let name = name_of(&arguments.file, &bytes, meter);
    let rows = rows(&bytes, arguments, meter)?;
    let Some(last) = rows.iter().map(|(time, _)| *time).max() else { bail!("the file has no rows") };
    let shift = shift(services, account, &name, last).await?;
    let model = arguments.model.iter().map(|model| ("model".to_owned(), model.clone())).collect();
    let dimensions = Dimensions::new(model).map_err(said)?;
    rows.into_iter()
        .enumerate()
        .map(|(index, (time, quantity))| {
            let key = UsageKey::parse(&format!("{name}:{}", index + 1)).context("a key could not be made")?;
            let occurred_at = Some(cut_to_micros(time + shift));
            let (meter, dimensions) = (meter.code.clone(), dimensions.clone());
            Ok(Consume {
                account,
                meter,
                quantity,
                key,
                occurred_at,
                dimensions,
                user: None,
                api_key: None,
                key_is_limited: false,
            })
        })
        .collect()
}

/// Names the events after the content of the file, the column and the meter.
fn name_of(file: &Path, bytes: &[u8], meter: &Meter) -> String {
    let digest = hex(&Sha256::digest(bytes)[..6]);
    let stem: String = file.file_stem().unwrap_or_default().to_string_lossy().chars().take(60).collect();
    format!("replay:{stem}:{digest}:{}", meter.code)
}

fn rows(bytes: &[u8], arguments: &ReplayArguments, meter: &Meter) -> anyhow::Result<Vec<(DateTime<Utc>, Quantity)>> {
    let mut csv = csv::Reader::from_reader(bytes);
    let headers = csv.headers()?.clone();
    let column = |name: &str| {
        let found = headers.iter().position(|header| header.trim() == name);
        found.ok_or_else(|| anyhow!("the file has no column {name}"))
    };
    let (time, quantity) = (column(&arguments.time)?, column(&arguments.quantity)?);
    let mut rows = Vec::new();
    for (index, record) in csv.records().enumerate() {
        let record = record.with_context(|| format!("row {}", index + 1))?;
        let field = |column: usize| record.get(column).unwrap_or_default().trim();
        let at = parse_time(field(time)).with_context(|| format!("row {}", index + 1))?;
        let quantity = Quantity::parse(field(quantity), meter.scale).with_context(|| format!("row {}", index + 1))?;
        rows.push((at, quantity));
    }
    Ok(rows)
}

fn parse_time(text: &str) -> anyhow::Result<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text, TIME_FORMAT).map(|time| time.and_utc());
    naive.or_else(|_| text.parse()).map_err(|_| anyhow!("{text:?} is not a time"))
}

/// How far the events are moved: decided by the first run of a file on an account, kept for the next ones.
async fn shift(services: &Services, account: AccountId, name: &str, last: DateTime<Utc>) -> anyhow::Result<TimeDelta> {
    let option = format!("{name}:{account}");
    if let Some(stored) = services.store.options().find(&option).await? {
        return Ok(TimeDelta::microseconds(stored.parse().context("the stored shift is damaged")?));
    }
    let now = services.clock.now();
    let shift = cut_to_micros(now) - cut_to_micros(last);
    let micros = shift.num_microseconds().ok_or_else(|| anyhow!("the file's times are too far away"))?;
    let work = services.store.begin().await?;
    work.options().set(&option, &micros.to_string(), now).await?;
    work.commit().await?;
    Ok(TimeDelta::microseconds(micros))
}
