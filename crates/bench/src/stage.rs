//! The stage of a scenario: a fresh database with many customers, and the server on it.

use crate::arguments::{Arguments, Course};
use crate::customers::{Keys, PASSWORD, customers};
use crate::database::accounts::Original;
use crate::database::totals::Totals;
use crate::database::{Databases, Engine, Fresh};
use crate::figures::float;
use crate::load::{self, Load, Outcome};
use crate::process::{Program, Server, Tuning};
use anyhow::Context;
use std::path::PathBuf;
use std::time::Instant;

/// One plan with room for every run; everything else is the default of production.
const CONFIG: &str = "\
profile: production
webhooks:
  enabled: false
log: { level: error }
plans:
  bench:
    name: Bench
    price: { month: \"0.00 CNY\" }
    meters:
      words: { included: 1000000000000, on_exhausted: refuse }
      storage: { included: 1024, on_exhausted: refuse }
      cu: { included: 50, on_exhausted: refuse }
      traffic: { included: 1024, on_exhausted: refuse }
billing: { default_plan: bench }
";

/// Every word is owed, and a test clock lets a month pass, which production does not have.
const OWING: &str = "\
profile: development
clock: { test: true }
webhooks:
  enabled: false
log: { level: error }
plans:
  bench:
    name: Bench
    price: { month: \"0.00 CNY\" }
    meters:
      words: { included: 0, on_exhausted: overage, overage: { per: 1, price: \"0.50 CNY\" } }
billing: { default_plan: bench }
";

/// Everything that scenarios share.
pub struct Bench {
    pub arguments: Arguments,
    pub course: Course,
    pub databases: Databases,
    config: PathBuf,
    owing: PathBuf,
}

pub struct Stage {
    pub program: Program,
    pub database: Fresh,
    pub original: Original,
    pub keys: Keys,
    pub accounts: u64,
    server: Option<Server>,
    before: Totals,
    recorded: u64,
}

impl Bench {
    pub fn new(arguments: Arguments) -> anyhow::Result<Self> {
        let databases = Databases::new(&arguments.postgres_url, &arguments.mariadb_url, &arguments.folder)?;
        let written = |name: &str, text: &str| -> anyhow::Result<PathBuf> {
            let path = databases.folder().join(name);
            std::fs::write(&path, text)?;
            Ok(path)
        };
        let (config, owing) = (written("bench.yaml", CONFIG)?, written("owing.yaml", OWING)?);
        Ok(Self { course: arguments.course(), arguments, databases, config, owing })
    }

    /// A fresh database with so many customers who owe for a word each, and the program, which does not serve.
    pub async fn owing(&self, engine: Engine, accounts: u64) -> anyhow::Result<(Program, Fresh)> {
        let started = Instant::now();
        let Begun { program, database, server, original, .. } = self.begin(engine, self.owing.clone()).await?;
        server.end().await?;
        database.add_owing(original, accounts).await?;
        eprintln!("{engine}: {accounts} accounts that owe, in {:.1} s", started.elapsed().as_secs_f64());
        Ok((program, database))
    }

    /// A fresh database with customers, and a server on it.
    pub async fn stage(&self, engine: Engine) -> anyhow::Result<Stage> {
        let started = Instant::now();
        let Begun { program, database, server, original, keys } = self.begin(engine, self.config.clone()).await?;
        let accounts = self.arguments.accounts;
        database.add_accounts(original, accounts).await?;
        let before = database.totals().await?;
        eprintln!("{engine}: {accounts} accounts in {:.1} s", started.elapsed().as_secs_f64());
        Ok(Stage { program, database, original, keys, accounts, server: Some(server), before, recorded: 0 })
    }

    async fn begin(&self, engine: Engine, config: PathBuf) -> anyhow::Result<Begun> {
        let database = self.databases.create(engine).await?;
        let program = Program { binary: self.arguments.server.clone(), config, url: database.url.clone() };
        program.run(&["admin", "create", "--username", "bench"], PASSWORD)?;
        let server = program.serve(Tuning::default()).await?;
        let (original, keys) = customers(&server)?;
        Ok(Begun { program, database, server, original, keys })
    }
}

/// A server on a fresh database with the customers that are copied.
struct Begun {
    program: Program,
    database: Fresh,
    server: Server,
    original: Original,
    keys: Keys,
}

impl Stage {
    pub fn engine(&self) -> Engine {
        self.database.engine
    }

    pub fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("the server is not running")
    }

    /// Ends the server and starts it again on the same database.
    pub async fn restart(&mut self, tuning: Tuning) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.end().await?;
        }
        self.server = Some(self.program.serve(tuning).await?);
        Ok(())
    }

    /// Counts events that were recorded otherwise than by `run`.
    pub fn count(&mut self, events: u64) {
        self.recorded += events;
    }

    /// Runs a load and says on standard error what came of it.
    pub async fn run(&mut self, name: &str, load: Load) -> anyhow::Result<Outcome> {
        let (commits, processor) = (self.server()?.commits()?, self.server()?.processor()?);
        let outcome = load::run(load).await.with_context(|| format!("{}: {name}", self.engine()))?;
        self.recorded += outcome.recorded;
        let (commands, milliseconds) = self.server()?.commits()?.averages_since(commits);
        let processor = self.server()?.processor()?.saturating_sub(processor).as_secs_f64();
        eprintln!(
            "{}: {name}: {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms; {:.0} us of the server's processor a request; \
             {commands:.1} events and {milliseconds:.2} ms a commit",
            self.engine(),
            outcome.rate(),
            outcome.percentile_ms(50.0),
            outcome.percentile_ms(99.0),
            processor / float(outcome.all_answers()) * 1_000_000.0,
        );
        Ok(outcome)
    }

    /// Fails unless the database holds exactly what was answered since it was set up.
    pub async fn verify(&self) -> anyhow::Result<()> {
        self.database.verify(self.before, self.recorded).await?;
        eprintln!("{}: the database holds all {} events, each once", self.engine(), self.recorded);
        Ok(())
    }

    /// From here on the sums must grow by what is answered.
    pub async fn start_counting(&mut self) -> anyhow::Result<()> {
        (self.before, self.recorded) = (self.database.totals().await?, 0);
        Ok(())
    }

    /// Ends the server, and gives back the database.
    pub async fn end(mut self) -> anyhow::Result<Fresh> {
        if let Some(server) = self.server.take() {
            server.end().await?;
        }
        Ok(self.database)
    }
}
