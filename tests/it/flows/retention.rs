//! Months of usage rows: made ahead, filled, moved to, and deleted when nobody needs them any more.

use api::retention::{Step, Upkeep, upkeep};
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::AccountId;
use domain::metering::{GroupBy, Month, Rejection, Removed, UsageFilter};
use domain::page::PageRequest;
use domain::quantity::Quantity;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What the tests keep rows for.
const KEPT_35_DAYS: [(&str, &str); 1] = [("SUANPAN__RETENTION__USAGE_DAYS", "35")];
/// More than one step of deleting takes where there are no partitions.
const MANY: usize = 1_100;

pub async fn steps(scene: &Scene) -> Vec<Step> {
    let Upkeep::Done(steps) = upkeep(&scene.services, Uuid::now_v7(), |_| ()).await.unwrap() else {
        unreachable!("nobody else is at it")
    };
    steps
}

/// `None` on SQLite.
async fn partitions(scene: &Scene) -> Option<Vec<Month>> {
    scene.services.store.usage_months().partitions().await.unwrap()
}

/// How many rows lie in the month's partition.
async fn rows_in(fresh: &Fresh, month: Month) -> i64 {
    let name = month.to_string().replace('-', "_");
    let database = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let from = match database.get_database_backend() {
        DbBackend::Postgres => format!("usage_records_{name}"),
        _ => format!("usage_records PARTITION (p{name})"),
    };
    let statement =
        Statement::from_string(database.get_database_backend(), format!("SELECT COUNT(*) AS n FROM {from}"));
    database.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// What closing a month will do to the periods that began before `time`.
pub async fn close_periods_before(fresh: &Fresh, time: DateTime<Utc>) {
    let database = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let backend = database.get_database_backend();
    let bound = if backend == DbBackend::Postgres { "$1" } else { "?" };
    let sql = format!("UPDATE quota_periods SET closed_at = period_end WHERE period_start < {bound}");
    database.execute_raw(Statement::from_sql_and_values(backend, sql, [time.into()])).await.unwrap();
}

async fn keys_listed(scene: &Scene, account: AccountId) -> Vec<String> {
    let page = PageRequest { limit: 200, before: None };
    let rows = scene.services.metering.list_usage(account, &UsageFilter::default(), page).await.unwrap().rows;
    rows.into_iter().map(|row| row.key).collect()
}

/// The middle of a month.
fn middle(month: Month) -> DateTime<Utc> {
    month.start() + TimeDelta::days(14)
}

db_test!(months_are_made_ahead_and_rows_lie_in_the_month_in_which_they_were_recorded, async |fresh: &Fresh| {
    let scene = Scene::with(&fresh.url, &[("SUANPAN__RETENTION__MONTHS_AHEAD", "2")]).await;
    let account = scene.customer(Some("professional")).await.account;
    scene.consume_one(command(account, "words", 1, "before")).await.unwrap();
    steps(&scene).await;
    let this = Month::of(scene.now());
    scene.consume_one(command(account, "words", 1, "first")).await.unwrap();
    scene.move_clock(middle(this.next()));
    scene.consume_one(command(account, "words", 1, "second")).await.unwrap();
    assert_eq!(keys_listed(&scene, account).await, ["second", "first", "before"]);
    assert!(steps(&scene).await.iter().all(|step| *step == Step::Created(this.later(3))), "only what is new");
    match partitions(&scene).await {
        None => assert!(fresh.url.starts_with("sqlite:")),
        Some(months) => {
            assert_eq!(months, [this, this.later(1), this.later(2), this.later(3)]);
            assert_eq!((rows_in(fresh, this).await, rows_in(fresh, this.next()).await), (2, 1));
        }
    }
});

db_test!(what_was_recorded_before_its_month_was_made_is_moved_there_whole, async |fresh: &Fresh| {
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(Some("professional")).await.account;
    steps(&scene).await;
    let far = Month::of(scene.now()).later(30);
    let mut receipts = Vec::new();
    for (month, key) in [(far, "one"), (far, "two"), (far.later(7), "three")] {
        if scene.now() < month.start() {
            scene.move_clock(middle(month));
        }
        receipts.push(scene.consume_one(command(account, "words", 1, key)).await.unwrap());
    }
    let made = steps(&scene).await;
    assert_eq!(scene.services.store.usage_months().oldest_in_catch_all().await.unwrap(), None);
    if partitions(&scene).await.is_some() {
        assert_eq!(made[..2], [Step::Created(far), Step::Created(far.later(7))]);
        assert_eq!((rows_in(fresh, far).await, rows_in(fresh, far.later(7)).await), (2, 1));
    }
    assert_eq!(keys_listed(&scene, account).await, ["three", "two", "one"]);
    for (receipt, key) in receipts.into_iter().zip(["one", "two", "three"]) {
        let again = scene.consume_one(command(account, "words", 1, key)).await.unwrap();
        assert!(again.duplicate);
        assert_eq!(again.record, receipt.record);
    }
});

/// Use in three months, far enough apart that only the last is too young to go.
struct Story {
    scene: Scene,
    account: AccountId,
    first: Month,
}

async fn told(fresh: &Fresh) -> Story {
    let scene = Scene::with(&fresh.url, &KEPT_35_DAYS).await;
    let first = Month::of(scene.now()).next();
    let account = scene.customer(Some("professional")).await.account;
    let other = scene.customer(None).await.account;
    for (month, key) in [(first, "a"), (first.later(1), "b"), (first.later(5), "c")] {
        scene.move_clock(middle(month));
        steps(&scene).await;
        let many = (0..MANY).map(|each| command(account, "words", 1, &format!("{key}{each}")));
        let last = command(other, "words", 1, key);
        let batch: Vec<_> = many.chain([last]).collect();
        assert!(scene.services.metering.consume(&batch).await.unwrap().iter().all(Result::is_ok));
    }
    Story { scene, account, first }
}

fn removed(steps: &[Step]) -> Vec<Removed> {
    let removed = steps.iter().filter_map(|step| match step {
        Step::Removed(removed) => Some(*removed),
        Step::Created(_) => None,
    });
    removed.collect()
}

db_test!(a_month_stays_while_a_period_is_open_and_then_goes_whole_and_alone, async |fresh: &Fresh| {
    let Story { scene, account, first } = told(fresh).await;
    let used = async || -> i64 {
        let (from, to) = (first.start(), first.later(6).start());
        let rows =
            scene.services.metering.summarise((account, None), GroupBy::Meter, Some(from), Some(to)).await.unwrap();
        rows.iter().map(|row| row.quantity).sum()
    };
    let total = used().await;
    assert_eq!(removed(&steps(&scene).await), [], "old enough, and every period is open");
    close_periods_before(fresh, first.start()).await;
    assert!(
        !removed(&steps(&scene).await).contains(&Removed::Month(first)),
        "a period that began in the month is open"
    );

    close_periods_before(fresh, first.end() + TimeDelta::minutes(6)).await;
    let gone = removed(&steps(&scene).await);
    if partitions(&scene).await.is_some() {
        assert_eq!(gone, [Removed::Month(first)]);
        assert!(!partitions(&scene).await.unwrap().contains(&first));
    } else {
        let rows = |removed: &Removed| if let Removed::Rows(_, rows) = removed { *rows } else { 0 };
        let mut rows: Vec<u64> = gone.iter().map(rows).collect();
        rows.sort_unstable();
        assert_eq!(rows, [1, 100, 1_000], "in bounded steps");
    }
    let kept = keys_of_all(&scene, account).await;
    assert_eq!(kept.len(), 2 * MANY, "exactly the month went");
    assert!(kept.iter().all(|key| !key.starts_with('a')));
    assert_eq!(used().await, total, "sums stay");
    assert_eq!(removed(&steps(&scene).await), [], "nothing is left to do");
});

async fn keys_of_all(scene: &Scene, account: AccountId) -> Vec<String> {
    let (mut keys, mut before) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit: 200, before };
        let page = scene.services.metering.list_usage(account, &UsageFilter::default(), page).await.unwrap();
        before = page.rows.last().map(|row| row.id.as_uuid());
        if page.rows.is_empty() {
            return keys;
        }
        keys.extend(page.rows.into_iter().map(|row| row.key));
    }
}

