//! A trial: a fresh database, a server that is broken and started again, a crowd of clients, and the verdict.

use crate::arguments::{Arguments, Defect};
use crate::clients::{ACCOUNTS, Crowd};
use crate::journal::Fate;
use crate::proxy::Proxy;
use anyhow::{Context, ensure};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, TransactionTrait};
use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use suanpan_bench::customers::{PASSWORD, customers};
use suanpan_bench::database::totals::Totals;
use suanpan_bench::database::{Databases, Engine, Fresh};
use suanpan_bench::process::{Program, Server, Tuning};
use uuid::Uuid;

/// A plan with room for everything; otherwise the defaults of production.
const CONFIG: &str = "\
profile: production
webhooks:
  enabled: false
log: { level: error }
plans:
  chaos:
    name: Chaos
    price: { month: \"0.00 CNY\" }
    meters:
      words: { included: 1000000000000, on_exhausted: refuse }
billing: { default_plan: chaos }
";
/// How long requests without an answer may be repeated.
const SETTLED_WITHIN: Duration = Duration::from_mins(2);
/// Violations that are shown.
const SHOWN: usize = 10;

/// What all trials share.
pub struct Ground<'a> {
    pub arguments: &'a Arguments,
    databases: &'a Databases,
    config: PathBuf,
}

pub struct Trial {
    pub database: Fresh,
    pub program: Program,
    pub crowd: Rc<Crowd>,
    /// Between the server and its database, where there is a connection to break.
    pub proxy: Option<Proxy>,
    defect: Option<Defect>,
    before: Totals,
}

impl<'a> Ground<'a> {
    pub fn new(arguments: &'a Arguments, databases: &'a Databases) -> anyhow::Result<Self> {
        let config = databases.folder().join("chaos.yaml");
        std::fs::write(&config, CONFIG)?;
        Ok(Self { arguments, databases, config })
    }

    /// A fresh database with customers; the server does not run yet.
    pub async fn trial(&self, engine: Engine) -> anyhow::Result<Trial> {
        let database = self.databases.create(engine).await?;
        let mut program =
            Program { binary: self.arguments.server.clone(), config: self.config.clone(), url: database.url.clone() };
        program.run(&["admin", "create", "--username", "bench"], PASSWORD)?;
        let server = program.serve(Tuning::default()).await?;
        let (original, keys) = customers(&server)?;
        let address = server.address;
        server.end().await?;
        database.add_accounts(original, ACCOUNTS as u64).await?;
        let proxy = match engine {
            Engine::Sqlite => None,
            _ => Some(self.proxy(engine, &mut program).await?),
        };
        let before = database.totals().await?;
        let crowd = Crowd::new(address, keys.service, self.arguments.seed());
        Ok(Trial { database, program, crowd, proxy, defect: self.arguments.defect, before })
    }

    async fn proxy(&self, engine: Engine, program: &mut Program) -> anyhow::Result<Proxy> {
        let (host, address) = host_of(&program.url)?;
        let proxy = Proxy::start(engine, address, self.arguments.seed()).await?;
        program.url = program.url.replacen(&host, &proxy.address.to_string(), 1);
        Ok(proxy)
    }

    /// Drops the trial's database.
    pub async fn end(&self, trial: Trial) -> anyhow::Result<()> {
        self.databases.discard(trial.database).await
    }
}

impl Trial {
    pub fn engine(&self) -> Engine {
        self.database.engine
    }

    /// Starts the server and tells the clients where it is.
    pub async fn serve(&self) -> anyhow::Result<Server> {
        self.serve_with(Tuning::default()).await
    }

    /// As [`Self::serve`], with something changed.
    pub async fn serve_with(&self, tuning: Tuning) -> anyhow::Result<Server> {
        let server = self.program.serve(tuning).await?;
        self.crowd.address.set(server.address);
        Ok(server)
    }

