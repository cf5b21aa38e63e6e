//! `suanpan rotate-encryption`, killed again and again in the middle, and then run to its end.

use super::process::Running;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use domain::id::UserId;
use domain::identity::{IdNumber, LegalIdentity, RealName, Verification};
use domain::sealed::SealedColumn;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;
use std::time::Duration;

/// Three ciphertexts each, which is many transactions of two hundred.
const IDENTITIES: usize = 1200;
const KILLS: u64 = 3;
/// On a busy machine a command may be over before it is killed; then it is turned back and tried again.
const TRIES: usize = 8;

struct Keys {
    old: String,
    new: String,
}

impl Keys {
    fn new() -> Self {
        let key = |name: &str, fill: u8| format!("{name}:{}", STANDARD.encode([fill; 32]));
        Self { old: key("a", 1), new: key("b", 2) }
    }

    /// Settings with these keys, the first of which encrypts.
    async fn scene(fresh: &Fresh, keys: &str) -> Scene {
        let settings = [("SUANPAN__SECURITY__ENCRYPTION_KEYS", keys), ("SUANPAN__VERIFICATION__ENABLED", "true")];
        Scene::with(&fresh.url, &settings).await
    }

    fn both(&self) -> String {
        [self.new.as_str(), &self.old].join(",")
    }

    fn back(&self) -> String {
        [self.old.as_str(), &self.new].join(",")
    }
}

/// A number with this running number in it, whose last character fits.
fn id_number(running: usize) -> IdNumber {
    let day = NaiveDate::from_ymd_opt(1980, 1, 1).unwrap() + chrono::Days::new(running as u64 / 1000);
    let first = format!("110105{}{:03}", day.format("%Y%m%d"), running % 1000);
    let today = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    let mut found = "0123456789X".chars().filter_map(|last| IdNumber::parse(&format!("{first}{last}"), today).ok());
    found.next().unwrap()
}

fn identity(running: usize) -> LegalIdentity {
    LegalIdentity { real_name: RealName::parse("金丝雀").unwrap(), id_number: id_number(running) }
}

async fn fill(scene: &Scene) -> Vec<UserId> {
    let now = scene.now();
    let work = scene.services.store.begin().await.unwrap();
    let mut users = Vec::with_capacity(IDENTITIES);
    for running in 0..IDENTITIES {
        let user = UserId::new(now);
        let sealed = scene.services.verifications.vault.seal(user, &identity(running), now).unwrap();
        work.verifications().insert(&sealed).await.unwrap();
        users.push(user);
    }
    work.commit().await.unwrap();
    users
}

/// How many ciphertexts of the identities are not under the key of this name.
async fn not_under(scene: &Scene, name: &str) -> u64 {
    let mut count = 0;
    for column in [SealedColumn::RealName, SealedColumn::IdNumber, SealedColumn::IdentityMask] {
        count += scene.services.store.sealed().count_stale(column, &format!("v1.{name}.")).await.unwrap();
    }
    count
}

/// Starts the command and kills it once it has encrypted something; false when it was over before.
async fn cut_off(fresh: &Fresh, scene: &Scene, keys: &Keys) -> bool {
    let before = not_under(scene, "b").await;
    let environment = [("SUANPAN__SECURITY__ENCRYPTION_KEYS", keys.both())];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut running = Running::start(&fresh.url, "rotate-encryption --json", &environment);
    while not_under(scene, "b").await == before && !running.has_ended() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let killed = tokio::task::spawn_blocking(move || running.kill()).await.unwrap();
    let left = not_under(scene, "b").await;
    assert!(left < before);
    killed && left > 0
}

async fn everything_opens(scene: &Scene, users: &[UserId]) {
    for (running, user) in users.iter().enumerate() {
        let found: Verification = scene.services.store.verifications().find(*user).await.unwrap().unwrap();
        let vault = &scene.services.verifications.vault;
        assert_eq!(vault.open(&found).unwrap(), identity(running), "{running}");
        assert_eq!(vault.open_mask(&found).unwrap(), identity(running).masked(), "{running}");
    }
}

async fn a_rotation_that_is_killed_goes_on_where_it_was(fresh: &Fresh) {
    let keys = Keys::new();
    let old = Keys::scene(fresh, &keys.old).await;
    let users = fill(&old).await;
    let both = Keys::scene(fresh, &keys.both()).await;
    let all = 3 * u64::try_from(IDENTITIES).unwrap();
    assert_eq!(not_under(&both, "b").await, all);
    let mut kills = 0;
    for _ in 0..TRIES {
        if cut_off(fresh, &both, &keys).await {
            kills += 1;
            everything_opens(&both, &users).await;
        } else {
            Keys::scene(fresh, &keys.back()).await.services.resealing.reseal_all(|_| ()).await.unwrap();
            kills = 0;
        }
        if kills == KILLS {
            break;
        }
    }
    assert_eq!(kills, KILLS, "the command is killed in the middle");
    let left = not_under(&both, "b").await;
    assert!(left > 0 && left < all, "{left}");
    let (url, value) = (fresh.url.clone(), keys.both());
    let said = tokio::task::spawn_blocking(move || {
        Running::finish(&url, "rotate-encryption --json", &[("SUANPAN__SECURITY__ENCRYPTION_KEYS", &value)])
    });
    let said = said.await.unwrap();
    assert!(said.contains(&format!("{{\"encrypted_anew\":{left},\"left\":0,\"unreadable\":0}}")), "{said}");
    assert_eq!((not_under(&both, "b").await, not_under(&both, "a").await), (0, all));
    everything_opens(&Keys::scene(fresh, &keys.new).await, &users).await;
    let found = old.services.store.verifications().find(users[0]).await.unwrap().unwrap();
    assert!(old.services.verifications.vault.open(&found).is_err(), "the old key opens nothing any more");
}
db_test!(killed, a_rotation_that_is_killed_goes_on_where_it_was);
