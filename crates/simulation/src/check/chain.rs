//! The audit chain has no gap, and effects are told and recorded once.

use super::{Found, hold, same};
use crate::core::Core;
use crate::db::OUTSIDE;
use domain::audit_chain::GENESIS;
use std::collections::BTreeMap;

pub fn audit_is_whole(core: &Core) -> Found {
    let mut last = (0, GENESIS.to_owned());
    for (position, (_, row)) in core.tables.audit.iter(OUTSIDE) {
        same(position, &(last.0 + 1), || "the next position of the audit chain".to_owned())?;
        same(&row.previous_hash, &last.1, || format!("what audit row {position} follows"))?;
        last = (*position, row.hash.clone());
    }
    let head = core.tables.audit_head.get(OUTSIDE, &0).map(|head| (head.position, head.hash.clone()));
    same(&head.unwrap_or((0, GENESIS.to_owned())), &last, || "the head of the audit chain".to_owned())
}

/// Each warning, debt, grant and adjustment has its event or its audit row, once.
pub fn effects_are_told_once(core: &Core) -> Found {
    let mut events: BTreeMap<(&str, String), u32> = BTreeMap::new();
    for (event, _) in core.tables.outbox.values(OUTSIDE) {
        let named = ["warning", "debt"].iter().find_map(|name| event.payload.get(*name)?.as_str());
        if let Some(id) = named {
            *events.entry((event.kind.as_str(), id.to_owned())).or_default() += 1;
        }
    }
    let mut once = |kind: &'static str, id: String| {
        let found = events.remove(&(kind, id.clone())).unwrap_or(0);
        same(&found, &1, || format!("events {kind} of {id}"))
    };
    for warning in core.tables.warnings.values(OUTSIDE) {
        once("quota.warning", warning.id.to_string())?;
    }
    for debt in core.tables.debts.values(OUTSIDE) {
        once("reservation.shortfall", debt.id.to_string())?;
    }
    hold(events.is_empty(), || format!("events of nothing: {events:?}"))?;
    let mut acts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for (row, _) in core.tables.audit.values(OUTSIDE) {
        *acts.entry((row.event.action.as_str(), row.event.target.as_str())).or_default() += 1;
    }
    let act = |action: &'static str, id: String| {
        let found = acts.get(&(action, id.as_str())).copied().unwrap_or(0);
        same(&found, &1, || format!("audit rows {action} of {id}"))
    };
    for grant in core.tables.grants.values(OUTSIDE) {
        if grant.origin == domain::quota::GrantOrigin::Manual {
            act("grant.give", grant.id.to_string())?;
        }
    }
    core.tables.adjustments.values(OUTSIDE).try_for_each(|row| act("wallet.adjust", row.id.to_string()))
}

/// An answer is kept once for each user, scope and key, and belongs to what was asked.
pub fn answers_are_of_one_request(core: &Core) -> Found {
    for ((_, scope, key), (answer, _)) in core.tables.answers.iter(OUTSIDE) {
        hold(!answer.answer.is_empty(), || format!("{scope} {key} has no answer"))?;
    }
    Ok(())
}
