//! Consuming, reserving and ending reservations: check, deduplicate, decide, fund, record, sum and warn, in one unit of work.

use super::batch::{Command, Decided, Done, Outcome, receipts};
use super::books::AccountBooks;
use super::command::{Consume, Rejection, admit, admit_time};
use super::load::{Books, open_books};
use super::ports::{Booked, SavedUsage, UsedKey};
use super::repeats::Repeats;
use super::summary::Rollup;
use super::usage::Receipt;
use crate::error::{Error, Result};
use crate::id::AccountId;
use crate::outbox::Event;
use crate::plans::{Catalogue, MeterCode, PeriodHook};
use crate::quota::{FiredWarning, GaugeCarry};
use crate::store::{Repositories, Retry, Store, StoreError};
use crate::time::Clock;
use crate::wallet::Posting;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Use cases of metering.
pub struct MeteringService {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) catalogue: Arc<Catalogue>,
    /// Carries gauges over when a period opens, and whatever later contexts do then.
    pub(super) hook: Arc<dyn PeriodHook>,
    repeats: Repeats,
}

impl MeteringService {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, catalogue: Arc<Catalogue>) -> Self {
        let hook = Arc::new(GaugeCarry { catalogue: catalogue.clone() });
        Self { store, clock, hook, catalogue, repeats: Repeats::default() }
    }

    /// What else happens when periods open.
    #[must_use]
    pub fn with_hook(self, hook: Arc<dyn PeriodHook>) -> Self {
        Self { hook, ..self }
    }

    /// [`Self::book`] for uses only.
    pub async fn consume(&self, batch: &[Consume]) -> Result<Vec<Outcome>> {
        let commands: Vec<Command> = batch.iter().cloned().map(Command::Consume).collect();
        Ok(receipts(self.book(&commands).await?))
    }

    /// Decides and books a batch in one unit of work; outcomes come in the order of the commands.
    ///
    /// The error is the batch's: nothing of it was booked. A rejected command does not touch the others.
    pub async fn book(&self, batch: &[Command]) -> Result<Vec<Decided>> {
        let mut retry = Retry::new(&*self.store);
        let mut look_first = self.repeats.are_likely();
        loop {
            match self.attempt(batch, look_first).await {
                Err(Error::Store(StoreError::Duplicate)) if !look_first => look_first = true,
                Err(error) if retry.again(&error).await => {}
                answer => return answer,
            }
        }
    }

    async fn attempt(&self, batch: &[Command], look_first: bool) -> Result<Vec<Decided>> {
        let now = self.clock.now();
        let checked: Vec<_> = batch.iter().map(|command| check(&self.catalogue, command)).collect();
        let admitted: Vec<&Command> =
            batch.iter().zip(&checked).filter(|(_, check)| check.is_ok()).map(|(command, _)| command).collect();
        if admitted.is_empty() {
            return Ok(checked.into_iter().filter_map(std::result::Result::err).map(Err).collect());
        }
        let work = self.store.begin().await?;
        let mut books = open_books(&*work, (&self.catalogue, &*self.hook), &admitted, now).await?;
        let mut session = Session::new(&self.catalogue);
        if look_first {
            let uses: Vec<&Consume> = admitted.iter().filter_map(|command| command.consume()).collect();
            session.look_up(&*work, &uses).await?;
        }
        let mut outcomes: Vec<Decided> = batch
            .iter()
            .zip(checked)
            .map(|(command, check)| check.and_then(|()| session.book(&mut books, command, now)))
            .collect();
        if !look_first {
            session.reconsider(&*work, batch, &mut outcomes).await?;
        }
        if session.met_repeats {
            self.repeats.seen();
        }
        write(&*work, &books, session.fresh, &self.catalogue, now).await?;
        // Rolled-over periods are kept even when every command was a duplicate or refused.
        work.commit().await?;
        Ok(outcomes)
    }
}

