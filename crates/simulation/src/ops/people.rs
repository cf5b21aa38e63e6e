//! Who comes and goes: registering, logging in and out, and new passwords.

use super::{Doing, until_answered};
use crate::db::OUTSIDE;
use crate::doubles::PlainHasher;
use crate::ledger_of_answers::Opened;
use domain::accounts::Registration;
use domain::error::Result;
use domain::identity::{Password, PasswordChange, PasswordHash, ProfileChange, Username};
use domain::incentives::AffCode;

/// Names that strangers want.
const NAMES: usize = 2;
/// The password of no operation.
const WRONG: u128 = u128::MAX;

fn password(number: u128) -> Password {
    Password::presented(&format!("password-{number}"))
}

fn number_in(hash: &PasswordHash) -> u128 {
    hash.expose().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(WRONG)
}

impl Doing {
    /// The password that this operation gives somebody.
    fn new_password(&self) -> Password {
        password(self.operation.twin_of as u128)
    }

    fn wanted_name(&mut self) -> String {
        format!("guest{}", self.rng.below(NAMES))
    }

    pub(super) async fn register(&mut self) {
        let (name, chosen) = (self.wanted_name(), self.new_password());
        let inviter = u8::try_from(self.rng.below(12)).ok().filter(|number| *number < 6);
        let aff_code = inviter.map(|number| AffCode::from_random([number; 32]).as_str().to_owned());
        let wish = Registration { username: Username::parse(&name).ok(), aff_code, ..Registration::default() };
        let answer = until_answered!(self.services().registration.register(wish.clone(), &chosen, None));
        self.count("registered", "not registered", &answer);
        if let Ok(made) = &answer {
            let opened = Opened::new(made.user.id, made.token.clone(), PlainHasher::plain(&chosen));
            let mut book = self.world.book();
            book.sessions.push(opened);
            if book.registered.insert(name.clone(), made.user.id).is_some_and(|other| other != made.user.id) {
                book.broken.push(format!("two registered as {name}"));
            }
        }
        self.tell(&format!("registers as {name}"), &answer.map(|made| made.user.id));
    }

    /// Mostly with the password of now.
    pub(super) async fn log_in(&mut self) {
        let (name, is_wrong) = (self.wanted_name(), self.rng.one_in(4));
        let number = self.choose("password", || if is_wrong { WRONG } else { self.password_of(&name) });
        let given = password(number);
        let answer = until_answered!(self.services().identity.log_in(&name, given.expose(), None));
        self.count("logged in", "not logged in", &answer);
        if let Ok(made) = &answer {
            let opened = Opened::new(made.user.id, made.token.clone(), PlainHasher::plain(&given));
            let mut book = self.world.book();
            book.sessions.push(opened);
            if number == WRONG {
                book.broken.push(format!("{name} logged in with a wrong password"));
            }
        }
        self.tell(&format!("logs in as {name}"), &answer.map(|made| made.user.id));
    }

    /// The number in a user's password; [`WRONG`] of nobody.
    fn password_of(&self, name: &str) -> u128 {
        let core = self.world.eyes.lock();
        let mut users = core.tables.users.values(OUTSIDE);
        let user = users.find(|user| user.username.as_ref().is_some_and(|own| own.as_str() == name));
        user.and_then(|user| user.password_hash.as_ref()).map_or(WRONG, number_in)
    }

    /// A session that somebody was given, with its place.
    fn some_session(&mut self) -> Option<(usize, Opened)> {
        let dice = self.rng.draw();
        let place = self.choose("session", || {
            let known = self.world.book().sessions.len() as u64;
            dice.checked_rem(known).map_or(u128::MAX, u128::from)
        });
        let place = usize::try_from(place).ok()?;
        let opened = self.world.book().sessions.get(place).cloned()?;
        Some((place, opened))
    }

    fn note_of(&self, place: usize, note: impl FnOnce(&mut Opened)) {
        if let Some(opened) = self.world.book().sessions.get_mut(place) {
            note(opened);
        }
    }

    pub(super) async fn log_out(&mut self) {
        let Some((place, Opened { token, user, .. })) = self.some_session() else { return };
        self.note_of(place, |opened| opened.is_ending = true);
        let answer = until_answered!(self.services().identity.log_out(&token));
        self.count("logged out", "not logged out", &answer);
        if answer.is_ok() {
            self.note_of(place, |opened| opened.has_ended = true);
        }
        self.tell(&format!("{user} logs out"), &answer);
    }

    pub(super) async fn change_password(&mut self) {
        let Some((place, opened)) = self.some_session() else { return };
        self.note_of(place, |opened| opened.may_stay = true);
        let number = if self.rng.one_in(4) { WRONG } else { number_in(&opened.password) };
        let change = PasswordChange { old: password(number), new: self.new_password() };
        let answer = until_answered!(self.replace_password(&opened, &change));
        if answer.is_ok() {
            let mut book = self.world.book();
            book.replaced.insert((opened.user, PlainHasher::plain(&change.old).expose().to_owned()));
            if number == WRONG {
                book.broken.push(format!("a wrong password of {} was good enough", opened.user));
            }
        }
        self.count("password changed", "password not changed", &answer);
        self.tell(&format!("{} wants another password", opened.user), &answer);
    }

    async fn replace_password(&self, opened: &Opened, change: &PasswordChange) -> Result<()> {
        let identity = &self.services().identity;
        let caller = identity.authenticate(opened.token.expose(), None).await?;
        if opened.has_ended {
            self.world.book().broken.push(format!("a session of {} was good after its end", opened.user));
        }
        let change = ProfileChange { password: Some(change.clone()), ..ProfileChange::default() };
        identity.update_me(&caller, change).await.map(drop)
    }
}
