//! File descriptors: as many as the system lets this process have, and no more of them for clients than leave enough for
//! everything else. A process without one could not even open its database.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Listeners, logs, mail, webhooks, providers.
const OWN: u64 = 64;
/// A connection to SQLite opens the database, its log and the log's index.
const PER_DATABASE_CONNECTION: u64 = 3;
/// For clients, however few there are.
const LEAST: u64 = 16;
/// For a worker's clients, however many there are: what each holds adds up.
const MOST: usize = 25_000;

/// Raises this process's limit to what it may have, and says how many clients each worker may then serve at once.
pub fn clients_per_worker(workers: usize, database_connections: u32) -> usize {
    let own = OWN + PER_DATABASE_CONNECTION * u64::from(database_connections);
    let clients = raised().map_or(u64::MAX, |limit| limit.saturating_sub(own).max(LEAST));
    usize::try_from(clients).map_or(MOST, |clients| clients / workers.max(1)).clamp(1, MOST)
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
        let (one, four) = (clients_per_worker(1, 16), clients_per_worker(4, 16));
        assert_eq!(getrlimit(Resource::Nofile).current, getrlimit(Resource::Nofile).maximum);
        assert!(four <= one && four >= one / 4, "{one} {four}");
        assert!(clients_per_worker(1000, 1000) >= 1);
    }
}
