//! Many processes migrate one empty database at once, and most are killed in the middle: those that are left end well, and
//! every step was done once.

use super::process::Running;
use harness::databases::{Server, empty};
use infra::db::{connect, migration_status};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const STARTERS: usize = 8;
const SURVIVORS: usize = 2;
/// How many times; more by `SUANPAN_STARTING_ROUNDS`.
const ROUNDS: u64 = 1;
/// From one kill to the next, so that they fall everywhere in the seconds that migrating takes.
const KILLS_APART: [u64; 7] = [90, 170, 260, 40, 330, 120, 210];
const PATIENCE: Duration = Duration::from_mins(2);

#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn rounds() -> u64 {
    std::env::var("SUANPAN_STARTING_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

async fn killed_starters_leave_a_database_that_others_finish(server: Server) {
    let mut killed = 0;
    for round in 0..rounds() {
        let fresh = empty(server).await;
        let mut starters: Vec<_> = (0..STARTERS).map(|_| Running::start(&fresh.url, "migrate up", &[])).collect();
        for kill in 0..STARTERS - SURVIVORS {
            let apart = KILLS_APART[(kill + usize::try_from(round).unwrap() * 3) % KILLS_APART.len()];
            tokio::time::sleep(Duration::from_millis(apart)).await;
            killed += usize::from(starters.remove(0).kill());
        }
        let began = Instant::now();
        while !starters.iter_mut().all(Running::has_ended) {
            assert!(began.elapsed() < PATIENCE, "who is left ends");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        starters.into_iter().for_each(Running::succeeds);
        let database = connect(&fresh.settings()).await.unwrap();
        let steps = migration_status(&database).await.unwrap();
        let names: BTreeSet<_> = steps.iter().filter(|step| step.applied).map(|step| &step.name).collect();
        assert_eq!(names.len(), steps.len(), "every step is there once");
        drop(database);
        fresh.migrated().await.discard().await;
    }
    println!("{server:?}: {} rounds, {killed} processes killed while they migrated or waited", rounds());
}

#[tokio::test]
async fn sqlite() {
    killed_starters_leave_a_database_that_others_finish(Server::Sqlite).await;
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn postgres() {
    killed_starters_leave_a_database_that_others_finish(Server::Postgres).await;
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL"]
async fn mariadb() {
    killed_starters_leave_a_database_that_others_finish(Server::MariaDb).await;
}
