//! A notice: an event as the members of its account see it, read or not.

use super::topic::TEST_EVENT;
use crate::id::{AccountId, NoticeId};
use crate::outbox::StoredEvent;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// That of its event: told twice, it is still one notice.
    pub id: NoticeId,
    pub account: AccountId,
    /// The event's kind.
    pub kind: String,
    pub payload: Value,
    /// The event's place in the outbox; notices are listed by it.
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
}

impl Notice {
    /// The notice of an event; a trial of an endpoint is nobody's news.
    pub fn of(event: &StoredEvent) -> Option<Self> {
        (event.kind != TEST_EVENT).then(|| Self {
            id: NoticeId::from_uuid(event.id.as_uuid()),
            account: event.account,
            kind: event.kind.clone(),
            payload: event.payload.clone(),
            position: event.position,
            created_at: event.created_at,
            read_at: None,
        })
    }
}

/// A place in a list that is ordered by position, as the cursor of a page.
pub fn cursor(position: i64) -> Uuid {
    Uuid::from_u128(u128::from(position.unsigned_abs()))
}

/// The position of a cursor; beyond every row for what is none of ours.
pub fn position(cursor: Uuid) -> i64 {
    i64::try_from(cursor.as_u128()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_strange_one_begins_at_the_top() {
        for place in [0, 1, 42, i64::MAX] {
            assert_eq!(position(cursor(place)), place);
        }
        assert_eq!(position(Uuid::max()), i64::MAX);
    }
}
