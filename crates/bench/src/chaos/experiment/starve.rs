//! Far more clients than the server may have files for, each silent, slower than anybody or holding on to a body: the
//! server keeps its database and its memory, goes on serving who is there, and takes newcomers when the flood is over.

use crate::flood::Flood;
use crate::trial::{Ground, Trial};
use anyhow::ensure;
use std::time::{Duration, Instant};
use suanpan_bench::client;
use suanpan_bench::database::Engine;
use suanpan_bench::process::{Server, Tuning};

const CLIENTS: usize = 32;
const FLOOD: usize = 10_000;
const FEW_FILES: u32 = 256;
const BEFORE: Duration = Duration::from_secs(2);
const SHORT: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(50);
const MOST_BYTES: u64 = 200 << 20;
/// Of those who are there.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const NEWCOMER_WITHIN: Duration = Duration::from_secs(10);

pub async fn run(ground: &Ground<'_>, engine: Engine) -> anyhow::Result<String> {
    let trial = ground.trial(engine).await?;
    let mut told = Vec::new();
    for open_files in [Some(FEW_FILES), None] {
        told.push(flooded(ground, &trial, open_files).await?);
    }
    trial.judge().await?;
    let acknowledged = trial.crowd.journal.acknowledged();
    ground.end(trial).await?;
    Ok(format!("{}; {acknowledged} acknowledged: 0 lost, 0 doubled", told.join("; ")))
}

async fn flooded(ground: &Ground<'_>, trial: &Trial, open_files: Option<u32>) -> anyhow::Result<String> {
    let server = trial.serve_with(Tuning { open_files, ..Tuning::default() }).await?;
    let clients = trial.crowd.start(CLIENTS);
    tokio::time::sleep(BEFORE).await;
    let flood = Flood::start(server.address, &trial.crowd.token, FLOOD)?;
    let lasts = if ground.arguments.long { LONG } else { SHORT };
    let wait = longest_wait(trial, lasts).await;
    let (opened, closed) = flood.end();
    let newcomer = newcomer(&server).await?;
    trial.crowd.stop(clients).await?;
    let repeated = trial.settle().await?;
    let bytes = server.memory()?.1;
    server.end().await?;
    let files = open_files.map_or_else(|| "all files".to_owned(), |most| format!("{most} files"));
    let told = format!(
        "{files}, {} s: {FLOOD} slow clients opened {opened} connections, {closed} of which the server closed; answers {:?}, \
         {repeated} repeated; {} MiB at most, {:.2} s at most without an answer, a newcomer's after {:.2} s",
        lasts.as_secs(),
        trial.crowd.journal.statuses(),
        bytes >> 20,
        wait.as_secs_f64(),
        newcomer.as_secs_f64(),
    );
    ensure!(wait <= LONGEST_WAIT && bytes <= MOST_BYTES, "too long or too much: {told}");
    Ok(told)
}

/// The longest time in which nobody heard anything.
async fn longest_wait(trial: &Trial, during: Duration) -> Duration {
    let (began, mut heard) = (Instant::now(), Instant::now());
    let (mut longest, mut count) = (Duration::ZERO, trial.crowd.journal.acknowledged());
    while began.elapsed() < during {
        tokio::time::sleep(POLL).await;
        let now = trial.crowd.journal.acknowledged();
        longest = longest.max(heard.elapsed());
        if now > count {
            (count, heard) = (now, Instant::now());
        }
    }
    longest
}

/// How long somebody new waits once the flood is over.
async fn newcomer(server: &Server) -> anyhow::Result<Duration> {
    let (address, began) = (server.address, Instant::now());
    loop {
        let answer = tokio::task::spawn_blocking(move || client::get(address, "/readyz", "none")).await?;
        if matches!(answer, Ok((200, _))) {
            return Ok(began.elapsed());
        }
        ensure!(began.elapsed() < NEWCOMER_WITHIN, "nobody new is served after the flood: {answer:?}");
        tokio::time::sleep(POLL).await;
    }
}
