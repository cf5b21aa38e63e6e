//! Both ways that bind every value write the same rows, find the same pairs and change the same rows; SQLite understands
//! both.

use super::{Dialect, Existing, Update};
use crate::db::connect::begin;
use crate::db::entity::{reservation, usage_daily, usage_key};
use crate::db::repos::Repos;
use crate::db::{DatabaseSettings, connect, migrate_up, pairs, usage_sums};
use chrono::DateTime;
use domain::store::StoreError;
use sea_orm::{DatabaseTransaction, EntityTrait};
use std::sync::Arc;
use uuid::Uuid;

/// One and a few, full places and then the same with some to spare, more than one statement takes. All on one connection,
/// which keeps its statements.
const TOTALS: [usize; 9] = [1, 4, 3, 64, 33, 129, 512, 300, 9_000];
const KEYS_OF_AN_ACCOUNT: usize = 3;

type Work = Repos<DatabaseTransaction>;

fn account(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 / KEYS_OF_AN_ACCOUNT as u128 + 1)
}

fn keys(total: usize) -> Vec<usage_key::Model> {
    let key = |number: usize| usage_key::Model {
        account_id: account(number),
        usage_key: format!("key-{number}"),
        usage_id: Uuid::from_u128(number as u128),
        fingerprint: String::new(),
    };
    (0..total).map(key).collect()
}

fn sums(total: usize) -> Vec<usage_daily::Model> {
    let sum = |number: usize| usage_daily::Model {
        account_id: account(number),
        bucket: "2026-11-28".to_owned(),
        meter: format!("meter-{number}"),
        model: String::new(),
        api_key_id: Uuid::nil(),
        user_id: Uuid::nil(),
        quantity: i64::MAX / 4 - i64::try_from(number).unwrap(),
        amount_nanos: -1,
        events: 7,
    };
    (0..total).map(sum).collect()
}

async fn rows_are_written_once_added_to_and_found(database: &Work, total: usize) {
    let keys = keys(total);
    let write = || database.insert_all::<usage_key::Entity>(&keys, Existing::Fail);
    write().await.unwrap();
    assert!(matches!(write().await, Err(StoreError::Duplicate)), "{total}");

    let strangers = keys.iter().map(|key| (account(total * 9), key.usage_key.clone()));
    let absent = keys.iter().map(|key| (key.account_id, format!("{} ", key.usage_key)));
    let there = keys.iter().map(|key| (key.account_id, key.usage_key.clone()));
    let wanted = strangers.chain(there).chain(absent).collect();
    let columns = (usage_key::Column::AccountId, usage_key::Column::UsageKey);
    let mut found = pairs::find::<usage_key::Entity, _>(database, wanted, columns).await.unwrap();
    found.sort_by_key(|row| row.usage_id);
    assert_eq!(found, keys, "{total}");

    let sums = sums(total);
    for _ in 0..2 {
        database.insert_all::<usage_daily::Entity>(&sums, usage_sums::ADDING).await.unwrap();
    }
    let mut written = usage_daily::Entity::find().all(&database.conn).await.unwrap();
    written.sort_by_key(|row| (row.account_id, row.meter.len(), row.meter.clone()));
    let twice = |row: usage_daily::Model| usage_daily::Model {
        quantity: row.quantity * 2,
        amount_nanos: row.amount_nanos * 2,
        events: row.events * 2,
        ..row
    };
    assert_eq!(written, sums.into_iter().map(twice).collect::<Vec<_>>(), "{total}");
}

const ENDING: Update<reservation::Entity> = Update {
    key: &[reservation::Column::AccountId, reservation::Column::Id],
    set: &[reservation::Column::Status, reservation::Column::EndedAt, reservation::Column::EndKey],
    only: Some((reservation::Column::Status, "open")),
};

fn open(total: usize) -> Vec<reservation::Model> {
    let open = |number: usize| reservation::Model {
        account_id: account(number),
        id: Uuid::from_u128(number as u128),
        reservation_key: format!("key-{number}"),
        fingerprint: String::new(),
        status: "open".to_owned(),
        meter: "words".to_owned(),
        quantity: 1,
        period_start: DateTime::UNIX_EPOCH,
        user_id: None,
        api_key_id: None,
        dimensions: None,
        parts: "[]".to_owned(),
        created_at: DateTime::UNIX_EPOCH,
        expires_at: DateTime::UNIX_EPOCH,
        ended_at: None,
        end_key: None,
        captured: 0,
        shortfall: 0,
        usage_id: None,
    };
    (0..total).map(open).collect()
}

/// Each in a way of its own, and nothing of the key is written for every other.
fn ended(row: &reservation::Model) -> reservation::Model {
    let number = row.id.as_u128();
    let end_key = number.is_multiple_of(2).then(|| format!("end-{number}"));
    let status = if number.is_multiple_of(3) { "released" } else { "expired" }.to_owned();
    let ended_at = DateTime::from_timestamp(i64::try_from(number).unwrap(), 0);
    reservation::Model { status, ended_at, end_key, ..row.clone() }
}

async fn rows_are_changed_once_and_only_where_they_are_as_expected(database: &Work, total: usize) {
    let rows = open(total);
    database.insert_all::<reservation::Entity>(&rows, Existing::Fail).await.unwrap();
    let (of_others, mine) = rows.split_at(total / 2);
    let change = async |rows: &[reservation::Model]| {
        let values: Vec<_> = rows.iter().map(|row| ENDING.values_of(row)).collect();
        database.update_all(&ENDING, &values).await.unwrap()
    };
    let ends: Vec<_> = mine.iter().map(ended).collect();
    let strangers: Vec<_> =
        ends.iter().map(|row| reservation::Model { account_id: account(total * 9), ..row.clone() }).collect();
    assert_eq!(change(&strangers).await, 0, "{total}");
    assert_eq!(change(&ends).await, ends.len() as u64, "{total}");
    assert_eq!(change(&ends).await, 0, "{total}");
    let mut kept = reservation::Entity::find().all(&database.conn).await.unwrap();
    kept.sort_by_key(|row| row.id);
    assert_eq!(kept, [of_others, &ends].concat(), "{total}");
}

async fn both_ways_do_the_same(dialect: Dialect) {
    let file = std::env::temp_dir().join(format!("bulk-{}.db", Uuid::now_v7()));
    let settings = DatabaseSettings { url: format!("sqlite:{}", file.display()), max_connections: 2 };
    migrate_up(&settings).await.unwrap();
    let mut database = connect(&settings).await.unwrap();
    Arc::get_mut(&mut database.shared).unwrap().dialect = dialect;
    for total in TOTALS {
        // The one writer's, and taken back at the end.
        let conn = begin(&database.shared.writer).await.unwrap();
        let work = Repos { conn, shared: database.shared.clone(), pending: None };
        rows_are_written_once_added_to_and_found(&work, total).await;
        rows_are_changed_once_and_only_where_they_are_as_expected(&work, total).await;
    }
    drop(database);
    for name in ["db", "db-wal", "db-shm"] {
        let _gone = std::fs::remove_file(file.with_extension(name));
    }
}

#[tokio::test]
async fn with_places_to_spare() {
    both_ways_do_the_same(Dialect::Padded).await;
}

#[tokio::test]
async fn with_every_place_bound() {
    both_ways_do_the_same(Dialect::Bound).await;
}
