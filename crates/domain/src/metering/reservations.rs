//! Reservations as callers ask for them: checked and turned into commands, found, listed, and expired when due.

use super::batch::Command;
use super::command::UsageKey;
use super::report::{Known, UsageReport};
use super::reservation::{DEFAULT_TTL, Debt, End, Ending, MAX_TTL, Reservation, ReservationFilter, Reserve};
use super::service::MeteringService;
use super::usage::UsageRecord;
use crate::accounts::{AccountRef, resolve_reader};
use crate::actor::{Actor, Scope};
use crate::error::{Error, Result};
use crate::id::{AccountId, ReservationId};
use crate::page::{Page, PageRequest};
use crate::quantity::Quantity;
use chrono::TimeDelta;
use std::sync::Arc;

/// Reservations expired between two looks at the clock.
pub const EXPIRE_CHUNK: u64 = 200;

/// A reservation as a client asks for it.
#[derive(Clone, Debug, Default)]
pub struct HoldWish {
    /// What is to be held; it has no time of its own.
    pub report: UsageReport,
    /// [`DEFAULT_TTL`] when left out.
    pub ttl_seconds: Option<u64>,
}

/// An end of a reservation as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndWish {
    /// A decimal in the meter's unit.
    Capture(String),
    Release,
}

impl MeteringService {
    /// Turns a wish into a command.
    pub async fn prepare_hold(&self, actor: &Actor, wish: &HoldWish) -> Result<Reserve> {
        actor.require_scope(&Scope::UsageWrite)?;
        let wanted = self.command(actor, &wish.report, &mut Known::default()).await?;
        let too_long = || Error::invalid("ttl_seconds", format!("must be 1 to {}", MAX_TTL.num_seconds()));
        let ttl = match wish.ttl_seconds {
            Some(seconds) => i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds).ok_or_else(too_long)?,
            None => DEFAULT_TTL,
        };
        Ok(Reserve { wanted, ttl })
    }

    /// Turns a wish into a command; `key` lets the same end be asked for again.
    pub async fn prepare_end(
        &self,
        actor: &Actor,
        id: ReservationId,
        wish: &EndWish,
        key: Option<&str>,
    ) -> Result<End> {
        actor.require_scope(&Scope::UsageWrite)?;
        let invalid_key = || Error::invalid("key", "must be 1 to 255 characters without control characters");
        let key = key.map(|key| UsageKey::parse(key).ok_or_else(invalid_key)).transpose()?;
        let reservation = self.known_to(actor, id).await?;
        let how = match wish {
            EndWish::Capture(text) => Ending::Capture(self.quantity_of(&reservation, text)?),
            EndWish::Release => Ending::Release,
        };
        let key = key.map(|key| key.as_str().to_owned());
        Ok(End { account: reservation.account, reservation: id, how, key })
    }

    fn quantity_of(&self, reservation: &Reservation, text: &str) -> Result<Quantity> {
        let meter = self.catalogue.meters.get(&reservation.meter);
        let meter = meter.ok_or_else(|| Error::invalid("meter", "is not a meter of this server any more"))?;
        Quantity::parse(text, meter.scale).map_err(|error| Error::invalid("quantity", error.to_string()))
    }

    /// A reservation; to those who may not use its account it does not exist.
    pub async fn find_reservation(&self, actor: &Actor, id: ReservationId) -> Result<Reservation> {
        actor.require_scope(&Scope::UsageRead)?;
        self.known_to(actor, id).await
    }

    async fn known_to(&self, actor: &Actor, id: ReservationId) -> Result<Reservation> {
        let missing = || Error::NotFound("reservation");
        let found = self.store.reservations().find(id).await?.ok_or_else(missing)?;
        match resolve_reader(&*self.store, actor, &AccountRef::Id(found.account)).await {
            Ok((_, only)) if only.is_none_or(|user| found.user == Some(user)) => Ok(found),
            Ok(_) | Err(Error::NotFound(_)) => Err(missing()),
            Err(error) => Err(error),
        }
    }

    /// The end of a reservation whose time is over; none when it has ended or has time left.
    pub fn overdue(&self, reservation: &Reservation) -> Option<Command> {
        let expire = || expiring(reservation.account, reservation.id);
        reservation.is_due(self.clock.now()).then(expire)
    }

    /// What a captured reservation recorded, while its row is kept.
    pub async fn usage_of(&self, reservation: &Reservation) -> Result<Option<Arc<UsageRecord>>> {
        if reservation.ended.as_ref().is_none_or(|ended| ended.usage.is_none()) {
            return Ok(None);
        }
        let key = UsageKey::of_reservation(reservation.id).as_str().to_owned();
        let found = self.store.usage().find_by_keys(&[(reservation.account, key)]).await?;
        Ok(found.into_iter().next().and_then(|used| used.record))
    }

    /// An account's reservations, newest first; to a plain member of its team the member's own.
    pub async fn list_reservations(
        &self,
        actor: &Actor,
        which: &AccountRef,
        filter: ReservationFilter,
        page: PageRequest,
    ) -> Result<Page<Reservation>> {
        actor.require_scope(&Scope::UsageRead)?;
        let (account, only) = resolve_reader(&*self.store, actor, which).await?;
        let filter = ReservationFilter { user: only, ..filter };
        Ok(self.store.reservations().list(account.id, &filter, page).await?)
    }

    pub async fn list_debts(&self, account: AccountId, page: PageRequest) -> Result<Page<Debt>> {
        Ok(self.store.debts().list(account, page).await?)
    }

    /// For operators: the debts of all accounts.
    pub async fn list_all_debts(&self, actor: &Actor, page: PageRequest) -> Result<Page<Debt>> {
        actor.require_admin()?;
        Ok(self.store.debts().list_all(page).await?)
    }

    /// The ends of a bounded number of reservations whose time is over, the longest due first.
    ///
    /// Whoever made them may have died: any process may end them.
    pub async fn due_ends(&self, skip: u64) -> Result<Vec<Command>> {
        let due = self.store.reservations().due(self.clock.now(), skip, EXPIRE_CHUNK).await?;
        Ok(due.into_iter().map(|(account, id)| expiring(account, id)).collect())
    }
}

fn expiring(account: AccountId, reservation: ReservationId) -> Command {
    Command::End(End { account, reservation, how: Ending::Expire, key: None })
}
