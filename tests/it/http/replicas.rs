//! Several servers on one database.

use domain::accounts::KeyWish;
use harness::app::TestApp;
use harness::databases::Fresh;
use harness::db_test;
use std::time::{Duration, Instant};

/// What the operations manual promises.
const REVOKED_EVERYWHERE_WITHIN: Duration = Duration::from_secs(5);

db_test!(
    a_key_that_one_replica_revoked_is_refused_there_at_once_and_everywhere_in_five_seconds,
    async |fresh: &Fresh| {
        let one = TestApp::new(&fresh.url).await;
        let two = one.replica(&fresh.url).await;
        let user = one.user(None).await;
        let key = one.key(&user, KeyWish::default()).await;
        for app in [&one, &two] {
            app.by(&key).get("/quota").await.expect(200);
        }
        let id = one.by(&user.token).get("/api-keys").await.expect(200).text("/data/0/id");
        one.by(&user.token).delete(&format!("/api-keys/{id}")).await.expect(204);
        let revoked = Instant::now();
        one.by(&key).get("/quota").await.expect(401);
        while two.by(&key).get("/quota").await.status != 401 {
            assert!(revoked.elapsed() < REVOKED_EVERYWHERE_WITHIN);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
);
