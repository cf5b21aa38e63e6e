//! The chain of the audit log: whole whatever runs at once, and broken by whatever is done to it afterwards.

use api::cli::verify;
use domain::actor::Actor;
use domain::audit::{AuditEvent, AuditFilter};
use domain::audit_chain::Broken;
use domain::id::AccountId;
use domain::identity::samples;
use domain::page::PageRequest;
use domain::store::{Repositories, Store, StoreError};
use harness::databases::Fresh;
use harness::db_test;
use infra::db::Database;
use sea_orm::ConnectionTrait;
use serde_json::json;

const WRITERS: i64 = 8;
const UNITS: i64 = 6;

fn event(actor: &Actor, target: &str) -> AuditEvent {
    let detail = json!({"words": "字\u{1F600}", "n": 1});
    AuditEvent::by(actor, "grant.give", target, samples::created_at()).with(detail)
}

/// One unit of work with two events, tried again when units are in each other's way.
async fn write(database: &Database, actor: &Actor) {
    loop {
        let work = database.begin().await.unwrap();
        for target in ["one", "other"] {
            work.audit().append(&event(actor, target)).await.unwrap();
        }
        match work.commit().await {
            Err(StoreError::Contended) => {}
            done => return done.unwrap(),
        }
    }
}

async fn broken(fresh: &Fresh) -> Option<Broken> {
    verify(&fresh.database, None, |_| ()).await.unwrap().broken
}

db_test!(units_of_work_at_once_make_one_unbroken_chain, async |fresh: &Fresh| {
    let actor = samples::user("root").as_actor();
    let writers = (0..WRITERS).map(|_| {
        let (database, actor) = (fresh.database.clone(), actor.clone());
        tokio::spawn(async move {
            for _ in 0..UNITS {
                write(&database, &actor).await;
                // What is not committed leaves no gap.
                let dropped = database.begin().await.unwrap();
                dropped.audit().append(&event(&actor, "dropped")).await.unwrap();
            }
        })
    });
    for writer in futures_util::future::join_all(writers).await {
        writer.unwrap();
    }
    let verified = verify(&fresh.database, None, |_| ()).await.unwrap();
    assert_eq!((verified.rows, verified.broken), (WRITERS * UNITS * 2, None));
    let noted = Some((verified.rows, verified.hash));
    assert_eq!(verify(&fresh.database, noted, |_| ()).await.unwrap().broken, None);
    let other = Some((verified.rows, "0".repeat(64)));
    let found = verify(&fresh.database, other, |_| ()).await.unwrap().broken;
    assert_eq!(found, Some(Broken::Noted { position: verified.rows }));
});

db_test!(an_event_outside_of_a_unit_of_work_is_an_error, async |fresh: &Fresh| {
    let event = event(&samples::user("root").as_actor(), "one");
    assert!(fresh.database.audit().append(&event).await.is_err());
});

db_test!(whatever_is_done_to_the_rows_is_found_at_the_first_of_them, async |fresh: &Fresh| {
    let actor = samples::user("root").as_actor();
    for _ in 0..3 {
        write(&fresh.database, &actor).await;
    }
    let sql = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let run = async |statement: &str| assert!(sql.execute_unprepared(statement).await.unwrap().rows_affected() > 0);
    assert_eq!(broken(fresh).await, None);
    run("UPDATE audit_log SET target = 'two' WHERE position = 2").await;
    assert!(matches!(broken(fresh).await, Some(Broken::Changed { position: 2, .. })));
    run("UPDATE audit_log SET target = 'other' WHERE position = 2").await;
    assert_eq!(broken(fresh).await, None);
    for (position, to) in [(2, 99), (5, 2), (99, 5)] {
        run(&format!("UPDATE audit_log SET position = {to} WHERE position = {position}")).await;
    }
    assert!(matches!(broken(fresh).await, Some(Broken::Changed { position: 2, .. })));
    for (position, to) in [(2, 99), (5, 2), (99, 5)] {
        run(&format!("UPDATE audit_log SET position = {to} WHERE position = {position}")).await;
    }
    assert_eq!(broken(fresh).await, None);
    run("UPDATE audit_log SET position = NULL WHERE position = 6").await;
    assert_eq!(broken(fresh).await, Some(Broken::Head { position: 5, head: 6 }));
    run("UPDATE audit_log SET position = 7 WHERE position IS NULL").await;
    assert!(broken(fresh).await.is_some());
    run("UPDATE audit_log SET position = 6 WHERE position = 7").await;
    run("UPDATE audit_heads SET position = 5").await;
    assert!(matches!(broken(fresh).await, Some(Broken::Head { .. })));
    run("UPDATE audit_heads SET position = 6").await;
    run("DELETE FROM audit_log WHERE position = 4").await;
    assert_eq!(broken(fresh).await, Some(Broken::Missing { position: 4 }));
    run("DELETE FROM audit_log WHERE position = 1").await;
    assert_eq!(broken(fresh).await, Some(Broken::Missing { position: 1 }));
});

db_test!(events_are_found_by_who_did_what_to_what_and_when, async |fresh: &Fresh| {
    let (one, other) = (samples::user("one"), samples::user("other"));
    let account = AccountId::new(samples::created_at());
    let day = |days| samples::created_at() + chrono::TimeDelta::days(days);
    let work = fresh.database.begin().await.unwrap();
    for (user, action, target, days) in
        [(&one, "grant.give", "a", 0), (&other, "grant.give", "b", 1), (&one, "account.update", "b", 2)]
    {
        let event = AuditEvent::by(&user.as_actor(), action, target, day(days));
        let event = if days == 2 { event.on_account(account) } else { event };
        work.audit().append(&event).await.unwrap();
    }
    work.commit().await.unwrap();
    let found = async |filter: AuditFilter| {
        let page = fresh.database.audit().list(&filter, PageRequest::default()).await.unwrap();
        page.rows.iter().map(|recorded| recorded.position.unwrap()).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(found(all()).await, [3, 2, 1]);
    assert_eq!(found(AuditFilter { actor: Some(one.id), ..all() }).await, [3, 1]);
    assert_eq!(found(AuditFilter { action: Some("grant.give".into()), ..all() }).await, [2, 1]);
    assert_eq!(found(AuditFilter { target: Some("b".into()), actor: Some(one.id), ..all() }).await, [3]);
    assert_eq!(found(AuditFilter { account: Some(account), ..all() }).await, [3]);
    assert_eq!(found(AuditFilter { from: Some(day(1)), until: Some(day(2)), ..all() }).await, [2]);
    assert_eq!(found(AuditFilter { from: Some(day(1)), ..all() }).await, [3, 2]);
    let second = PageRequest { limit: 1, before: None };
    let first = fresh.database.audit().list(&all(), second).await.unwrap();
    let next = PageRequest { limit: 5, before: first.next };
    assert_eq!(fresh.database.audit().list(&all(), next).await.unwrap().rows.len(), 2);
});
