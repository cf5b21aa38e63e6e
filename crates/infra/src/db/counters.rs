//! Counters in `quota_counters`: read by slot, written by one upsert per chunk.

use super::bulk::Existing;
use super::columns::{corrupt, currency, meter, one_of, percents, percents_text};
use super::entity::quota_counter::{Column, Entity, Model};
use super::error::store_error;
use super::repos::Repos;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::AccountId;
use domain::money::Money;
use domain::quantity::Quantity;
use domain::quota::{Counter, CounterRepository, Drawn, Subject, WarningState};
use domain::store::StoreResult;
use domain::time::Period;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::BTreeMap;

/// Most different starts of periods that one statement names.
const MAX_STARTS: usize = 256;
const TABLE: &str = "quota_counters";
/// How a counter that exists is overwritten.
pub const PUTTING: Existing = Existing::Replace(
    &["account_id", "period_start", "subject_id", "meter"],
    &[
        "used",
        "reserved",
        "held_grants",
        "peak",
        "from_allowance",
        "from_grants",
        "from_overage",
        "from_wallet",
        "overage_fee_nanos",
        "wallet_paid_nanos",
        "wallet_held_nanos",
        "warnings_fired",
        "warned_limit",
        "warning_generation",
        "updated_at",
    ],
);

#[async_trait]
impl<C: ConnectionTrait + Send + Sync> CounterRepository for Repos<C> {
    async fn load(&self, slots: &[(AccountId, DateTime<Utc>)]) -> StoreResult<Vec<Counter>> {
        // Accounts of one start day share their period's start, so there are few groups.
        let mut groups: BTreeMap<DateTime<Utc>, Vec<_>> = BTreeMap::new();
        for (account, start) in slots {
            groups.entry(*start).or_default().push(account.as_uuid());
        }
        let (mut counters, backend) = (Vec::new(), self.conn.get_database_backend());
        for chunk in groups.into_iter().collect::<Vec<_>>().chunks(MAX_STARTS) {
            let any = chunk.iter().fold(Condition::any(), |any, (start, accounts)| {
                any.add(
                    Condition::all()
                        .add(one_of(backend, Column::AccountId, accounts.clone()))
                        .add(Column::PeriodStart.eq(*start)),
                )
            });
            let rows = Entity::find().filter(any).all(&self.conn).await.map_err(store_error)?;
            counters.extend(rows.iter().map(counter).collect::<StoreResult<Vec<_>>>()?);
        }
        Ok(counters)
    }

    async fn load_ending_at(&self, account: AccountId, end: DateTime<Utc>) -> StoreResult<Vec<Counter>> {
        let rows = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .filter(Column::PeriodEnd.eq(end))
            .all(&self.conn)
            .await
            .map_err(store_error)?;
        rows.iter().map(counter).collect()
    }

    async fn put(&self, counters: &[Counter], now: DateTime<Utc>) -> StoreResult<()> {
        self.together().insert::<Entity>(&rows(counters, now), PUTTING).execute(&self.conn).await
    }
}

/// The rows of counters as they are after `now`.
pub fn rows(counters: &[Counter], now: DateTime<Utc>) -> Vec<Model> {
    counters.iter().map(|counter| row(counter, now)).collect()
}

fn row(counter: &Counter, now: DateTime<Utc>) -> Model {
    let drawn = counter.drawn;
    Model {
        account_id: counter.account.as_uuid(),
        period_start: counter.period.start,
        subject_id: counter.subject.id(counter.account),
        meter: counter.meter.to_string(),
        period_end: counter.period.end,
        used: counter.used.as_atoms(),
        reserved: counter.reserved.as_atoms(),
        held_grants: counter.held_grants.as_atoms(),
        peak: counter.peak.as_atoms(),
        from_allowance: drawn.allowance.as_atoms(),
        from_grants: drawn.grants.as_atoms(),
        from_overage: drawn.overage.as_atoms(),
        from_wallet: drawn.wallet.as_atoms(),
        overage_fee_nanos: drawn.fee.nanos(),
        wallet_paid_nanos: drawn.paid.nanos(),
        wallet_held_nanos: counter.wallet_held.nanos(),
        currency: drawn.fee.currency().code().to_owned(),
        warnings_fired: percents_text(&counter.warnings.fired),
        warned_limit: counter.warnings.limit.as_atoms(),
        warning_generation: counter.warnings.generation,
        updated_at: now,
    }
}

pub fn counter(row: &Model) -> StoreResult<Counter> {
    if row.used < 0 || row.held_grants < 0 || row.reserved < row.held_grants {
        return Err(corrupt(TABLE, "used"));
    }
    let account = AccountId::from_uuid(row.account_id);
    let currency = currency(&row.currency, TABLE)?;
    let money = |nanos| Money::from_nanos(nanos, currency);
    Ok(Counter {
        account,
        subject: Subject::from_id(account, row.subject_id),
        meter: meter(&row.meter, TABLE)?,
        period: Period { start: row.period_start, end: row.period_end },
        used: Quantity::atoms(row.used),
        reserved: Quantity::atoms(row.reserved),
        held_grants: Quantity::atoms(row.held_grants),
        peak: Quantity::atoms(row.peak),
        drawn: Drawn {
            allowance: Quantity::atoms(row.from_allowance),
            grants: Quantity::atoms(row.from_grants),
            overage: Quantity::atoms(row.from_overage),
            wallet: Quantity::atoms(row.from_wallet),
            fee: money(row.overage_fee_nanos),
            paid: money(row.wallet_paid_nanos),
        },
        wallet_held: money(row.wallet_held_nanos),
        warnings: WarningState {
            fired: percents(&row.warnings_fired, TABLE, "warnings_fired")?,
            limit: Quantity::atoms(row.warned_limit),
            generation: row.warning_generation,
        },
    })
}