    /// Repeats what was not answered, on a healthy server.
    pub async fn settle(&self) -> anyhow::Result<u64> {
        if let Some(proxy) = &self.proxy {
            proxy.faults.heal();
        }
        if self.defect == Some(Defect::NewKeys) {
            self.crowd.settle_carelessly().await;
        }
        self.crowd.settle(SETTLED_WITHIN).await
    }

    /// Fails unless the database holds what clients were told: every acknowledged event once, with its receipt, and
    /// nothing else; and every sum agrees.
    pub async fn judge(&self) -> anyhow::Result<()> {
        self.spoil().await?;
        let mut wrong = self.crowd.journal.wrong();
        wrong.extend(self.compare(&self.stored().await?));
        ensure!(wrong.is_empty(), "{} violations: {:#?}", wrong.len(), &wrong[..wrong.len().min(SHOWN)]);
        self.database.verify(self.before, self.crowd.journal.acknowledged()).await
    }

    fn compare(&self, stored: &HashMap<String, Vec<String>>) -> Vec<String> {
        let journal = &self.crowd.journal;
        let mut wrong = Vec::new();
        for event in 0..journal.len() {
            let rows = stored.get(&format!("chaos-{event}")).map_or(&[][..], Vec::as_slice);
            let fine = match journal.fate(event) {
                Some(Fate::Acknowledged) => rows.len() == 1 && journal.receipt(event).as_ref() == rows.first(),
                Some(Fate::Refused) => rows.is_empty(),
                Some(Fate::Unknown) | None => rows.len() <= 1,
            };
            if !fine {
                wrong.push(format!("event {event} is {:?} and has {} rows", journal.fate(event), rows.len()));
            }
        }
        let known = stored.keys().filter(|key| is_ours(key, journal.len())).count();
        if known != stored.len() {
            wrong.push(format!("{} usage rows are of no event that was sent", stored.len() - known));
        }
        wrong
    }

    /// Receipts by key, of all usage rows but the first customer's.
    async fn stored(&self) -> anyhow::Result<HashMap<String, Vec<String>>> {
        let query = "SELECT id, usage_key FROM usage_records WHERE usage_key LIKE 'chaos-%'";
        let statement = Statement::from_string(self.database.connection.get_database_backend(), query);
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        for row in self.database.connection.query_all_raw(statement).await? {
            let id: Uuid = row.try_get("", "id")?;
            found.entry(row.try_get("", "usage_key")?).or_default().push(format!("use_{}", id.simple()));
        }
        Ok(found)
    }

    /// With that defect, a transaction that nobody ends as long as it is held.
    pub async fn forget(&self) -> anyhow::Result<Option<DatabaseTransaction>> {
        if self.defect != Some(Defect::Idle) {
            return Ok(None);
        }
        let transaction = sea_orm::Database::connect(&self.database.url).await?.begin().await?;
        transaction.execute_unprepared("DELETE FROM usage_records WHERE usage_key = 'forgotten'").await?;
        Ok(Some(transaction))
    }

    /// The defect that the checks must find.
    async fn spoil(&self) -> anyhow::Result<()> {
        let one = "usage_key = 'chaos-7'";
        let sql = match self.defect {
            Some(Defect::Lose) => format!("DELETE FROM usage_records WHERE {one}"),
            Some(Defect::Double) => {
                format!("UPDATE usage_records SET usage_key = 'chaos-8' WHERE {one}")
            }
            Some(Defect::NewKeys | Defect::Idle) | None => return Ok(()),
        };
        self.database.connection.execute_unprepared(&sql).await?;
        Ok(())
    }
}

fn is_ours(key: &str, events: usize) -> bool {
    let number = key.strip_prefix("chaos-").and_then(|number| number.parse::<usize>().ok());
    number.is_some_and(|number| number < events)
}

/// Host and port as the URL has them, and where they are.
fn host_of(url: &str) -> anyhow::Result<(String, SocketAddr)> {
    let rest = url.split_once("://").context("a URL without a scheme")?.1;
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let address = host.to_socket_addrs().with_context(|| format!("{host} needs a host and a port"))?.next();
    Ok((host.to_owned(), address.with_context(|| format!("{host} has no address"))?))
}
