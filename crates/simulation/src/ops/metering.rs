//! Uses, reservations and their ends; and the loops that expire and roll over.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Actor;
use domain::error::Error;
use domain::id::{AccountId, ReservationId};
use domain::metering::{Command, Consume, Dimensions, End, Ending, Reserve, UsageKey};
use domain::plans::MeterCode;
use domain::quantity::Quantity;
use domain::time::Clock;
use uuid::Uuid;

impl Doing {
    /// A batch, as the committer makes it of several requests.
    pub(super) async fn meter(&mut self) {
        let size = 1 + self.rng.below(4);
        let mut batch = Vec::new();
        for place in 0..size {
            let command = match self.rng.below(6) {
                0 => self.wish_to_reserve(place),
                1 => self.wish_to_end(place),
                _ => Some(Command::Consume(self.wish(place))),
            };
            batch.extend(command);
        }
        self.book(batch).await;
    }

    pub(super) async fn repeat_use(&mut self) {
        let known = self.world.book().commands.len();
        if known == 0 {
            return;
        }
        let place = self.choose("repeated", || self.rng.clone().below(known) as u128);
        let command = self.world.book().commands.get(usize::try_from(place).unwrap_or(0)).cloned();
        if let Some(command) = command {
            let command = self.perhaps_changed(command);
            self.book(vec![Command::Consume(command)]).await;
        }
    }

    /// Now and then a key is used again for something else.
    fn perhaps_changed(&mut self, command: Consume) -> Consume {
        let more = Quantity::atoms(if self.rng.one_in(4) { 100 } else { 0 });
        Consume { quantity: command.quantity.saturating_add(more), ..command }
    }

    /// Mostly a new reservation.
    pub(super) async fn reserve(&mut self) {
        let (is_again, dice) = (self.rng.one_in(6), self.rng.draw());
        let place = self.choose("reserved again", || {
            let known = self.world.book().reserves.len() as u64;
            dice.checked_rem(known).filter(|_| is_again).map_or(u128::MAX, u128::from)
        });
        let known = usize::try_from(place).ok().and_then(|place| self.world.book().reserves.get(place).cloned());
        let command = match known {
            Some(known) => Some(Command::Reserve(Reserve { wanted: self.perhaps_changed(known.wanted), ..known })),
            None => self.wish_to_reserve(0),
        };
        self.book(command.into_iter().collect()).await;
    }

    pub(super) async fn end(&mut self) {
        let command = self.wish_to_end(0);
        self.book(command.into_iter().collect()).await;
    }

    fn wish(&mut self, place: usize) -> Consume {
        let actor = self.customer();
        let meter = ["words", "words", "calls", "space"][self.rng.below(4)];
        let quantity = match (meter, self.rng.below(3)) {
            ("space", 0) => -self.rng.between(1, 10),
            _ => self.rng.between(1, 25),
        };
        let late = match self.rng.below(8) {
            0 => Some(self.rng.between(1, 34 * 86_400)),
            _ => None,
        };
        let occurred_at = late.map(|seconds| self.time(place, TimeDelta::seconds(seconds)));
        let account = self.spender(place, &actor);
        // A key of the host product draws from any account.
        let place_of_key = self.rng.below(self.world.keys.len());
        let api_key = self.world.keys.get(place_of_key).copied().filter(|_| meter == "words" && self.rng.one_in(2));
        Consume {
            account,
            meter: code(meter),
            quantity: Quantity::atoms(quantity),
            key: key(&format!("{}-{place}", self.key())),
            occurred_at,
            dimensions: Dimensions::default(),
            user: Some(actor.user),
            api_key,
            key_is_limited: api_key.is_some(),
        }
    }

    /// One's own account, or now and then that of a team, mostly one's own.
    fn spender(&mut self, place: usize, actor: &Actor) -> AccountId {
        let what = ["team 0", "team 1", "team 2", "team 3"][place % 4];
        let of_any = self.rng.one_in(8);
        let team = self.choose_id(what, |tables| {
            let members = tables.members.values(OUTSIDE).filter(|member| of_any || member.user == actor.user);
            members.map(|member| member.account.as_uuid()).collect()
        });
        if self.rng.one_in(4) && !team.is_nil() { AccountId::from_uuid(team) } else { actor.personal_account }
    }

