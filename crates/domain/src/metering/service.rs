//! Consuming: check, deduplicate, decide, fund, record, sum and warn, in one unit of work.

use super::command::{Consume, Rejection, admit, admit_time};
use super::load::{Books, open_books};
use super::ports::SavedUsage;
use super::summary::Rollup;
use super::usage::Receipt;
use crate::error::Result;
use crate::id::AccountId;
use crate::outbox::Event;
use crate::plans::Catalogue;
use crate::quota::{FiredWarning, GaugeCarry};
use crate::store::{Repositories, Retry, Store};
use crate::time::Clock;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// What became of one command of a batch.
pub type Outcome = std::result::Result<Receipt, Rejection>;

/// Use cases of metering.
pub struct MeteringService {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) catalogue: Arc<Catalogue>,
    /// Carries gauges over when a period opens.
    pub(super) hook: GaugeCarry,
}

impl MeteringService {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, catalogue: Arc<Catalogue>) -> Self {
        Self { store, clock, hook: GaugeCarry { catalogue: catalogue.clone() }, catalogue }
    }

    /// Decides and books a batch in one unit of work; outcomes come in the order of the commands.
    ///
    /// The error is the batch's: nothing of it was booked. A rejected command does not touch the others.
    pub async fn consume(&self, batch: &[Consume]) -> Result<Vec<Outcome>> {
        let mut retry = Retry::new(&*self.store);
        loop {
            match self.attempt(batch).await {
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn attempt(&self, batch: &[Consume]) -> Result<Vec<Outcome>> {
        let now = self.clock.now();
        let checked: Vec<_> = batch.iter().map(|command| self.check(command)).collect();
        let admitted: Vec<&Consume> =
            batch.iter().zip(&checked).filter(|(_, check)| check.is_ok()).map(|(command, _)| command).collect();
        if admitted.is_empty() {
            return Ok(checked.into_iter().filter_map(std::result::Result::err).map(Err).collect());
        }
        let work = self.store.begin().await?;
        let mut books = open_books(&*work, (&self.catalogue, &self.hook), &admitted, now).await?;
        let mut session = Session::begin(&*work, &self.catalogue, &admitted).await?;
        let outcomes = batch
            .iter()
            .zip(checked)
            .map(|(command, check)| check.and_then(|()| session.book(&mut books, command, now)))
            .collect();
        if session.fresh.is_empty() {
            // Rolled-over periods are kept even when every command was a duplicate or refused.
            work.commit().await?;
            return Ok(outcomes);
        }
        write(&*work, &books, &session.fresh, &self.catalogue, now).await?;
        work.commit().await?;
        Ok(outcomes)
    }

    fn check(&self, command: &Consume) -> std::result::Result<(), Rejection> {
        match self.catalogue.meters.get(&command.meter) {
            Some(meter) => admit(command, meter),
            None => Err(Rejection::invalid("meter", "is not a meter of this server")),
        }
    }
}

/// Keys seen so far, in the database or earlier in the batch.
struct Session<'a> {
    catalogue: &'a Catalogue,
    seen: HashMap<(AccountId, String), SavedUsage>,
    fresh: Vec<SavedUsage>,
}

impl<'a> Session<'a> {
    async fn begin(work: &dyn Repositories, catalogue: &'a Catalogue, commands: &[&Consume]) -> Result<Self> {
        let keys: Vec<_> = commands.iter().map(|command| (command.account, command.key.as_str().to_owned())).collect();
        let found = work.usage().find_by_keys(&keys).await?;
        let seen = found.into_iter().map(|saved| ((saved.record.account, saved.record.key.clone()), saved)).collect();
        Ok(Self { catalogue, seen, fresh: Vec::new() })
    }

    fn book(&mut self, books: &mut Books, command: &Consume, now: DateTime<Utc>) -> Outcome {
        let fingerprint = command.fingerprint();
        let key = (command.account, command.key.as_str().to_owned());
        if let Some(saved) = self.seen.get(&key) {
            if saved.fingerprint != fingerprint {
                return Err(Rejection::KeyReused);
            }
            return Ok(Receipt { record: saved.record.clone(), duplicate: true });
        }
        admit_time(command, now)?;
        let book = books.accounts.get_mut(&command.account).ok_or(Rejection::UnknownAccount)?;
        let meter = self.catalogue.meters.get(&command.meter).ok_or(Rejection::UnknownAccount)?;
        let record = book.consume(&mut books.keys, command, meter, now)?;
        let saved = SavedUsage { record: record.clone(), fingerprint };
        self.seen.insert(key, saved.clone());
        self.fresh.push(saved);
        Ok(Receipt { record, duplicate: false })
    }
}

/// Writes what the batch changed, each table once.
async fn write(
    work: &dyn Repositories,
    books: &Books,
    fresh: &[SavedUsage],
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Result<()> {
    let (mut changed, mut grants, mut fired) = (Vec::new(), Vec::new(), Vec::new());
    for book in books.accounts.values() {
        changed.extend(book.changed_counters().cloned());
        grants.extend(book.changed_grants());
        fired.extend_from_slice(book.fired());
    }
    work.usage().insert(fresh).await?;
    let records: Vec<_> = fresh.iter().map(|saved| saved.record.clone()).collect();
    work.usage().add_rollup(&Rollup::of(&records, catalogue.zone)).await?;
    work.counters().put(&changed, now).await?;
    if !grants.is_empty() {
        work.grants().save(&grants, now).await?;
    }
    let allowances = books.keys.changed();
    if !allowances.is_empty() {
        work.api_keys().save_allowances(&allowances, now).await?;
    }
    if !fired.is_empty() {
        work.warnings().insert(&fired).await?;
        let events: Vec<Event> = fired.iter().map(|warning| told(warning, catalogue)).collect();
        work.outbox().push(&events).await?;
    }
    Ok(())
}

fn told(warning: &FiredWarning, catalogue: &Catalogue) -> Event {
    let scale = catalogue.meters.get(&warning.meter).map_or(0, |meter| meter.scale);
    let payload = json!({
        "warning": warning.id,
        "account": warning.account,
        "scope": warning.scope(),
        "user": warning.member(),
        "meter": warning.meter.as_str(),
        "threshold": warning.threshold.get(),
        "limit": warning.limit.to_decimal(scale),
        "used": warning.used.to_decimal(scale),
        "period_start": warning.period_start,
    });
    Event::new(warning.account, "quota.warning", payload, warning.fired_at)
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
