#![expect(clippy::unwrap_used, reason = "a test may fail")]
//! What the simulation found about tariffs that change within a period.

use chrono::TimeDelta;
use domain::accounts::AccountRef;
use domain::actor::Actor;
use domain::billing::{BillKind, LineKind};
use domain::idempotency::IdempotentRequest;
use domain::metering::{Consume, Dimensions, UsageKey};
use domain::plans::{MeterCode, PlanCode, PlanWish};
use domain::quantity::Quantity;
use simulation::core::Sim;
use simulation::db::OUTSIDE;
use simulation::faults::Plan;
use simulation::runner::{block_on, start};
use simulation::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

async fn buy(world: &World, customer: &Actor, plan: &str) {
    let billing = &world.replicas[0].billing;
    let wish = PlanWish { plan: PlanCode::parse(plan).unwrap(), interval: None, seats: None };
    let bought = billing.subscribe(customer, &AccountRef::Default, &wish, None).await.unwrap();
    let bill = bought.bill.unwrap().bill.id;
    let (user, fingerprint) = (world.operators[0].user, String::new());
    let once = IdempotentRequest { user, scope: "test", key: plan.to_owned(), fingerprint };
    billing.pay_outside(&world.operators[0], bill, None, &once).await.unwrap();
}

async fn call(world: &World, customer: &Actor, quantity: i64) {
    let command = Consume {
        account: customer.personal_account,
        meter: MeterCode::parse("calls").unwrap(),
        quantity: Quantity::atoms(quantity),
        key: UsageKey::parse("k").unwrap(),
        occurred_at: None,
        dimensions: Dimensions::default(),
        user: Some(customer.user),
        api_key: None,
        key_is_limited: false,
    };
    world.replicas[0].metering.consume(&[command]).await.unwrap()[0].as_ref().unwrap();
}

/// Calls beyond ten are owed on `pro`, and paid from the wallet on `max`.
#[test]
fn what_was_owed_on_a_plan_is_billed_by_its_tariff_also_when_nothing_is_used_on_the_next() {
    let sim = Arc::new(Sim::new(start(), Plan::Listed(BTreeMap::new()), None));
    let world = sim.clone();
    let world = block_on(async move { World::build(world, 1).await }).unwrap().unwrap();
    let world = block_on(async move {
        let customer = world.customers[0].clone();
        buy(&world, &customer, "pro").await;
        call(&world, &customer, 15).await;
        world.sim.advance(TimeDelta::hours(1));
        buy(&world, &customer, "max").await;
        world.sim.advance(TimeDelta::days(40));
        let billing = &world.replicas[0].billing;
        world.replicas[0].metering.roll_over_due(0).await.unwrap();
        billing.close_due(billing.due_periods(), 0).await.unwrap();
        world
    })
    .unwrap();
    let core = world.sim.lock();
    let month = core.tables.bills.values(OUTSIDE).find(|issued| issued.bill.kind == BillKind::Month).unwrap();
    let lines: Vec<_> = month.lines.iter().map(|line| (line.kind, line.amount.to_decimal())).collect();
    assert_eq!(lines, [(LineKind::Overage, "0.50".to_owned())]);
}