    /// A time before now, the same when it is asked for again.
    fn time(&self, place: usize, before: TimeDelta) -> DateTime<Utc> {
        let what = ["time 0", "time 1", "time 2", "time 3"][place % 4];
        let now = self.world.sim.now();
        let micros = self.choose(what, || u128::from((now - before).timestamp_micros().unsigned_abs()));
        DateTime::from_timestamp_micros(i64::try_from(micros).unwrap_or(0)).unwrap_or(now)
    }

    fn wish_to_reserve(&mut self, place: usize) -> Option<Command> {
        let wanted = Consume { occurred_at: None, ..self.wish(place) };
        if wanted.meter.as_str() == "space" || !wanted.quantity.is_positive() {
            return None;
        }
        let ttl = TimeDelta::seconds(self.rng.between(1, 86_400));
        Some(Command::Reserve(Reserve { wanted, ttl }))
    }

    fn wish_to_end(&mut self, place: usize) -> Option<Command> {
        let what = ["end 0", "end 1", "end 2", "end 3"][place % 4];
        let (dice, how, used) = (self.rng.draw(), self.rng.below(4), self.rng.between(1, 40));
        let chosen = self.choose(what, || {
            let book = self.world.book();
            // Mostly one that is open yet.
            let of_all = dice.is_multiple_of(5);
            let known = book.reservations.iter().filter(|(_, known)| of_all || known.is_open);
            let open: Vec<_> = known.map(|(id, _)| id).collect();
            let place = usize::try_from((dice >> 8) % (open.len().max(1) as u64)).unwrap_or(0);
            open.get(place).map_or(0, |id| id.as_uuid().as_u128())
        });
        let reservation = ReservationId::from_uuid(Uuid::from_u128(chosen));
        let account = self.world.book().reservations.get(&reservation)?.account;
        let how = if how == 0 { Ending::Release } else { Ending::Capture(Quantity::atoms(used)) };
        let key = Some(format!("{}-{place}", self.key()));
        Some(Command::End(End { account, reservation, how, key }))
    }

    async fn book(&mut self, batch: Vec<Command>) {
        if batch.is_empty() {
            return;
        }
        let answer = until_answered!(self.services().metering.book(&batch));
        match &answer {
            Ok(decided) => {
                for (command, decided) in batch.iter().zip(decided) {
                    self.world.book().metered(command, decided);
                }
            }
            Err(error) => self.world.book().broken.push(format!("a batch was never answered: {error:?}")),
        }
        self.tell(&format!("books {batch:?}"), &answer);
    }

    /// One chunk of the loop that expires reservations.
    pub(super) async fn expire_due(&mut self) {
        let due = self.services().metering.due_ends(0).await;
        let Ok(due) = due else { return };
        if due.is_empty() {
            return;
        }
        let ended = self.services().metering.book(&due).await;
        self.count("expired", "not expired", &ended);
        self.tell(&format!("expires {} reservations", due.len()), &ended.map(|ended| ended.len()));
    }

    /// One chunk of the loop that opens periods.
    pub(super) async fn roll_over(&mut self) {
        let rolled = self.services().metering.roll_over_due(0).await;
        self.count("rolled over", "not rolled over", &rolled);
        if let Err(error) = &rolled
            && !matches!(error, Error::Store(_))
        {
            self.world.book().broken.push(format!("rolling over: {error:?}"));
        }
        self.tell("rolls over", &rolled);
    }
}

fn code(text: &str) -> MeterCode {
    MeterCode::parse(text).unwrap_or_else(|| unreachable!("a meter of the catalogue"))
}

fn key(text: &str) -> UsageKey {
    UsageKey::parse(text).unwrap_or_else(|| unreachable!("a plain key"))
}
