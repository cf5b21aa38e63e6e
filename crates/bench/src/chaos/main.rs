//! `chaos`: kills, cuts and drains the server under load, and then compares the database with what clients were told.
//!
//! See `docs/proof.md`.

mod arguments;
mod clients;
mod experiment;
mod flood;
mod instance;
mod journal;
mod proxy;
mod seed;
mod trial;
mod wire;

use arguments::{Arguments, Experiment};
use clap::Parser;
use std::process::ExitCode;
use suanpan_bench::database::Databases;
use suanpan_bench::process;
use tokio::task::LocalSet;
use trial::Ground;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    process::exists(&arguments.server)?;
    let databases = Databases::new(&arguments.postgres_url, &arguments.mariadb_url, &arguments.folder)?;
    let ground = Ground::new(arguments, &databases)?;
    println!("seed {}", arguments.seed());
    let done = Box::pin(LocalSet::new().run_until(all(arguments, &ground))).await;
    let dropped = databases.drop_all().await;
    done.and(dropped)
}

/// Every experiment on every database; the first violation ends the run and leaves its seed on the screen.
async fn all(arguments: &Arguments, ground: &Ground<'_>) -> anyhow::Result<()> {
    for engine in arguments.engines() {
        for which in arguments.experiments() {
            let found = match which {
                Experiment::Kill => experiment::kill::run(ground, engine).await,
                Experiment::Cut => experiment::cut::run(ground, engine).await,
                Experiment::Cancel => experiment::cancel::run(ground, engine).await,
                Experiment::Restart => experiment::restart::run(ground, engine).await,
                Experiment::Silence => experiment::silence::run(ground, engine).await,
                Experiment::Drain => experiment::drain::run(ground, engine).await,
                Experiment::Starve => experiment::starve::run(ground, engine).await,
            };
            println!("{which:<8} {engine:<10} {}", found?);
        }
    }
    Ok(())
}
