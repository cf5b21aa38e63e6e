//! A lane: the line in which one destination's deliveries wait. Its first delivery is tried until it is done; the
//! others wait behind it, and other lanes do not notice.

use crate::id::{AccountId, LaneId, WebhookEndpointId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// The pause after the first failure; each further one is four times as long.
pub const FIRST_DELAY: TimeDelta = TimeDelta::seconds(2);
const GROWTH: i64 = 4;
/// The longest pause.
pub const LONGEST_DELAY: TimeDelta = TimeDelta::hours(6);
/// An endpoint that answered nothing good for so long is disabled.
pub const FAILING_ALLOWED: TimeDelta = TimeDelta::hours(24);

/// What stands at the end of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneKind {
    /// The mailbox of the account's owner.
    Mail,
    /// A webhook endpoint.
    Webhook,
}

impl LaneKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mail, Self::Webhook].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub id: LaneId,
    pub account: AccountId,
    pub kind: LaneKind,
    /// Failures since the last success.
    pub failures: u32,
    pub failing_since: Option<DateTime<Utc>>,
}

impl Lane {
    /// The one mail lane of an account.
    pub fn of_mail(account: AccountId) -> Self {
        Self::open(account.as_uuid(), account, LaneKind::Mail)
    }

    pub fn of_endpoint(account: AccountId, endpoint: WebhookEndpointId) -> Self {
        Self::open(endpoint.as_uuid(), account, LaneKind::Webhook)
    }

    fn open(id: Uuid, account: AccountId, kind: LaneKind) -> Self {
        Self { id: LaneId::from_uuid(id), account, kind, failures: 0, failing_since: None }
    }

    /// The endpoint of a webhook lane.
    pub fn endpoint(&self) -> WebhookEndpointId {
        WebhookEndpointId::from_uuid(self.id.as_uuid())
    }

    #[must_use]
    pub fn succeeded(self) -> Self {
        Self { failures: 0, failing_since: None, ..self }
    }

    #[must_use]
    pub fn failed(self, now: DateTime<Utc>) -> Self {
        let failing_since = Some(self.failing_since.unwrap_or(now));
        Self { failures: self.failures.saturating_add(1), failing_since, ..self }
    }

    /// Whether the endpoint failed for a day.
    pub fn failed_too_long(&self, now: DateTime<Utc>) -> bool {
        self.failing_since.is_some_and(|since| now - since >= FAILING_ALLOWED)
    }

    /// When the first delivery is tried next; `jitter` is any number and spreads lanes that failed together.
    pub fn due_at(&self, now: DateTime<Utc>, jitter: u16) -> DateTime<Utc> {
        now + delay(self.failures, jitter)
    }
}

/// The pause after so many failures: nothing after none, then 2 s × 4ⁿ up to six hours, give or take a quarter.
pub fn delay(failures: u32, jitter: u16) -> TimeDelta {
    let Some(exponent) = failures.checked_sub(1) else { return TimeDelta::zero() };
    let longest = LONGEST_DELAY.num_milliseconds();
    let nominal = GROWTH
        .checked_pow(exponent)
        .and_then(|factor| factor.checked_mul(FIRST_DELAY.num_milliseconds()))
        .map_or(longest, |delay| delay.min(longest));
    let spread = nominal / 2 * i64::from(jitter) / i64::from(u16::MAX);
    TimeDelta::milliseconds(nominal - nominal / 4 + spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn lane() -> Lane {
        Lane::of_mail(AccountId::new(now()))
    }

    #[test]
    fn pauses_grow_fourfold_to_six_hours() {
        let middle = u16::MAX / 2 + 1;
        let seconds: Vec<i64> = (0..=9).map(|failures| delay(failures, middle).num_seconds()).collect();
        assert_eq!(seconds, [0, 2, 8, 32, 128, 512, 2_048, 8_192, 21_600, 21_600]);
    }

    #[test]
    fn one_success_forgets_all_failures() {
        let fresh = lane();
        let failing = fresh.clone().failed(now()).failed(now() + TimeDelta::hours(1));
        assert_eq!((failing.failures, failing.failing_since), (2, Some(now())));
        assert_eq!(failing.succeeded(), fresh);
    }

    #[test]
    fn an_endpoint_fails_for_a_day_before_it_is_disabled() {
        let failing = lane().failed(now());
        assert!(!failing.failed_too_long(now() + FAILING_ALLOWED - TimeDelta::microseconds(1)));
        assert!(failing.failed_too_long(now() + FAILING_ALLOWED));
        assert!(!lane().failed_too_long(now() + FAILING_ALLOWED * 100));
    }

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_three_quarters_nor_longer_than_five(failures in any::<u32>(), jitter in any::<u16>()) {
            let pause = delay(failures, jitter);
            let (least, most) = (delay(failures, 0), delay(failures, u16::MAX));
            prop_assert!(least <= pause && pause <= most);
            prop_assert!(most <= LONGEST_DELAY * 5 / 4);
            if failures > 0 {
                prop_assert!(pause >= FIRST_DELAY * 3 / 4);
                prop_assert!((most - least - least * 2 / 3).num_milliseconds().abs() <= 2);
            }
        }

        #[test]
        fn more_failures_never_mean_a_shorter_nominal_pause(failures in 0_u32..1_000, jitter in any::<u16>()) {
            prop_assert!(delay(failures, jitter) <= delay(failures + 1, jitter));
        }
    }
}
