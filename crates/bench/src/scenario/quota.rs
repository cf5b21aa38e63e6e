//! Reading the quota, beside an endpoint that answers the same bytes and does nothing else.

use super::Runs;
use crate::bare::Bare;
use crate::client;
use crate::figures::Figures;
use crate::load::{self, Load};
use crate::loads::CONNECTIONS;
use crate::report::{Required, Row};
use crate::stage::{Bench, Stage};
use anyhow::bail;

const PATH: &str = "/api/v1/quota";
/// The part of the bare endpoint's rate that must be reached.
const PART: f64 = 0.5;

pub async fn measure(bench: &Bench, stage: &mut Stage) -> anyhow::Result<Row> {
    let (status, body) = client::get(stage.server()?.address, PATH, &stage.keys.hot)?;
    if status != 200 {
        bail!("{PATH} was answered {status}");
    }
    let bare = Bare::start(&body).await?;
    let (mut ours, mut theirs) = (Runs::default(), Vec::new());
    for _ in 0..bench.course.repeat {
        let load = stage.read(PATH, CONNECTIONS, bench.course)?;
        if !bench.arguments.alone {
            let outcome = load::run(Load { address: bare.address, ..load.clone() }).await?;
            eprintln!("bare endpoint: {:.0} requests/s", outcome.rate());
            theirs.push(outcome.rate());
        }
        let outcome = stage.run("GET /quota", load).await?;
        ours.add(outcome.rate(), &outcome);
    }
    let row = ours.row("GET /quota".to_owned(), stage.engine(), "/s");
    Ok(row.compared_with("bare endpoint", Figures::of(&theirs)).required(Required::Ratio(PART)))
}
