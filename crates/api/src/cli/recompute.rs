//! `suanpan recompute`: derives bills again and prints what differs, a JSON object for each difference.

use super::admin::said;
use super::{Exit, say};
use crate::billing_rounds::local_month;
use crate::services::Services;
use crate::settings::Settings;
use crate::wiring::wire;
use clap::Args;
use domain::billing::Difference;
use domain::id::BillId;
use serde_json::json;

/// The exit code when something differs.
const DIFFERS: u8 = 1;
/// Bills, or accounts whose periods are looked at, asked for at once.
const CHUNK: u64 = 500;

#[derive(Debug, Args)]
pub struct RecomputeArguments {
    /// One bill, by its id.
    #[arg(required_unless_present = "period", conflicts_with = "period")]
    pub bill: Option<BillId>,
    /// All bills of periods that began in this local month, such as 2026-11, and the periods without one.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}

/// What was looked at, and what was found.
#[derive(Default)]
struct Tally {
    bills: u64,
    periods: u64,
    differences: u64,
    rows_deleted: u64,
}

/// Exit code 0: nothing differs; 1: something does; 2: the bills could not be derived.
pub async fn recompute_command(settings: &Settings, arguments: &RecomputeArguments) -> anyhow::Result<()> {
    let services = wire(settings).await?;
    if let Some(clock) = services.test_clock.clone() {
        crate::loops::follow_clock(&services, &clock).await.map_err(said)?;
    }
    let mut tally = Tally::default();
    match (arguments.bill, &arguments.period) {
        (Some(bill), _) => tally.derive(&services, bill).await?,
        (None, Some(month)) => tally.walk(&services, month).await?,
        (None, None) => {}
    }
    let Tally { bills, periods, differences, rows_deleted } = tally;
    say(json!({ "bills": bills, "periods": periods, "differences": differences, "rows_deleted": rows_deleted }));
    match differences {
        0 => Ok(()),
        found => Err(Exit { code: DIFFERS, why: format!("{found} differences") }.into()),
    }
}

impl Tally {
    async fn walk(&mut self, services: &Services, month: &str) -> anyhow::Result<()> {
        let began = local_month(services, month).map_err(said)?;
        let mut after = None;
        loop {
            let chunk = services.billing.to_recompute(Some(month), after, CHUNK).await.map_err(said)?;
            for bill in &chunk {
                self.derive(services, *bill).await?;
            }
            after = chunk.last().copied();
            if after.is_none() {
                break;
            }
        }
        let mut after = None;
        loop {
            let walked = services.billing.without_bills(began, after, CHUNK).await.map_err(said)?;
            self.periods += walked.periods;
            self.note(&walked.differences);
            after = walked.last;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn derive(&mut self, services: &Services, bill: BillId) -> anyhow::Result<()> {
        let derived = services.billing.recompute(bill).await.map_err(said)?;
        self.bills += 1;
        self.rows_deleted += u64::from(derived.rows_deleted);
        self.note(&derived.differences);
        Ok(())
    }

    fn note(&mut self, differences: &[Difference]) {
        self.differences += differences.len() as u64;
        for Difference { account, bill, period_start, what, billed, derived } in differences {
            say(json!({
                "account": account, "bill": bill, "period_start": period_start, "what": what, "billed": billed,
                "derived": derived,
            }));
        }
    }
}
