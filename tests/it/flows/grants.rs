//! Grants: drawn after the allowance, in their order, only for their models, until they expire.

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::GrantId;
use domain::metering::{Consume, Dimensions, Source};
use domain::plans::MeterCode;
use domain::quantity::Quantity;
use domain::quota::{Grant, GrantOrigin};
use domain::store::StoreError;
use harness::databases::Fresh;
use harness::db_test;
use harness::scene::{Customer, Scene, command};

fn grant(customer: &Customer, atoms: i64, reference: &str, now: DateTime<Utc>) -> Grant {
    Grant {
        id: GrantId::new(now),
        account: customer.account,
        meter: MeterCode::parse("words").unwrap(),
        origin: GrantOrigin::Pack,
        reference: reference.to_owned(),
        priority: 50,
        quantity: Quantity::atoms(atoms),
        remaining: Quantity::atoms(atoms),
        held: Quantity::ZERO,
        revoked: Quantity::ZERO,
        revoked_at: None,
        models: None,
        expires_at: None,
        created_at: now,
    }
}

async fn give(scene: &Scene, grant: &Grant) -> Result<(), StoreError> {
    let work = scene.services.store.begin().await?;
    work.accounts().lock(grant.account).await?;
    work.grants().insert(grant).await?;
    work.commit().await
}

fn with_model(command: Consume, model: &str) -> Consume {
    let dimensions = Dimensions::new([("model".to_owned(), model.to_owned())].into()).unwrap();
    Consume { dimensions, ..command }
}

async fn grants_pay_in_their_order_and_only_for_their_models(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(None).await;
    let now = scene.now();
    let soon = Grant { expires_at: Some(now + TimeDelta::days(1)), ..grant(&customer, 100, "soon", now) };
    let picky = Grant { models: Some(vec!["m1".into()]), priority: 0, ..grant(&customer, 50, "picky", now) };
    let lasting = grant(&customer, 100, "lasting", now);
    for grant in [&lasting, &picky, &soon] {
        give(&scene, grant).await.unwrap();
    }
    assert!(matches!(give(&scene, &grant(&customer, 1, "soon", now)).await, Err(StoreError::Duplicate)));
    assert_eq!(scene.quota(customer.account, "words").await.granted, Quantity::atoms(250));

    let command = |atoms, key: &str| command(customer.account, "words", atoms, key);
    let other = scene.consume_one(with_model(command(30_120, "other"), "m2")).await.unwrap();
    let paid: Vec<_> = other.record.parts().iter().map(|part| (part.source, part.quantity.as_atoms())).collect();
    let expected = [(Source::Allowance, 30_000), (Source::Grant(soon.id), 100), (Source::Grant(lasting.id), 20)];
    assert_eq!(paid, expected);
    let picked = scene.consume_one(with_model(command(60, "picked"), "m1")).await.unwrap();
    let paid: Vec<_> = picked.record.parts().iter().map(|part| (part.source, part.quantity.as_atoms())).collect();
    assert_eq!(paid, [(Source::Grant(picky.id), 50), (Source::Grant(lasting.id), 10)]);
    let repeated = scene.consume_one(with_model(command(60, "picked"), "m1")).await.unwrap();
    assert!(repeated.duplicate);
    assert_eq!(repeated.record.parts(), picked.record.parts());

    assert!(scene.consume_one(command(71, "too much")).await.is_err());
    scene.consume_one(command(70, "the rest")).await.unwrap();
    let quota = scene.quota(customer.account, "words").await;
    assert_eq!((quota.granted.as_atoms(), quota.remaining), (250, Some(Quantity::ZERO)));
}

db_test!(drawing, grants_pay_in_their_order_and_only_for_their_models);

async fn an_expired_grant_pays_nothing(fresh: &Fresh) {
    let scene = Scene::new(&fresh.url).await;
    let customer = scene.customer(None).await;
    let now = scene.now();
    let short = Grant { expires_at: Some(now + TimeDelta::hours(1)), ..grant(&customer, 100, "short", now) };
    give(&scene, &short).await.unwrap();
    scene.move_clock(now + TimeDelta::hours(1));
    assert!(scene.consume_one(command(customer.account, "words", 30_001, "k")).await.is_err());
    assert_eq!(scene.quota(customer.account, "words").await.granted, Quantity::ZERO);
}

db_test!(expiry, an_expired_grant_pays_nothing);
