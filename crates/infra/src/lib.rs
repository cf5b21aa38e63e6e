//! Adapters of the domain's ports: the three databases, the clock, cryptography, identity providers,
//! payment providers, webhooks, mail; and the points at which tests have it die.

pub mod clock;
pub mod crypto;
pub mod db;
pub mod failpoints;
pub mod mail;
pub mod manual_payments;
pub mod oauth;
pub mod payments;
pub mod webhooks;
