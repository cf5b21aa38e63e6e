//! Webhooks on the wire: signed as Standard Webhooks says, posted to addresses that were looked at.

mod resolver;
mod sender;
mod signature;
mod target;
mod vault;

pub use sender::HttpWebhookSender;
pub use signature::signatures;
pub use target::GuardedTargets;
pub use vault::WebhookVault;