db_test!(a_key_never_works_twice_even_when_its_row_is_gone, async |fresh: &Fresh| {
    let Story { scene, account, first } = told(fresh).await;
    close_periods_before(fresh, first.end() + TimeDelta::minutes(6)).await;
    steps(&scene).await;
    let before = scene.quota(account, "words").await.used;
    let batch = [("a7", 1), ("a7", 2), ("b7", 1), ("b7", 1), ("new", 1)]
        .map(|(key, atoms)| command(account, "words", atoms, key));
    let outcomes = scene.services.metering.consume(&batch).await.unwrap();
    assert!(matches!(outcomes[0], Err(Rejection::ReceiptDeleted(_))), "{:?}", outcomes[0]);
    assert_eq!(outcomes[1], Err(Rejection::KeyReused));
    assert!(outcomes[2].as_ref().unwrap().duplicate);
    assert_eq!(outcomes[3], outcomes[2], "twice in one batch");
    assert!(!outcomes[4].as_ref().unwrap().duplicate);
    assert_eq!(scene.quota(account, "words").await.used, before.checked_add(Quantity::atoms(1)).unwrap());
});

db_test!(processes_that_do_it_at_once_make_each_month_once_and_delete_it_once, async |fresh: &Fresh| {
    let Story { scene, first, .. } = told(fresh).await;
    let account = scene.customer(Some("professional")).await.account;
    scene.move_clock(middle(first.later(20)));
    scene.consume_one(command(account, "words", 1, "far")).await.unwrap();
    close_periods_before(fresh, first.later(2).start()).await;
    let others = futures_util::future::join_all((0..3).map(|_| Scene::with(&fresh.url, &KEPT_35_DAYS))).await;
    let at_once = others.iter().map(async |other| {
        other.move_clock(scene.now());
        other.services.retention.create_ahead().await.unwrap();
        let first_kept = other.services.retention.first_kept().await.unwrap().unwrap();
        let mut last = None;
        while let Some(removed) = other.services.retention.remove_next(first_kept, last).await.unwrap() {
            last = Some(removed);
        }
    });
    futures_util::future::join_all(at_once).await;
    let left = partitions(&scene).await.unwrap_or_default();
    assert!(left.windows(2).all(|pair| pair[0] < pair[1]), "{left:?}");
    assert_eq!(left.contains(&first.later(20)), !left.is_empty());
    assert!(!left.contains(&first));
    assert_eq!(keys_listed(&scene, account).await, ["far"]);
});

