//! One event on its way to one destination: how often it was tried, and how that ended.

use crate::id::{AccountId, DeliveryId, LaneId, OutboxId, WebhookEndpointId};
use chrono::{DateTime, Utc};

/// Attempts after which a delivery is a dead letter: about 27 hours of pauses.
pub const MAX_ATTEMPTS: u32 = 12;
const GONE: u16 = 410;

/// A word of a state, as it is stored and shown.
macro_rules! words {
    ($name:ident { $($(#[$note:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|word| word.as_str() == text)
            }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// In its lane, tried or not.
    Waiting,
    Delivered,
    /// Given up; can be replayed.
    Dead,
    /// There is nobody to deliver to any more.
    Cancelled,
}

words!(DeliveryStatus { Waiting = "waiting", Delivered = "delivered", Dead = "dead", Cancelled = "cancelled" });

/// Why an attempt did not succeed. Says no more than the receiver's owner may know about our network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureReason {
    /// The receiver answered, but not with 2xx.
    BadStatus,
    /// The receiver wanted to send us elsewhere; redirects are not followed.
    Redirect,
    Timeout,
    /// No connection: the name is unknown, the port closed, or the certificate not trusted.
    ConnectionFailed,
    /// The name leads to an address that webhooks may not reach.
    AddressRefused,
    /// The mail server refused the message.
    MailRefused,
    /// The endpoint is disabled.
    EndpointDisabled,
    /// The account's owner has no address.
    NoRecipient,
    /// The endpoint was deleted.
    EndpointDeleted,
    /// The event was kept as long as events are.
    EventExpired,
    /// The signing secret cannot be decrypted with the server's keys.
    SecretUnreadable,
}

words!(FailureReason {
    BadStatus = "bad_status",
    Redirect = "redirect",
    Timeout = "timeout",
    ConnectionFailed = "connection_failed",
    AddressRefused = "address_refused",
    MailRefused = "mail_refused",
    EndpointDisabled = "endpoint_disabled",
    NoRecipient = "no_recipient",
    EndpointDeleted = "endpoint_deleted",
    EventExpired = "event_expired",
    SecretUnreadable = "secret_unreadable",
});

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With the status of the answer, where there is one.
    Accepted(Option<u16>),
    /// Worth another attempt.
    Failed(FailureReason, Option<u16>),
    /// Another attempt would fail alike.
    Hopeless(FailureReason),
    /// There is nobody to deliver to.
    Needless(FailureReason),
}

impl Outcome {
    /// What an HTTP status means to the sender of a webhook.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Accepted(Some(status)),
            300..=399 => Self::Failed(FailureReason::Redirect, Some(status)),
            _ => Self::Failed(FailureReason::BadStatus, Some(status)),
        }
    }

    /// Whether the receiver asked for no more events: `410 Gone`, as Standard Webhooks has it.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Failed(_, Some(GONE)))
    }

    /// Whether the lane behind this delivery has to pause.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(..))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub lane: LaneId,
    pub account: AccountId,
    /// Its event's place in the outbox, which is the order of the lane.
    pub position: i64,
    pub event: OutboxId,
    /// The event's kind.
    pub kind: String,
    pub status: DeliveryStatus,
    pub attempts: u32,
    pub response_code: Option<u16>,
    pub failure: Option<FailureReason>,
    pub created_at: DateTime<Utc>,
    pub attempted_at: Option<DateTime<Utc>>,
}

impl Delivery {
    /// The endpoint; `None` for mail, whose lane has the account's id.
    pub fn endpoint(&self) -> Option<WebhookEndpointId> {
        let lane = self.lane.as_uuid();
        (lane != self.account.as_uuid()).then(|| WebhookEndpointId::from_uuid(lane))
    }

    /// After one more attempt that ended so.
    #[must_use]
    pub fn attempted(self, outcome: Outcome, now: DateTime<Utc>) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let tried = Self { attempts, attempted_at: Some(now), response_code: None, ..self };
        match outcome {
            Outcome::Accepted(response_code) => {
                Self { status: DeliveryStatus::Delivered, response_code, failure: None, ..tried }
            }
            Outcome::Failed(reason, response_code) => {
                let status = if attempts >= MAX_ATTEMPTS { DeliveryStatus::Dead } else { DeliveryStatus::Waiting };
                Self { status, response_code, failure: Some(reason), ..tried }
            }
            Outcome::Hopeless(reason) => Self { status: DeliveryStatus::Dead, failure: Some(reason), ..tried },
            Outcome::Needless(reason) => Self { status: DeliveryStatus::Cancelled, failure: Some(reason), ..tried },
        }
    }

    /// Back in its lane, with all attempts before it.
    #[must_use]
    pub fn replayed(self) -> Self {
        Self { status: DeliveryStatus::Waiting, attempts: 0, failure: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::delivery;
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn only_2xx_is_delivered() {
        for status in [200, 201, 204, 299] {
            assert_eq!(Outcome::of_status(status), Outcome::Accepted(Some(status)));
        }
        for status in [301, 302, 307, 308] {
            assert_eq!(Outcome::of_status(status), Outcome::Failed(FailureReason::Redirect, Some(status)));
        }
        for status in [100, 400, 404, 429, 500, 503, 599] {
            assert_eq!(Outcome::of_status(status), Outcome::Failed(FailureReason::BadStatus, Some(status)));
        }
        assert!(Outcome::of_status(410).is_gone());
        assert!(!Outcome::of_status(404).is_gone());
    }

    #[test]
    fn the_last_attempt_that_fails_makes_a_dead_letter_and_a_replay_begins_anew() {
        let fail = Outcome::of_status(500);
        let tried = (1..MAX_ATTEMPTS).fold(delivery(now()), |delivery, _| delivery.attempted(fail, now()));
        assert_eq!((tried.status, tried.attempts), (DeliveryStatus::Waiting, MAX_ATTEMPTS - 1));
        let dead = tried.attempted(fail, now());
        assert_eq!((dead.status, dead.response_code), (DeliveryStatus::Dead, Some(500)));
        let replayed = dead.replayed();
        assert_eq!((replayed.status, replayed.attempts), (DeliveryStatus::Waiting, 0));
        assert_eq!(replayed.attempted(Outcome::of_status(200), now()).failure, None);
    }

    #[test]
    fn what_is_hopeless_dies_at_once_and_what_is_needless_is_cancelled() {
        let hopeless = delivery(now()).attempted(Outcome::Hopeless(FailureReason::MailRefused), now());
        assert_eq!(hopeless.status, DeliveryStatus::Dead);
        let needless = delivery(now()).attempted(Outcome::Needless(FailureReason::NoRecipient), now());
        assert_eq!(needless.status, DeliveryStatus::Cancelled);
    }

    #[test]
    fn the_word_of_every_status_and_reason_reads_back() {
        for word in ["waiting", "delivered", "dead", "cancelled"] {
            assert_eq!(DeliveryStatus::parse(word).unwrap().as_str(), word);
        }
        for word in ["bad_status", "redirect", "timeout", "connection_failed", "address_refused", "secret_unreadable"] {
            assert_eq!(FailureReason::parse(word).unwrap().as_str(), word);
        }
        assert_eq!(DeliveryStatus::parse("lost"), None);
    }
}
