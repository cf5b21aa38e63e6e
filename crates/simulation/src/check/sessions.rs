//! Users and sessions: a name is one user's, a session is open until it is ended, and an old password leaves none.

use super::{Found, hold};
use crate::core::Core;
use crate::db::OUTSIDE;
use crate::ledger_of_answers::{Book, Opened};
use domain::id::UserId;
use domain::identity::Username;
use std::collections::BTreeSet;

pub fn are_what_was_told(core: &Core, book: &Book) -> Found {
    let mut names = BTreeSet::new();
    for user in core.tables.users.values(OUTSIDE) {
        let name = user.username.as_ref().map(Username::as_str);
        hold(name.is_none_or(|name| names.insert(name.to_owned())), || format!("{name:?} is the name of two"))?;
        let password = user.password_hash.as_ref().map(|hash| (user.id, hash.expose().to_owned()));
        let is_back = password.is_some_and(|password| book.replaced.contains(&password));
        hold(!is_back, || format!("a password of {} was replaced, and is back", user.id))?;
    }
    for (name, user) in &book.registered {
        is_whole(core, name, *user)?;
    }
    book.sessions.iter().try_for_each(|told| is_open_as_told(core, told))
}

/// A user came into being with everything that belongs to one.
fn is_whole(core: &Core, name: &str, user: UserId) -> Found {
    let row = core.tables.users.get(OUTSIDE, &user);
    let row = row.filter(|row| row.username.as_ref().is_some_and(|own| own.as_str() == name));
    let account = row.and_then(|row| core.tables.accounts.get(OUTSIDE, &row.personal_account));
    let owns = account.is_some_and(|account| account.owner == user);
    let referral = core.tables.referrals.get(OUTSIDE, &user).is_some();
    hold(owns && referral, || format!("{name} registered as {user}, and is not all there"))
}

fn is_open_as_told(core: &Core, told: &Opened) -> Found {
    let hash = told.token.hash();
    let is_open = core.tables.sessions.values(OUTSIDE).any(|row| row.token_hash == hash);
    let user = core.tables.users.get(OUTSIDE, &told.user);
    let is_outdated = user.is_none_or(|user| user.password_hash.as_ref() != Some(&told.password));
    let may_be_gone = told.is_ending || is_outdated;
    hold(is_open || may_be_gone, || format!("a session of {} was opened, and is gone", told.user))?;
    let may_be_open = !told.has_ended && (!is_outdated || told.may_stay);
    hold(!is_open || may_be_open, || format!("a session of {} is open, and ought to have ended", told.user))
}