/// Keys seen so far, in the database or earlier in the batch.
struct Session<'a> {
    catalogue: &'a Catalogue,
    /// What the database has, as far as it was asked.
    stored: HashMap<(AccountId, String), UsedKey>,
    /// What earlier commands of the batch will have written.
    booked: HashMap<(AccountId, String), UsedKey>,
    fresh: Vec<SavedUsage>,
    /// Whether the database had one of the keys.
    met_repeats: bool,
}

impl<'a> Session<'a> {
    fn new(catalogue: &'a Catalogue) -> Self {
        Self { catalogue, stored: HashMap::new(), booked: HashMap::new(), fresh: Vec::new(), met_repeats: false }
    }

    /// Notes which of the commands' keys the database has.
    async fn look_up(&mut self, work: &dyn Repositories, commands: &[&Consume]) -> Result<()> {
        if commands.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = commands.iter().map(|command| key_of(command)).collect();
        let found = work.usage().find_by_keys(&keys).await?;
        self.met_repeats |= !found.is_empty();
        self.stored.extend(found.into_iter().map(|used| ((used.account, used.key.clone()), used)));
        Ok(())
    }

    fn book(&mut self, books: &mut Books, command: &Command, now: DateTime<Utc>) -> Decided {
        match command {
            Command::Consume(command) => self.consume(books, command, now).map(Done::Used),
            Command::Reserve(command) => {
                books.reserve(command, self.catalogue, now).map(|settlement| Done::Settled(Box::new(settlement)))
            }
            Command::End(command) => {
                let settlement = books.end(command, self.catalogue, now)?;
                if let Some(record) = &settlement.usage {
                    let fingerprint = settlement.reservation.as_use(record.quantity).fingerprint();
                    self.fresh.push(SavedUsage { record: record.clone(), fingerprint });
                }
                Ok(Done::Settled(Box::new(settlement)))
            }
        }
    }

    fn consume(&mut self, books: &mut Books, command: &Consume, now: DateTime<Utc>) -> Outcome {
        let fingerprint = command.fingerprint();
        let key = key_of(command);
        if let Some(used) = self.stored.get(&key).or_else(|| self.booked.get(&key)) {
            return repetition(used, &fingerprint);
        }
        admit_time(command, now)?;
        let book = books.accounts.get_mut(&command.account).ok_or(Rejection::UnknownAccount)?;
        let meter = self.catalogue.meters.get(&command.meter).ok_or(Rejection::UnknownAccount)?;
        let record = Arc::new(book.consume(&mut books.keys, command, meter, now)?);
        let saved = SavedUsage { record: record.clone(), fingerprint };
        self.booked.insert(key, saved.clone().into());
        self.fresh.push(saved);
        Ok(Receipt { record, duplicate: false })
    }

    /// A command that would be refused may repeat one that was not. Its key is looked up now, for a repetition is
    /// answered with the first receipt whatever is left.
    async fn reconsider(&mut self, work: &dyn Repositories, batch: &[Command], outcomes: &mut [Decided]) -> Result<()> {
        let mut doubtful: Vec<(&Consume, &mut Decided)> = batch
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| matches!(outcome, Err(Rejection::Refused(_) | Rejection::Invalid(_))))
            .filter(|(command, _)| check(self.catalogue, command).is_ok())
            .filter_map(|(command, outcome)| Some((command.consume()?, outcome)))
            .collect();
        let commands: Vec<&Consume> = doubtful.iter().map(|(command, _)| *command).collect();
        self.look_up(work, &commands).await?;
        for (command, outcome) in &mut doubtful {
            if let Some(used) = self.stored.get(&key_of(command)) {
                **outcome = repetition(used, &command.fingerprint()).map(Done::Used);
            }
        }
        Ok(())
    }
}

fn key_of(command: &Consume) -> (AccountId, String) {
    (command.account, command.key.as_str().to_owned())
}

