//! Closing a month: `suanpan close` on a database whose accounts all owe something, many of them beside few.

use crate::database::{Engine, Fresh};
use crate::figures::{Figures, float};
use crate::process::Program;
use crate::report::{Required, Row};
use crate::stage::Bench;
use anyhow::bail;
use sea_orm::ConnectionTrait;

const FEW: u64 = 10_000;
/// The part of the rate with few accounts that must be left with many.
const PART: f64 = 0.8;
/// However many accounts there are.
const MOST_MB: f64 = 200.0;
const MB: u64 = 1024 * 1024;
/// What each account owes, in nanos.
const OWED: i64 = 500_000_000;
/// The customer whose rows are copied owes as well.
const ORIGINAL: u64 = 1;
/// Longer than any period, in microseconds.
const MONTH_AND_A_DAY: i64 = 32 * 24 * 3600 * 1_000_000;

/// What closing came to, run by run.
#[derive(Default)]
struct Closes {
    rates: Vec<f64>,
    seconds: Vec<f64>,
    megabytes: Vec<f64>,
}

pub async fn measure(bench: &Bench, engine: Engine) -> anyhow::Result<Vec<Row>> {
    let (mut few, mut many, accounts) = (Closes::default(), Closes::default(), bench.arguments.accounts);
    for _ in 0..bench.course.repeat {
        for (count, closes) in [(FEW, &mut few), (accounts, &mut many)] {
            closes.add(bench, engine, count).await?;
        }
    }
    let figures = |runs: &[f64]| Figures::of(runs).unwrap_or_default();
    let mut rows = Vec::new();
    for (count, closes) in [(FEW, &few), (accounts, &many)] {
        let each = format!("close, {count} accounts, for 10 000");
        rows.push(Row::new(each, engine, "s", figures(&closes.seconds)));
        let memory = Row::new(format!("memory, close of {count} accounts"), engine, "MB", figures(&closes.megabytes));
        rows.push(memory.required(Required::AtMost(MOST_MB)));
    }
    let rate = Row::new(format!("close, {accounts} accounts"), engine, "accounts/s", figures(&many.rates));
    let rate = rate.compared_with("10 000 accounts", Figures::of(&few.rates));
    rows.push(rate.required(Required::Ratio(PART)));
    Ok(rows)
}

impl Closes {
    async fn add(&mut self, bench: &Bench, engine: Engine, accounts: u64) -> anyhow::Result<()> {
        let (program, database) = bench.owing(engine, accounts).await?;
        let_a_month_pass(&database).await?;
        let (took, highest) = close(&program).await?;
        check(&database, accounts + ORIGINAL).await?;
        bench.databases.discard(database).await?;
        let (seconds, megabytes) = (took.as_secs_f64(), float(highest / MB));
        let each = seconds * 10_000.0 / float(accounts);
        eprintln!("{engine}: {accounts} accounts closed in {seconds:.1} s, {each:.2} s for 10 000; {megabytes:.0} MB");
        self.rates.push(float(accounts) / seconds);
        self.seconds.push(each);
        self.megabytes.push(megabytes);
        Ok(())
    }
}

async fn close(program: &Program) -> anyhow::Result<(std::time::Duration, u64)> {
    program.watch(&["close"]).await
}

/// The test clock's time, as a server would keep it.
async fn let_a_month_pass(database: &Fresh) -> anyhow::Result<()> {
    let now =
        if database.engine == Engine::Sqlite { "'2026-01-01 00:00:00.000000+00:00'" } else { "CURRENT_TIMESTAMP" };
    let insert = format!(
        "INSERT INTO options (key_name, value, created_at, updated_at) \
         VALUES ('test_clock', '{MONTH_AND_A_DAY}', {now}, {now})"
    );
    database.connection.execute_unprepared(&insert).await?;
    Ok(())
}

/// Fails unless every account has the bill that it must have, and every period that ended is closed.
async fn check(database: &Fresh, accounts: u64) -> anyhow::Result<()> {
    let wanted = i64::try_from(accounts)?;
    let month = "billing_records WHERE kind = 'month'";
    let (bills, total) = (database.number("COUNT(*)", month).await?, database.number("SUM(total_nanos)", month).await?);
    let lines = database.number("COUNT(*)", "billing_lines").await?;
    let closed = database.number("COUNT(*)", "quota_periods WHERE closed_at IS NOT NULL").await?;
    if (bills, total, lines) != (wanted, wanted * OWED, wanted) || closed < wanted {
        bail!("{}: {bills} bills of {total} nanos with {lines} lines, {closed} periods closed", database.engine);
    }
    Ok(())
}
