//! A payment provider for development and tests: a real HTTP server that speaks the public protocols of WeChat Pay,
//! Alipay and Stripe with keys of its own, keeps state, and misbehaves on command. No money moves.

pub mod actions;
mod alipay;
pub mod book;
mod control;
pub mod faults;
pub mod keys;
pub mod merchant;
mod pages;
pub mod postman;
mod server;
pub mod shared;
mod stripe;
mod wechat;

pub use book::Kind;
pub use faults::{Fault, Misdeed};
pub use merchant::Keys;
pub use postman::{Delivery, Twist, compose};
pub use server::{FakePay, Options};
pub use shared::{Manners, RefundManner};
pub use stripe::Invoice;
