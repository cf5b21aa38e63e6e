//! Notices: what an account hears of its events, in the product, by mail and by webhook.
//!
//! `fan_out` turns each event of the outbox into a notice and deliveries, in one transaction. `courier` takes the
//! deliveries of a lane outside, one after the other. Nothing outside is called while a transaction is open.

mod courier;
mod dead_letters;
mod delivery;
mod egress;
mod endpoint;
mod fan_out;
mod lane;
mod letter;
mod notice;
mod ports;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
mod service;
mod steps;
mod sweeping;
mod topic;
mod webhooks;

pub use courier::{Claimed, Courier, LEASE, Room, Served};
pub use dead_letters::DeadLetterService;
pub use delivery::{Delivery, DeliveryStatus, FailureReason, MAX_ATTEMPTS, Outcome};
pub use egress::{EgressRules, is_public};
pub use endpoint::{
    ClearSecret, EndpointState, MAX_ENDPOINTS_PER_ACCOUNT, NewSecret, OLD_SECRET_SIGNS, OldSecret, SealedSecret,
    WebhookEndpoint,
};
pub use fan_out::FanOut;
pub use lane::{FAILING_ALLOWED, FIRST_DELAY, LONGEST_DELAY, Lane, LaneKind, delay};
pub use letter::{Letter, Locale, is_mailed, letter};
pub use notice::{Notice, cursor, position};
pub use ports::{
    DeliveryRepository, LaneRepository, Mail, Mailer, NoticeRepository, SecretVault, TargetCheck, WebhookMessage,
    WebhookRepository, WebhookSender,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{
    MockDeliveryRepository, MockLaneRepository, MockMailer, MockNoticeRepository, MockSecretVault, MockTargetCheck,
    MockWebhookRepository, MockWebhookSender,
};
pub use service::NoticeService;
pub use sweeping::{DELIVERIES_KEPT, EVENTS_KEPT, NOTICES_KEPT, sweep};
pub use topic::{DISABLED_EVENT, TEST_EVENT, Topics};
pub use webhooks::{EndpointLog, IssuedEndpoint, WebhookChange, WebhookService, WebhookWish};
