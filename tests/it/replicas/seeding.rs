//! What a server says that seeds before it listens.

use super::process::Process;

#[tokio::test]
async fn a_seeding_start_warns_once_of_the_missing_encryption_key() {
    let fresh = harness::databases::sqlite().await;
    let url = fresh.url.clone();
    let log = tokio::task::spawn_blocking(move || Process::start_seeding(&url).log()).await.unwrap();
    assert_eq!(log.matches("security.encryption_keys is empty").count(), 1, "{log}");
}
