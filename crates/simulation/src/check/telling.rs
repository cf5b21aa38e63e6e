//! Events are told in their order, and none is lost: what was delivered was received.

use super::{Found, hold, same};
use crate::db::OUTSIDE;
use crate::world::World;
use domain::notices::DeliveryStatus;
use std::collections::{BTreeMap, BTreeSet};

/// In a lane nothing is delivered before what came earlier.
pub fn lanes_keep_their_order(world: &World) -> Found {
    let core = world.sim.lock();
    let got = world.receivers.got();
    let received: BTreeSet<&str> = got.keys().map(|(_, id)| id.as_str()).collect();
    let told = core.tables.outbox.values(OUTSIDE).filter(|(_, told)| told.is_some());
    let told: BTreeSet<_> = told.map(|(event, _)| event.id).collect();
    let mut waits: BTreeMap<_, i64> = BTreeMap::new();
    for ((lane, position), delivery) in core.tables.deliveries.iter(OUTSIDE) {
        match delivery.status {
            DeliveryStatus::Waiting => drop(waits.entry(*lane).or_insert(*position)),
            DeliveryStatus::Delivered => {
                let earlier = waits.get(lane);
                hold(earlier.is_none(), || format!("{} is delivered before {earlier:?} of {lane}", delivery.id))?;
                let received = received.contains(delivery.event.to_string().as_str());
                hold(received, || format!("{} is said to be delivered, and nobody has it", delivery.id))?;
            }
            DeliveryStatus::Dead | DeliveryStatus::Cancelled => {}
        }
        hold(told.contains(&delivery.event), || format!("{} is of an event that was not fanned out", delivery.id))?;
    }
    // What waits in a lane has a time at which somebody will look after it.
    for lane in waits.keys() {
        let due = core.tables.lanes.get(OUTSIDE, lane).is_some_and(|row| row.due_at.is_some());
        hold(due, || format!("deliveries wait in {lane}, which is at rest"))?;
    }
    Ok(())
}

/// Once all is quiet every event was fanned out, with its notice, and nothing waits.
pub fn all_was_told(world: &World) -> Found {
    let core = world.sim.lock();
    let waiting = core.tables.outbox.values(OUTSIDE).filter(|(_, told)| told.is_none()).count();
    same(&waiting, &0, || "events that wait".to_owned())?;
    let waiting = core.tables.deliveries.values(OUTSIDE).filter(|row| row.status == DeliveryStatus::Waiting).count();
    same(&waiting, &0, || "deliveries that wait".to_owned())?;
    let notices: BTreeMap<_, u32> = core.tables.notices.values(OUTSIDE).map(|row| (row.position, 1)).collect();
    let events = core.tables.outbox.values(OUTSIDE).map(|(event, _)| event);
    let mut lost = events.filter(|event| !notices.contains_key(&event.position));
    let lost = lost.next().map(|event| (event.id, event.kind.clone()));
    hold(lost.is_none(), || format!("an event without a notice: {lost:?}"))
}
