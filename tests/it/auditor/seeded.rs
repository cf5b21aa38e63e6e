//! Each violation is put there by SQL, in a transaction of its own that is rolled back; the auditor must name exactly
//! what is violated.

use super::seeds::{Expected, SEEDS, Seed, fill};
use super::seeds_of_money::MONEY;
use super::world::World;
use chrono::{DateTime, Utc};
use harness::auditor::Findings;
use harness::databases::Fresh;
use harness::db_test;
use infra::db::auditor::{Questions, all, audit_in};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use std::collections::BTreeSet;

type Ids = BTreeSet<&'static str>;

async fn found(work: &DatabaseTransaction, questions: Questions<'_>) -> Ids {
    let mut findings = Findings::default();
    audit_in(work, questions, &mut findings).await.unwrap();
    assert!(findings.0.iter().all(|violation| !violation.detail.is_empty()));
    findings.0.into_iter().map(|violation| violation.invariant).collect()
}

/// Keeps every rule prepared: with each that the driver forgets, a statement of MariaDB waits for TCP's delayed answer.
fn wide(url: &str) -> String {
    let servers = url.starts_with("mysql:") || url.starts_with("postgres:");
    if servers { format!("{url}?statement-cache-capacity=500") } else { url.to_owned() }
}

/// What the auditor names after a seed, or why the database refused it.
async fn found_after(database: &DatabaseConnection, world: &World, seed: &Seed) -> Result<Ids, String> {
    let work = database.begin().await.unwrap();
    for sql in seed.sql {
        match work.execute_unprepared(&fill(database.get_database_backend(), world, sql)).await {
            Ok(done) => assert!(done.rows_affected() > 0, "{}: {sql} changed nothing", seed.id),
            Err(error) => {
                work.rollback().await.unwrap();
                return Err(error.to_string());
            }
        }
    }
    let found = found(&work, Questions::default()).await;
    work.rollback().await.unwrap();
    Ok(found)
}

async fn every_violation_is_found_and_nothing_else(fresh: &Fresh) {
    let world = World::build(fresh).await;
    let database = sea_orm::Database::connect(wide(&fresh.url)).await.unwrap();
    let work = database.begin().await.unwrap();
    let mut findings = Findings::default();
    audit_in(&work, Questions::default(), &mut findings).await.unwrap();
    assert!(findings.0.is_empty(), "a world in order: {:#?}", findings.0);
    work.rollback().await.unwrap();
    let mut wrong = Vec::new();
    for seed in SEEDS.iter().chain(MONEY) {
        let found = found_after(&database, &world, seed).await;
        let right = match (seed.expected, &found) {
            (Expected::Found(also), Ok(found)) => *found == also.iter().copied().chain([seed.id]).collect::<Ids>(),
            (Expected::Refused, found) => found.is_err(),
            (Expected::Found(_), Err(_)) => false,
        };
        if !right {
            wrong.push(format!("{}: expected {:?}, found {found:?}", seed.id, seed.expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

db_test!(seeded, every_violation_is_found_and_nothing_else);

#[test]
fn every_invariant_has_a_seed() {
    let seeded: Ids = SEEDS.iter().chain(MONEY).map(|seed| seed.id).collect();
    let without: Vec<_> = all().filter(|known| !known.timed && !seeded.contains(known.id)).collect();
    assert!(without.is_empty(), "{without:#?}");
}

async fn what_is_late_is_found_only_when_the_time_is_known(fresh: &Fresh) {
    let world = World::build(fresh).await;
    let database = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let work = database.begin().await.unwrap();
    for sql in [
        "UPDATE outbox SET fanned_out_at = NULL WHERE kind <> 'test.numbered'",
        "UPDATE payments SET next_poll_at = created_at WHERE account_id = {payer}",
        "UPDATE orders SET status = 'created', delivered_at = NULL WHERE account_id = {payer}",
    ] {
        work.execute_unprepared(&fill(database.get_database_backend(), &world, sql)).await.unwrap();
    }
    // MariaDB compares bound times as TIMESTAMP, which ends in 2038.
    let far = DateTime::parse_from_rfc3339("2037-01-01T00:00:00Z").unwrap().to_utc();
    for (id, now, late) in [
        ("R-4", far, true),
        ("J-4", far, true),
        ("P-8", far, true),
        ("P-9", far, true),
        ("R-4", DateTime::<Utc>::UNIX_EPOCH, false),
        ("P-9", DateTime::<Utc>::UNIX_EPOCH, false),
    ] {
        let questions = Questions { only: Some(id), now: Some(now) };
        assert_eq!(found(&work, questions).await.contains(id), late, "{id}");
    }
    let everything = found(&work, Questions { only: None, now: Some(far) }).await;
    assert!(everything.contains("R-4") && everything.contains("J-4"));
    assert!(!found(&work, Questions::default()).await.contains("R-4"));
    work.rollback().await.unwrap();
}

db_test!(late, what_is_late_is_found_only_when_the_time_is_known);
