//! The reservations that a batch touches, and what it makes of them.

use super::books::{AccountBooks, KeyAllowances};
use super::command::Rejection;
use super::holding::Captured;
use super::load::Books;
use super::reservation::{Debt, End, Ended, Ending, Reservation, ReservationStatus, Reserve, Settlement};
use crate::id::{AccountId, DebtId, ReservationId};
use crate::outbox::Event;
use crate::plans::Catalogue;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Key = (AccountId, ReservationId);

/// What became of a command about a reservation.
pub(super) type Settled = Result<Settlement, Rejection>;

/// The reservations of a batch.
#[derive(Debug, Default)]
pub(super) struct Holds {
    by_id: BTreeMap<Key, Reservation>,
    by_key: BTreeMap<(AccountId, String), ReservationId>,
    made: BTreeSet<Key>,
    ended: BTreeSet<Key>,
    debts: Vec<Debt>,
}

impl Holds {
    pub(super) fn add(&mut self, reservation: Reservation) {
        let key = (reservation.account, reservation.id);
        self.by_key.insert((reservation.account, reservation.key.clone()), reservation.id);
        self.by_id.insert(key, reservation);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Reservation> {
        self.by_id.values()
    }

    /// Reservations that are new, with the end that the batch already gave some of them.
    pub(super) fn made(&self) -> Vec<Reservation> {
        self.made.iter().filter_map(|key| self.by_id.get(key)).cloned().collect()
    }

    /// Reservations that were there before and have ended now.
    pub(super) fn ended(&self) -> Vec<Reservation> {
        self.ended.difference(&self.made).filter_map(|key| self.by_id.get(key)).cloned().collect()
    }

    pub(super) fn debts(&self) -> &[Debt] {
        &self.debts
    }

    /// What others must hear of: debts.
    pub(super) fn events(&self, catalogue: &Catalogue) -> Vec<Event> {
        self.debts.iter().map(|debt| told(debt, catalogue)).collect()
    }
}

impl Books {
    /// Makes a reservation, or answers the one made before under the same key.
    pub(super) fn reserve(&mut self, command: &Reserve, catalogue: &Catalogue, now: DateTime<Utc>) -> Settled {
        let wanted = &command.wanted;
        let named = (wanted.account, wanted.key.as_str().to_owned());
        let known = self.holds.by_key.get(&named).and_then(|id| self.holds.by_id.get(&(wanted.account, *id)));
        if let Some(known) = known {
            if known.fingerprint != command.fingerprint() {
                return Err(Rejection::KeyReused);
            }
            return Ok(Settlement { reservation: known.clone(), usage: None, duplicate: true });
        }
        let book = self.accounts.get_mut(&wanted.account).ok_or(Rejection::UnknownAccount)?;
        let meter = catalogue.meters.get(&wanted.meter).ok_or_else(unknown_meter)?;
        let reservation = book.reserve(&mut self.keys, command, meter, now)?;
        self.holds.made.insert((reservation.account, reservation.id));
        self.holds.add(reservation.clone());
        Ok(Settlement { reservation, usage: None, duplicate: false })
    }

    /// Ends a reservation once; the same end under the same key is answered again.
    pub(super) fn end(&mut self, end: &End, catalogue: &Catalogue, now: DateTime<Utc>) -> Settled {
        let key = (end.account, end.reservation);
        let Self { accounts, keys, holds } = self;
        let reservation = holds.by_id.get_mut(&key).ok_or(Rejection::UnknownReservation)?;
        let book = accounts.get_mut(&end.account).ok_or(Rejection::UnknownAccount)?;
        if reservation.is_due(now) {
            expire(book, keys, reservation, now);
            holds.ended.insert(key);
            return expired(reservation, end);
        }
        if let Some(ended) = &reservation.ended {
            if reservation.ended_by(end) {
                return Ok(Settlement { reservation: reservation.clone(), usage: None, duplicate: true });
            }
            return Err(Rejection::Closed { how: ended.status, at: ended.at });
        }
        let mut usage = None;
        match end.how {
            Ending::Expire => return Ok(Settlement { reservation: reservation.clone(), usage, duplicate: false }),
            Ending::Release => {
                book.release(keys, reservation, now);
                reservation.ended = Some(given_back(ReservationStatus::Released, end.key.clone(), now));
            }
            Ending::Capture(used) => {
                let meter = catalogue.meters.get(&reservation.meter).ok_or_else(unknown_meter)?;
                let captured = book.capture(keys, (reservation, used), meter, now)?;
                holds.debts.extend(debt(reservation, &captured, now));
                reservation.ended = Some(recorded(&captured, end.key.clone(), now));
                usage = Some(Arc::new(captured.record));
            }
        }
        let reservation = reservation.clone();
        holds.ended.insert(key);
        Ok(Settlement { reservation, usage, duplicate: false })
    }
}

fn unknown_meter() -> Rejection {
    Rejection::invalid("meter", "is not a meter of this server")
}

fn expire(book: &mut AccountBooks, keys: &mut KeyAllowances, reservation: &mut Reservation, now: DateTime<Utc>) {
    book.release(keys, reservation, now);
    reservation.ended = Some(given_back(ReservationStatus::Expired, None, now));
}

/// Whoever wanted another end hears that it came too late.
fn expired(reservation: &Reservation, end: &End) -> Settled {
    match end.how {
        Ending::Expire => Ok(Settlement { reservation: reservation.clone(), usage: None, duplicate: false }),
        Ending::Capture(_) | Ending::Release => {
            let at = reservation.ended.as_ref().map_or(reservation.expires_at, |ended| ended.at);
            Err(Rejection::Closed { how: ReservationStatus::Expired, at })
        }
    }
}

fn given_back(status: ReservationStatus, key: Option<String>, at: DateTime<Utc>) -> Ended {
    let nothing = crate::quantity::Quantity::ZERO;
    Ended { status, at, key, captured: nothing, shortfall: nothing, usage: None }
}

fn recorded(captured: &Captured, key: Option<String>, at: DateTime<Utc>) -> Ended {
    Ended {
        captured: captured.record.quantity,
        shortfall: captured.shortfall.map_or(crate::quantity::Quantity::ZERO, |shortfall| shortfall.quantity),
        usage: Some(captured.record.id),
        ..given_back(ReservationStatus::Captured, key, at)
    }
}

fn debt(reservation: &Reservation, captured: &Captured, now: DateTime<Utc>) -> Option<Debt> {
    captured.shortfall.map(|shortfall| Debt {
        id: DebtId::new(now),
        account: reservation.account,
        reservation: reservation.id,
        usage: captured.record.id,
        meter: reservation.meter.clone(),
        quantity: shortfall.quantity,
        refused_by: shortfall.refused_by,
        user: reservation.user,
        api_key: reservation.api_key,
        period_start: captured.record.period_start,
        created_at: now,
    })
}

fn told(debt: &Debt, catalogue: &Catalogue) -> Event {
    let scale = catalogue.meters.get(&debt.meter).map_or(0, |meter| meter.scale);
    let payload = json!({
        "debt": debt.id,
        "account": debt.account,
        "reservation": debt.reservation,
        "usage": debt.usage,
        "meter": debt.meter.as_str(),
        "quantity": debt.quantity.to_decimal(scale),
        "refused_by": debt.refused_by.map(crate::error::LimitKind::name),
    });
    Event::new(debt.account, "reservation.shortfall", payload, debt.created_at)
}
