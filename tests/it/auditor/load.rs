//! Under load every snapshot is in order, and what is written during an audit is not seen by it.

use super::world::{OPEN, World};
use domain::metering::{Command, Done, End, Ending, Reserve};
use domain::quantity::Quantity;
use domain::teams::JoinPolicy;
use harness::auditor::violations;
use harness::crew::Crew;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Scene, command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const WORKERS: usize = 4;
const AUDITS: usize = 8;
/// Rounds of all workers together while audits run.
const ROUNDS: usize = 40;

/// What runs beside the audits.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    rounds: AtomicUsize,
}

/// Uses, reserves, captures and releases until it is stopped.
async fn work(scene: Arc<Scene>, crew: Crew, worker: usize, load: Arc<Load>) {
    let account = scene.customer(Some("professional")).await.account;
    let mut done = 0;
    while !load.stop.load(Ordering::Relaxed) {
        let key = format!("{worker}-{done}");
        let wanted = crew.command(crew.owner.user, "words", 10, &format!("r{key}"));
        let reserve = Command::Reserve(Reserve { wanted, ttl: chrono::TimeDelta::minutes(5) });
        let batch = [
            Command::Consume(command(account, "words", 40_000, &key)),
            Command::Consume(command(account, "storage", 1_000, &format!("s{key}"))),
            Command::Consume(crew.command(crew.owner.user, "words", 3, &key)),
            reserve,
        ];
        let booked = scene.services.metering.book(&batch).await.unwrap();
        let Some(Ok(Done::Settled(held))) = booked.last() else { unreachable!("{booked:?}") };
        let how = if done % 2 == 0 { Ending::Capture(Quantity::atoms(12)) } else { Ending::Release };
        let end = End { account: crew.account, reservation: held.reservation.id, how, key: None };
        scene.services.metering.book(&[Command::End(end)]).await.unwrap().pop().unwrap().unwrap();
        scene.tell(account, done..done + 1).await;
        done += 1;
        load.rounds.fetch_add(1, Ordering::Relaxed);
    }
}

async fn an_audit_under_load_raises_no_false_alarm(fresh: &Fresh) {
    World::build(fresh).await;
    let scene = Arc::new(Scene::with(&fresh.url, &OPEN).await);
    let owner = scene.people(1).await.remove(0);
    let crew = scene.crew(&owner, 3, JoinPolicy::Open).await;
    let load = Arc::new(Load::default());
    let workers: Vec<_> =
        (0..WORKERS).map(|n| tokio::spawn(work(scene.clone(), crew.clone(), n, load.clone()))).collect();
    let handing_out = {
        let (scene, load) = (scene.clone(), load.clone());
        tokio::spawn(async move {
            while !load.stop.load(Ordering::Relaxed) {
                scene.services.fan_out.round().await.unwrap();
            }
        })
    };
    let mut audits = 0;
    while audits < AUDITS || load.rounds.load(Ordering::Relaxed) < ROUNDS {
        let violations = violations(&fresh.url).await;
        assert!(violations.is_empty(), "audit {audits}: {violations:#?}");
        audits += 1;
    }
    load.stop.store(true, Ordering::Relaxed);
    handing_out.await.unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
}

db_test!(under_load, an_audit_under_load_raises_no_false_alarm);
