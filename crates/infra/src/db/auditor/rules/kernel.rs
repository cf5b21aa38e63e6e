//! What every part writes beside its effect: audit rows, events and their deliveries, answers to repeated requests.

use super::Invariant;

pub(super) const RULES: &[Invariant] = &[
    Invariant::chain("A-1", "the audit log is one chain without a changed, moved or missing row"),
    Invariant::whole(
        "J-1",
        "a remembered request has its fingerprint and its answer",
        "SELECT user_id AS id, CONCAT(scope, ' ', idempotency_key) AS detail FROM idempotency_keys \
         WHERE fingerprint = '' OR answer = ''",
    ),
    Invariant::whole(
        "J-3",
        "what is delivered was handed out, once to each destination",
        "SELECT d.account_id AS account, d.id AS id, CONCAT(d.kind, ' at ', d.position) AS detail FROM deliveries d \
         JOIN outbox o ON o.id = d.event_id \
         WHERE o.fanned_out_at IS NULL OR o.account_id <> d.account_id OR o.position <> d.position",
    ),
    Invariant::whole(
        "J-3-lane",
        "a delivery that waits stands in a lane that will be looked at",
        "SELECT d.account_id AS account, d.id AS id, CONCAT(d.kind, ' at ', d.position) AS detail FROM deliveries d \
         LEFT JOIN delivery_lanes l ON l.id = d.lane_id \
         WHERE d.status = 'waiting' AND (l.id IS NULL OR l.due_at IS NULL OR l.account_id <> d.account_id)",
    ),
    Invariant::whole(
        "J-3-notice",
        "a notice comes from an event that was handed out",
        "SELECT n.account_id AS account, n.id AS id, CONCAT(n.kind, ' at ', n.position) AS detail FROM notices n \
         JOIN outbox o ON o.position = n.position \
         WHERE o.fanned_out_at IS NULL OR o.account_id <> n.account_id OR o.kind <> n.kind",
    ),
    Invariant::timed(
        "J-4",
        "no event waits for longer than a minute to be handed out",
        "SELECT account_id AS account, id AS id, CONCAT(kind, ' since ', created_at) AS detail FROM outbox \
         WHERE fanned_out_at IS NULL AND created_at < {a minute ago}",
    ),
];
