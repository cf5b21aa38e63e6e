//! File descriptors: as many as the system lets this process have, and no more of them for clients than leave enough for
//! everything else. A process without one could not even open its database.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Listeners, logs, mail, webhooks, providers.
const OWN: u64 = 64;
/// A connection to SQLite opens the database, its log and the log's index.
const PER_DATABASE_CONNECTION: u64 = 3;
/// For clients, however few there are.
const LEAST: u64 = 16;

/// Raises this process's limit to what it may have, and says how many clients it may then serve at once, `most` at most.
pub fn clients(most: usize, database_connections: u32) -> usize {
    let own = OWN + PER_DATABASE_CONNECTION * u64::from(database_connections);
    let left = raised().map_or(u64::MAX, |limit| limit.saturating_sub(own).max(LEAST));
    usize::try_from(left).map_or(most, |left| left.min(most))
}

/// The limit; `None` where there is none.
fn raised() -> Option<u64> {
    let now = getrlimit(Resource::Nofile);
    let wish = Rlimit { current: now.maximum, maximum: now.maximum };
    // What cannot be raised stays as it is, and is counted with.
    match setrlimit(Resource::Nofile, wish) {
        Ok(()) => now.maximum,
        Err(_) => now.current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_clients_get_what_is_left() {
        let all = clients(usize::MAX, 16);
        assert_eq!(getrlimit(Resource::Nofile).current, getrlimit(Resource::Nofile).maximum);
        assert!(clients(usize::MAX, 1000) <= all && clients(usize::MAX, u32::MAX) >= 16);
        assert_eq!(clients(5, 16), 5);
    }
}
