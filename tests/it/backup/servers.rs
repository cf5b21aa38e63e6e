//! The databases' own tools, as `docs/operations.md` names them, under load.

use super::{Load, goes_on};
use harness::databases::{Server, empty, server};
use std::process::{Command, Stdio};

/// Runs one program into another.
fn pipe(mut from: Command, mut into: Command) {
    let mut dumping = from.stdout(Stdio::piped()).spawn().unwrap();
    let restored = into.stdin(dumping.stdout.take().unwrap()).stdout(Stdio::null()).status().unwrap();
    assert!(dumping.wait().unwrap().success(), "the dump failed");
    assert!(restored.success(), "the restore failed");
}

#[tokio::test]
#[ignore = "needs TEST_POSTGRES_URL, pg_dump and pg_restore"]
async fn a_dump_of_a_postgres_that_is_written_to_is_whole() {
    let fresh = server("TEST_POSTGRES_URL").await;
    let restored = empty(Server::Postgres).await;
    let load = Load::start(&fresh).await;
    load.go_on().await;
    let (from, into) = (fresh.url.clone(), restored.url.clone());
    let copying = tokio::task::spawn_blocking(move || {
        let (mut dump, mut restore) = (Command::new("pg_dump"), Command::new("pg_restore"));
        dump.args(["-Fc", "--dbname", &from]);
        restore.args(["--exit-on-error", "--no-owner", "--dbname", &into]);
        pipe(dump, restore);
    });
    copying.await.unwrap();
    load.go_on().await;
    let accounts = load.accounts.clone();
    load.stop().await;
    let restored = restored.migrated().await;
    goes_on(&restored.url, &accounts).await;
    restored.discard().await;
    fresh.discard().await;
}

/// Host, port, user and database of `mysql://USER@HOST:PORT/NAME`.
fn parts(url: &str) -> Vec<String> {
    let rest = url.strip_prefix("mysql://").unwrap();
    let (user, rest) = rest.split_once('@').unwrap();
    let (host, name) = rest.split_once('/').unwrap();
    let (host, port) = host.split_once(':').unwrap_or((host, "3306"));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let password = format!("--password={password}");
    ["--host", host, "--port", port, "--user", user, &password, name].map(str::to_owned).to_vec()
}

#[tokio::test]
#[ignore = "needs TEST_MARIADB_URL, mariadb-dump and mariadb"]
async fn a_dump_of_a_mariadb_that_is_written_to_is_whole() {
    let fresh = server("TEST_MARIADB_URL").await;
    let restored = empty(Server::MariaDb).await;
    let load = Load::start(&fresh).await;
    load.go_on().await;
    let (from, into) = (parts(&fresh.url), parts(&restored.url));
    let copying = tokio::task::spawn_blocking(move || {
        let (mut dump, mut restore) = (Command::new("mariadb-dump"), Command::new("mariadb"));
        dump.arg("--single-transaction").args(from);
        restore.args(into);
        pipe(dump, restore);
    });
    copying.await.unwrap();
    load.go_on().await;
    let accounts = load.accounts.clone();
    load.stop().await;
    let restored = restored.migrated().await;
    goes_on(&restored.url, &accounts).await;
    restored.discard().await;
    fresh.discard().await;
}