/// A call that waits for longer is stuck behind a lock; the databases would let it wait for minutes and days.
const LONGEST: Duration = Duration::from_secs(30);

db_test!(use_goes_on_while_months_are_made_and_deleted, async |fresh: &Fresh| {
    let scene = Arc::new(Scene::with(&fresh.url, &KEPT_35_DAYS).await);
    let this = Month::of(scene.now());
    steps(&scene).await;
    let clients = (0..4).map(|client| {
        let scene = scene.clone();
        tokio::spawn(async move {
            let account = scene.customer(None).await.account;
            let mut longest = Duration::ZERO;
            for each in 0..60 {
                let started = Instant::now();
                let words = command(account, "words", 1, &format!("{client}-{each}"));
                scene.consume_one(words.clone()).await.unwrap();
                assert!(scene.consume_one(words).await.unwrap().duplicate);
                longest = longest.max(started.elapsed());
            }
            (account, longest)
        })
    });
    let clients: Vec<_> = clients.collect();
    for ahead in 4..10 {
        let (make, drop) = (this.later(ahead), this.later(ahead - 3));
        change(&scene, make, true).await;
        change(&scene, drop, false).await;
    }
    for client in futures_util::future::join_all(clients).await {
        let (account, longest) = client.unwrap();
        assert_eq!(scene.quota(account, "words").await.used, Quantity::atoms(60));
        assert!(longest < LONGEST, "a call took {longest:?}");
    }
});

/// Makes or drops a month as often as it takes.
async fn change(scene: &Scene, month: Month, make: bool) {
    for attempt in 0.. {
        assert!(attempt < 50, "{month} could not be changed");
        let work = scene.services.store.begin().await.unwrap();
        let months = work.usage_months();
        let changed = if make { months.create(month).await } else { months.drop_partition(month).await };
        if changed.is_ok() && work.commit().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