fn check(catalogue: &Catalogue, command: &Command) -> std::result::Result<(), Rejection> {
    let meter = |code: &MeterCode| {
        catalogue.meters.get(code).ok_or_else(|| Rejection::invalid("meter", "is not a meter of this server"))
    };
    match command {
        Command::Consume(command) => admit(command, meter(&command.meter)?),
        Command::Reserve(command) => command.admit(meter(&command.wanted.meter)?),
        Command::End(command) => command.how.admit(),
    }
}

/// The answer to a key that was used: its first receipt, as long as that is kept.
fn repetition(used: &UsedKey, fingerprint: &str) -> Outcome {
    if used.fingerprint != fingerprint {
        return Err(Rejection::KeyReused);
    }
    let record = used.record.clone().ok_or(Rejection::ReceiptDeleted(used.usage))?;
    Ok(Receipt { record, duplicate: true })
}

/// Writes what the batch changed, each table once.
async fn write(
    work: &dyn Repositories,
    books: &Books,
    fresh: Vec<SavedUsage>,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Result<()> {
    let (mut counters, mut grants, mut fired) = (Vec::new(), Vec::new(), Vec::new());
    for book in books.accounts.values() {
        counters.extend(book.changed_counters().cloned());
        grants.extend(book.changed_grants());
        fired.extend_from_slice(book.fired());
    }
    if !fresh.is_empty() || !counters.is_empty() {
        let rollup = Rollup::of(fresh.iter().map(|saved| &*saved.record), catalogue.zone);
        work.usage().book(&Booked { usage: fresh, rollup, counters }, now).await?;
    }
    if !grants.is_empty() {
        work.grants().save(&grants, now).await?;
    }
    let allowances = books.keys.changed();
    if !allowances.is_empty() {
        work.api_keys().save_allowances(&allowances, now).await?;
    }
    write_payments(work, books, now).await?;
    write_holds(work, books).await?;
    if !fired.is_empty() {
        work.warnings().insert(&fired).await?;
    }
    note_overage(work, books, catalogue, now).await?;
    let events: Vec<Event> =
        fired.iter().map(|warning| told(warning, catalogue)).chain(books.holds.events(catalogue)).collect();
    if !events.is_empty() {
        work.outbox().push(&events).await?;
    }
    Ok(())
}

/// Notes the periods whose fee passed another multiple of what is billed at once.
async fn note_overage(work: &dyn Repositories, books: &Books, catalogue: &Catalogue, now: DateTime<Utc>) -> Result<()> {
    let Some(step) = catalogue.interim_overage else { return Ok(()) };
    let passed = |(account, book): (&AccountId, &AccountBooks)| {
        let account = *account;
        book.passed(step).into_iter().map(move |start| (account, start)).collect::<Vec<_>>()
    };
    let due: Vec<_> = books.accounts.iter().flat_map(passed).collect();
    if due.is_empty() { Ok(()) } else { Ok(work.overage_dues().note(&due, now).await?) }
}

/// Books what wallets paid and hold: one transfer for each account and currency.
async fn write_payments(work: &dyn Repositories, books: &Books, now: DateTime<Utc>) -> Result<()> {
    let purses = || books.accounts.values().flat_map(|book| book.purses.values());
    let mut posting = Posting::over(purses().map(|purse| purse.opened().clone()));
    for purse in purses() {
        purse.post(&mut posting, now)?;
    }
    if posting.is_empty() {
        return Ok(());
    }
    Ok(work.ledger().book(&posting).await?)
}

/// Writes the reservations that were made and ended, and the debts they left.
async fn write_holds(work: &dyn Repositories, books: &Books) -> Result<()> {
    let (made, ended) = (books.holds.made(), books.holds.ended());
    if !made.is_empty() {
        work.reservations().insert(&made).await?;
    }
    if !ended.is_empty() {
        work.reservations().end(&ended).await?;
    }
    if !books.holds.debts().is_empty() {
        work.debts().insert(books.holds.debts()).await?;
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
