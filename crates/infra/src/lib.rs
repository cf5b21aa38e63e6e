//! Adapters of the domain's ports: the three databases, the clock, cryptography, identity providers,
//! payment providers, webhooks, mail.

pub mod clock;
pub mod crypto;
pub mod db;
pub mod mail;
pub mod manual_payments;
pub mod oauth;
pub mod payments;
pub mod webhooks;
