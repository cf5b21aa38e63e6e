//! `bench`: how fast the server is, beside what a careful team would write by hand on the same machine.
//!
//! See `docs/benchmarks.md`.

mod arguments;
mod bare;
mod disk;
mod loads;
mod machine;
mod reference;
mod report;
mod scenario;
mod stage;

use arguments::{Arguments, Command};
use clap::Parser;
use domain::time::Clock;
use infra::clock::SystemClock;
use report::Report;
use stage::Bench;
use std::process::ExitCode;
use suanpan_bench::{client, customers, database, figures, load, process};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Some(Command::Bare { port }) => bare::serve(port),
        None => measure(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One thread: while a load runs, this one waits.
#[tokio::main(flavor = "current_thread")]
async fn measure(arguments: Arguments) -> anyhow::Result<()> {
    process::exists(&arguments.server)?;
    let bench = Bench::new(arguments)?;
    // Servers end when what waits for them is dropped; the databases are dropped however the run ended.
    let done = tokio::select! {
        done = report(&bench) => done,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    let dropped = bench.databases.drop_all().await;
    done.and(dropped)
}

/// Ends with SIGINT or SIGTERM.
async fn interrupted() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn report(bench: &Bench) -> anyhow::Result<()> {
    let machine = machine::describe(&bench.databases, &bench.arguments.engines()).await;
    let report = Report {
        run_at: SystemClock.now().to_rfc3339(),
        machine,
        seconds: bench.course.duration.as_secs(),
        repeat: bench.course.repeat,
        accounts: bench.arguments.accounts,
        rows: scenario::run_all(bench).await?,
    };
    println!("{}", report.table());
    if let Some(file) = &bench.arguments.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    eprintln!("{} of {} figures missed what is required", report.missed(), report.rows.len());
    Ok(())
}
