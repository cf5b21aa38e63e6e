//! What expired is swept, and nothing before.

use chrono::TimeDelta;
use domain::idempotency::IdempotentRequest;
use domain::quota::GrantWish;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::Scene;

fn words() -> GrantWish {
    GrantWish {
        meter: "words".to_owned(),
        quantity: "5".to_owned(),
        priority: None,
        models: None,
        expires_at: None,
        reason: None,
    }
}

db_test!(an_idempotency_key_answers_for_seven_days, async |fresh: &Fresh| {
    let scene = Scene::new(&fresh.url).await;
    let (operator, account) = (scene.operator(), scene.customer(None).await.account);
    let (key, fingerprint) = ("week".to_owned(), "print".to_owned());
    let request = IdempotentRequest { user: operator.user, scope: "POST /admin/grants", key, fingerprint };
    let start = scene.now();
    for (days, replayed) in [(0, false), (6, true), (8, false)] {
        if days > 0 {
            scene.move_clock(start + TimeDelta::days(days));
        }
        api::loops::sweep(&scene.services).await.unwrap();
        let given = scene.services.grants.give(&operator, account, &words(), &request).await.unwrap();
        assert_eq!(given.replayed, replayed, "after {days} days");
    }
});
