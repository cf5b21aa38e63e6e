//! `suanpan recompute`: derives bills again and prints what differs, a JSON object for each difference.

use super::admin::said;
use super::{Exit, say};
use crate::settings::Settings;
use crate::wiring::wire;
use clap::Args;
use domain::billing::Difference;
use domain::id::BillId;
use domain::metering::Month;
use serde_json::json;

/// The exit code when something differs.
const DIFFERS: u8 = 1;
/// Bills asked for at once.
const CHUNK: u64 = 500;

#[derive(Debug, Args)]
pub struct RecomputeArguments {
    /// One bill, by its id.
    #[arg(required_unless_present = "period", conflicts_with = "period")]
    pub bill: Option<BillId>,
    /// All bills of periods that began in this local month, such as 2026-11.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: Option<String>,
}

/// Exit code 0: nothing differs; 1: something does; 2: the bills could not be derived.
pub async fn recompute_command(settings: &Settings, arguments: &RecomputeArguments) -> anyhow::Result<()> {
    if let Some(month) = &arguments.period {
        month.parse::<Month>().map_err(|error| anyhow::anyhow!("--period: {error}"))?;
    }
    let services = wire(settings).await?;
    let (mut bills, mut found, mut after) = (0_u64, 0_u64, None);
    loop {
        let chunk = match arguments.bill {
            Some(bill) => vec![bill],
            None => services.billing.to_recompute(arguments.period.as_deref(), after, CHUNK).await.map_err(said)?,
        };
        for bill in &chunk {
            let differences = services.billing.recompute(*bill).await.map_err(said)?;
            bills += 1;
            found += differences.len() as u64;
            differences.iter().for_each(print);
        }
        after = chunk.last().copied();
        if arguments.bill.is_some() || after.is_none() {
            break;
        }
    }
    say(json!({ "bills": bills, "differences": found }));
    match found {
        0 => Ok(()),
        found => Err(Exit { code: DIFFERS, why: format!("{found} differences") }.into()),
    }
}

fn print(difference: &Difference) {
    let Difference { bill, what, billed, derived } = difference;
    say(json!({ "bill": bill, "what": what, "billed": billed, "derived": derived }));
}
