//! Copies of a database that is written to meanwhile: restored, nothing in them is violated, and a server goes on from
//! there.

mod servers;

use domain::id::AccountId;
use harness::auditor::violations;
use harness::databases::Fresh;
use harness::scene::{Scene, command, settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinHandle;

const WRITERS: usize = 4;
const COPIES: usize = 5;
/// Units of work between two copies, at least.
const BETWEEN: usize = 20;

/// Writers that go on until they are stopped.
pub struct Load {
    pub accounts: Vec<AccountId>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    pub async fn start(fresh: &Fresh) -> Self {
        let scene = Arc::new(Scene::new(&fresh.url).await);
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (mut accounts, mut writers) = (Vec::new(), Vec::new());
        for _ in 0..WRITERS {
            let account = scene.customer(Some("professional")).await.account;
            accounts.push(account);
            writers.push(tokio::spawn(write(scene.clone(), account, stop.clone(), done.clone())));
        }
        Self { accounts, stop, done, writers }
    }

    /// Waits until so many more units of work are there.
    pub async fn go_on(&self) {
        let goal = self.done.load(Ordering::Relaxed) + BETWEEN;
        while self.done.load(Ordering::Relaxed) < goal {
            tokio::task::yield_now().await;
        }
    }

    pub async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.unwrap();
        }
    }
}

async fn write(scene: Arc<Scene>, account: AccountId, stop: Arc<AtomicBool>, done: Arc<AtomicUsize>) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        scene.consume_one(command(account, "words", 3, &number.to_string())).await.unwrap();
        scene.fund(account, 1_000_000_000).await;
        scene.tell(account, number..number + 1).await;
        number += 1;
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Nothing is violated in a copy, the first use is in it, and a server goes on from it.
pub async fn goes_on(url: &str, accounts: &[AccountId]) {
    let found = violations(url).await;
    assert!(found.is_empty(), "{found:#?}");
    let scene = Scene::new(url).await;
    for account in accounts {
        let again = scene.consume_one(command(*account, "words", 3, "0")).await.unwrap();
        assert!(again.duplicate, "what was used before the copy is known in it");
        assert!(!scene.consume_one(command(*account, "words", 3, "after the restore")).await.unwrap().duplicate);
        assert!(scene.purse(*account).await.0 > 0);
    }
    assert!(violations(url).await.is_empty());
}

#[tokio::test]
async fn copies_of_a_sqlite_database_that_is_written_to_are_whole() {
    let fresh = harness::databases::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let load = Load::start(&fresh).await;
    let mut sizes = Vec::new();
    for copy in 0..COPIES {
        load.go_on().await;
        let file = folder.path().join(format!("{copy}.db"));
        let made = api::cli::backup(&settings(&fresh.url, &[]), &file, true, |_| {}).await.unwrap();
        assert!(made.invariants > 80 && made.bytes == std::fs::metadata(&file).unwrap().len());
        sizes.push(made.bytes);
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), copy + 1, "nothing is left beside the copies: {names:?}");
    }
    assert!(sizes.is_sorted());
    let accounts = load.accounts.clone();
    load.stop().await;
    for copy in 0..COPIES {
        goes_on(&format!("sqlite://{}", folder.path().join(format!("{copy}.db")).display()), &accounts).await;
    }
    fresh.discard().await;
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_keeps_the_name_from_a_copy_that_violates_something() {
    use sea_orm::ConnectionTrait;
    let fresh = harness::databases::sqlite().await;
    let scene = Scene::new(&fresh.url).await;
    let account = scene.customer(None).await.account;
    scene.consume_one(command(account, "words", 3, "a")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    let settings = settings(&fresh.url, &[]);
    std::fs::write(&file, "somebody's").unwrap();
    let refused = api::cli::backup(&settings, &file, true, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("never overwrites"), "{refused:#}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's");
    std::fs::remove_file(&file).unwrap();
    let plain = sea_orm::Database::connect(&fresh.url).await.unwrap();
    plain.execute_unprepared("UPDATE quota_counters SET from_allowance = from_allowance + 1").await.unwrap();
    let violated = api::cli::backup(&settings, &file, true, |_| {}).await.unwrap_err();
    assert!(violated.to_string().contains("violations"), "{violated:#}");
    assert!(!file.exists() && folder.path().join("copy.db.partial").exists());
    api::cli::backup(&settings, &file, false, |_| {}).await.unwrap();
    assert!(file.exists() && !folder.path().join("copy.db.partial").exists());
}

#[tokio::test]
async fn for_a_server_another_tool_is_named_and_no_password() {
    let settings = settings("postgres://a:topsecret@db.example/x", &[]);
    let refused = api::cli::backup(&settings, std::path::Path::new("/nowhere/copy"), true, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("pg_dump") && !format!("{refused:#}").contains("topsecret"));
}
